"""
Tests for C{make run}, with the real make.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
from pathlib import Path
from subprocess import run

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, ENVIRONMENT, lacking, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon

NO_PARENT = {"MAKEFLAGS": "", "MAKELEVEL": ""}
"""
For a make that is started by the tests, and not by the make that runs the tests.
"""

MAKE_FAILED = 2
"""
The status of make if the signal comes while it waits, and the server has ended before make
runs again: then its signal handler waits for a child that is gone.
"""

USAGE = ["    . {venv}/bin/activate", "    echoc tcp"]
"""
The lines that C{make run} prints about the clients.
"""


class MakeRun(Daemon):
    """
    A running C{make run}, in a process group of its own, as at a terminal.
    """

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: The command that runs make, without its variables.
        """
        return ["setsid", "make", "-C", str(CHECKOUT), "run"]


class RunTests(SynchronousTestCase):
    """
    Tests for C{make run}.
    """

    def setUp(self) -> None:
        if not shutil.which("make"):
            lacking("make")
        # An environment with everything installed: that of these tests.
        self.venv = temporaryDirectory(self)
        programs = Path(sys.executable).parent
        if not (programs / "twistd").exists():
            lacking("an installed twistd")
        (self.venv / "bin").symlink_to(programs)
        (self.venv / "run").touch()
        self.usage = [line.format(venv=self.venv) for line in USAGE]

    def make(self, *arguments: str) -> tuple[int, str, str]:
        """
        Run C{make run} where it ends by itself.

        @return: The exit status, the standard output and the standard error.
        """
        done = run(
            ["make", "-C", str(CHECKOUT), "run", *arguments],
            env={**ENVIRONMENT, **NO_PARENT},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.returncode, done.stdout, done.stderr

    def test_installsEverything(self) -> None:
        """
        In a new checkout it installs all optional parts, the fast reactor among them.
        """
        status, printed, _ = self.make("-n", f"VENV={self.venv / 'new'}")
        self.assertEqual(status, 0)
        self.assertRegex(printed, r"pip install .* -e \.\[all\]\n")

    def test_badOption(self) -> None:
        """
        A bad option in ARGS is one line of echod, and make fails.
        """
        status, printed, errors = self.make(f"VENV={self.venv}", "ARGS=--tcp 8081 --udp x")
        self.assertEqual(status, 2)
        self.assertIn("echod --tcp 8081 --udp x\n", printed)
        self.assertRegex(errors, r"^echod: --udp x: [^\n]*\nmake: [^\n]* Error 1\n$")

    def test_serves(self) -> None:
        """
        It says how to use the clients, serves as ARGS says, and ends without an error
        at a Ctrl-C, which make and echod get, and at a SIGTERM, which make alone gets.
        """
        for end, number in ((os.killpg, signal.SIGINT), (os.kill, signal.SIGTERM)):
            arguments = [f"VENV={self.venv}", "ARGS=--tcp '127.0.0.1:0'"]
            with MakeRun(*arguments, environment=NO_PARENT) as daemon:
                port = int(daemon.expect(r"TCP echo listens on 127.0.0.1:(\d+)$")[1])
                # From the first answer on, the reactor handles signals.
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as skt:
                    skt.sendall(b"hello")
                    self.assertEqual(skt.recv(100), b"hello")
                printed = [line.rstrip("\n") for line in daemon.log]
                end(daemon.process.pid, number)
                self.assertIn(daemon.process.wait(PATIENCE), (-number, MAKE_FAILED))
            # The log has come to its end: nobody has its pipe any more.
            self.assertIn("Server Shut Down", "".join(daemon.log))
            self.assertNotIn("Error", "".join(daemon.log))
            where = printed.index(self.usage[0])
            self.assertEqual(printed[where : where + 2], self.usage)


class BackgroundTests(SynchronousTestCase):
    """
    C{make test &}, and C{nohup make soak}.
    """

    def test_signals(self) -> None:
        """
        A signal ends the programs that tests start, even if the tests ignore it.
        """
        code = "import os, tests; os.system('kill -{0} $$; echo ignored {0}')"
        for name in ("HUP", "INT"):
            done = run(
                [
                    "sh",
                    "-c",
                    f'trap "" {name}; exec "$0" -c "$1"',
                    sys.executable,
                    code.format(name),
                ],
                env=ENVIRONMENT,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.assertEqual((done.stdout, done.stderr), ("", ""))
