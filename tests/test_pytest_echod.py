"""
Tests for L{pytest_echod}, the fixture for other projects.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, Popen, run
from threading import Timer

from twisted.trial.unittest import SynchronousTestCase

import pytest_echod
from echod._version import __version__
from pytest_echod import daemon
from pytest_echod.daemon import CannotRun, Daemon
from pytest_echod.run import watch
from tests.support import ENVIRONMENT, MEASURED, lacking, temporaryDirectory
from tests.support.daemon import PATIENCE

RUNNER = str(Path(daemon.__file__).with_name("run.py"))

FOREIGN = Path(__file__).parent / "foreign"

CONFTEST = """
import os

# The coverage of these processes is not measured: so they start faster.
for name in [name for name in os.environ if "COVERAGE" in name]:
    del os.environ[name]
"""


def needs(*parts: str) -> None:
    """
    Skip the test if something is not installed.
    """
    for part in parts:
        if find_spec(part) is None:
            lacking(part)


class FixtureTests(SynchronousTestCase):
    """
    Tests for the fixture.
    """

    def foreign(self) -> str:
        """
        Run the tests of a project that is not this one.

        @return: The output of pytest.
        """
        needs("pytest", "trio")
        directory = temporaryDirectory(self)
        for file in FOREIGN.glob("*.py"):
            shutil.copy(file, directory / file.name.replace("check_", "test_"))
        (directory / "conftest.py").write_text(CONFTEST)
        done = run(
            [
                *(sys.executable, "-m", "pytest", "-p", "pytest_echod", "-rA"),
                *("--strict-markers", "-p", "no:cacheprovider"),
            ],
            cwd=directory,
            env={**MEASURED, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=10 * PATIENCE,
        )
        return done.stdout

    def test_foreign(self) -> None:
        """
        The fixture serves tests with plain sockets, trio and Twisted, with the options of all
        their markers; a marker of a test wins over one of its module.  A wrong option or
        argument of a marker is one line.  The log is shown for a test that fails: for a client
        that takes the first piece of an answer for the whole.
        """
        output = self.foreign()
        for test in (
            *("chat.py::test_ask", "kinds.py::test_socket", "kinds.py::test_trio"),
            *("kinds.py::TwistedTests::test_twisted", "kinds.py::test_conflict"),
        ):
            self.assertIn(f"PASSED test_{test}\n", output)
        self.assertRegex(output, r"FAILED test_chat.py::test_askOnABadPath - AssertionError")
        self.assertEqual(len(re.findall(r"-+ echod log -+\n", output)), 1)
        self.assertEqual(output.count("TCP echo: IMPAIRED ON PURPOSE"), 1)
        self.assertIn("\nechod: --impair: drop=1: a share is written as 1% or 0.1%", output)
        self.assertIn("\n{'impare': 'drop=1%'}: the marker is echod(*options, impair=", output)
        self.assertIn("\n{'impair': 1}: the marker is echod(*options, impair=", output)
        self.assertNotIn("Traceback", output)
        self.assertIn("1 failed, 5 passed, 3 errors", output)

    def test_unused(self) -> None:
        """
        A test session that does not use the fixture imports only the module
        C{pytest_echod}, and not Twisted.
        """
        needs("pytest")
        said = run(
            [
                *(sys.executable, "-c"),
                "import pytest, sys; before = {*sys.modules}; "
                "import pytest_echod; print(*sys.modules.keys() - before)",
            ],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
        )
        self.assertEqual(said.stdout, "pytest_echod\n")

    def test_public(self) -> None:
        """
        The package offers the class of the fixture, and no name that it does not have.
        """
        self.assertIs(pytest_echod.Daemon, Daemon)
        error = self.assertRaises(AttributeError, getattr, pytest_echod, "Demon")
        self.assertEqual(str(error), "module 'pytest_echod' has no attribute 'Demon'")


class ImpatientDaemon(Daemon):
    """
    A daemon that is killed soon if it does not end.
    """

    def stop(self) -> None:
        """
        Stop it, and wait only a moment.
        """
        self.patience = 0.1
        super().stop()


class DaemonTests(SynchronousTestCase):
    """
    Tests for L{Daemon}.
    """

    def test_run(self) -> None:
        """
        It listens when it has been made, and has ended after the C{with} block, even if
        it does not react to signals.  The log is complete.
        """
        path = temporaryDirectory(self) / "socket"
        with ImpatientDaemon("--tcp", f"unix:{path}") as echod:
            for address in (echod.greeting, echod.tcp):
                socket.create_connection(address, PATIENCE).close()
            self.assertEqual(list(echod.addresses), ["TCP greeting", "TCP echo", "UDP echo"])
            self.assertEqual(echod.udp[0], "127.0.0.1")
            os.kill(echod.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, echod.pid, os.WSTOPPED)
        self.assertRaises(OSError, socket.create_connection, echod.tcp)
        self.assertIn(f"TCP echo listens on unix:{path}\n", echod.log)

    def test_noDrain(self) -> None:
        """
        A stop does not wait for open sessions: it cuts them.
        """
        with Daemon() as echod, socket.create_connection(echod.tcp, PATIENCE) as client:
            client.sendall(b"x")
            self.assertEqual(client.recv(1), b"x")
            echod.stop()
        self.assertIn("TCP echo: stopping; sessions to finish, in 0 s at most: 1\n", echod.log)

    def test_cannotRun(self) -> None:
        """
        If it cannot start, the error says why.
        """
        error = self.assertRaises(CannotRun, Daemon, "--tcp", "nonsense")
        self.assertRegex(str(error), r"^echod did not start:\nechod: --tcp nonsense: neither ")

    def test_orphan(self) -> None:
        """
        It ends when the process that started it is gone.
        """
        process = Popen(
            [sys.executable, RUNNER, "--udp", "0"], stdin=PIPE, stdout=PIPE, env=ENVIRONMENT
        )
        deadline = Timer(PATIENCE, process.kill)
        deadline.start()
        self.addCleanup(deadline.cancel)
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            if b"listens on" in line:
                break
        process.stdin.close()
        process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(PATIENCE), -signal.SIGTERM)

    def test_runs(self) -> None:
        """
        It runs the echod that is installed beside it.
        """
        environment = {name: MEASURED[name] for name in MEASURED if name != "PYTHONPATH"}
        with Popen(
            [sys.executable, RUNNER, "--version"],
            cwd="/",
            env=environment,
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            self.assertEqual(process.stdout.read(), f"echod {__version__}\n")

    def test_watch(self) -> None:
        """
        The runner ignores bytes from the pipe, and ends when the pipe is closed.
        """
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                theirs.sendall(b"??")
            ended: list[bool] = []
            watch(ours.fileno(), lambda: ended.append(True))
            self.assertEqual((ended, ours.recv(1)), ([True], b""))
