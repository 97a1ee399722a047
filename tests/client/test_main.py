"""
Tests for L{echod.client.main}: C{echoc} as a program, with servers of others.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import signal
import socket
import sys
import termios
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from io import StringIO
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired, run
from time import monotonic
from typing import Any

from twisted.logger import LogBeginner, Logger, LogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from echod.client.main import logErrors
from echod.client.run import Run
from tests.support import ENVIRONMENT, MEASURED, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE
from tests.support.load import HOST, freePort

ECHOC = [sys.executable, "-m", "echod.client"]


def echoc(
    *arguments: str, stdin: int = DEVNULL, environment: Mapping[str, str] = ENVIRONMENT
) -> Popen[str]:
    """
    @return: A running client.
    """
    return Popen(
        [*ECHOC, *arguments], env=environment, stdin=stdin, stdout=PIPE, stderr=PIPE, text=True
    )


def measured(*arguments: str) -> Popen[str]:
    """
    @return: A running client whose coverage is measured.
    """
    return echoc(*arguments, environment=MEASURED)


def ended(client: Popen[str], said: str | None = None) -> tuple[int, str, str]:
    """
    @return: The exit status and the output of a client.  Check that there is no traceback.
    """
    out, err = client.communicate(said, PATIENCE)
    assert "Traceback" not in out + err, out + err
    return client.returncode, out, err


def address(server: socket.socket) -> str:
    """
    @return: The address of a server, as an argument of C{echoc}.
    """
    host, port = server.getsockname()
    return f"{host}:{port}"


class RunTests(SynchronousTestCase):
    """
    Tests for L{Run}.
    """

    def test_signals(self) -> None:
        """
        The first two signals are handled.  More signals are ignored.
        """

        class Reactor:
            def callFromThread(self, act: Callable[[], None]) -> None:
                act()

        heard: list[str] = []
        reactor: Any = Reactor()
        running = Run(reactor)
        running.interrupt = lambda: heard.append("interrupt")
        for _ in range(5):
            running.signalled()
        self.assertEqual(len(heard), 2)


class LogTests(SynchronousTestCase):
    """
    Tests for L{logErrors}.
    """

    def test_logErrors(self) -> None:
        """
        Critical errors are printed.  No other event is printed or kept.
        """
        publisher, printed, kept = LogPublisher(), StringIO(), StringIO()
        beginner = LogBeginner(publisher, printed, sys, warnings)
        log = Logger("test", observer=publisher)
        log.error("before")
        logErrors(beginner, printed)
        log.error("after")
        log.critical("bad")
        beginner.beginLoggingTo([textFileLogObserver(kept)], redirectStandardIO=False)
        self.assertIn("bad", printed.getvalue())
        self.assertNotIn("after", printed.getvalue())
        self.assertNotIn("before", printed.getvalue() + kept.getvalue())


class ProgramTests(SynchronousTestCase):
    """
    C{echoc} in a process of its own.
    """

    def silent(self) -> socket.socket:
        """
        @return: An address that takes datagrams and never answers.
        """
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(one.close)
        one.bind(("127.0.0.1", 0))
        one.settimeout(PATIENCE)
        return one

    def test_import(self) -> None:
        """
        Importing C{echod.client.__main__} does not run the client.
        """
        self.assertEqual(import_module("echod.client.__main__").main.__name__, "main")

    def test_noCollection(self) -> None:
        """
        The garbage collector does not look through the objects of the modules.
        """
        code = (
            "import atexit, gc; from echod.client.main import main;"
            "atexit.register(lambda: print(gc.get_freeze_count() > 10000)); main()"
        )
        command = [
            sys.executable,
            "-c",
            code,
            "greet",
            f"{HOST}:{freePort(socket.SOCK_STREAM)}",
        ]
        done = run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual((done.stdout, done.returncode), ("True\n", 3))

    def test_mistake(self) -> None:
        """
        A wrong command line gives one line and status 2.
        """
        self.assertEqual(
            ended(measured("ping", "-i", "x")),
            (
                2,
                "",
                "echoc: --interval x: a duration is written as 600 (seconds), 50ms, 1.5s, 5m, "
                "2h or 1d, and is more than 0 and at most 1000000000s\n",
            ),
        )

    def test_unresolvable(self) -> None:
        """
        For an unknown name, there is one line, and the status is 2.
        """
        status, out, err = ended(measured("greet", "no.such.name.invalid"))
        self.assertEqual((status, out, err.count("\n")), (2, "", 1))
        self.assertIn("no.such.name.invalid:9999: the name cannot be resolved", err)

    def test_interrupted(self) -> None:
        """
        If Ctrl-C is pressed twice, the summary comes at once, without the answers that are due.
        """
        server = self.silent()
        client = measured("ping", "-W", "1000", "--json", "-i", ".001", address(server))
        server.recv(100)
        client.send_signal(signal.SIGINT)
        # Two that come at once may be one.
        while client.poll() is None:
            client.send_signal(signal.SIGINT)
            with contextlib.suppress(TimeoutExpired):
                client.wait(0.5)
        status, out, _ = ended(client)
        said = json.loads(out)
        self.assertEqual((status, said["lost"], said["in_flight"]), (4, 0, said["sent"]))

    def test_closedDescriptors(self) -> None:
        """
        With closed standard descriptors, the status is the same, even if another file has the
        number.  That file is not read, and a message goes nowhere.
        """
        server = self.silent()
        code = "import os; os.open(os.__file__, 0); from echod.client.main import main; main()"
        client = [sys.executable, "-c", code]
        for closed, arguments, status in (
            ("<&- 2>&-", ["udp", "-w.1", address(server)], 4),
            (">&-", ["ping", "-c1", "-w.1", address(server)], 4),
            ("2>&-", ["ping", "--wrong"], 2),
        ):
            command = ["sh", "-c", f'"$@" {closed}', "sh", *client, *arguments]
            done = run(command, env=MEASURED, capture_output=True, timeout=PATIENCE)
            self.assertEqual((done.returncode, done.stdout, done.stderr), (status, b"", b""))
        self.assertEqual(server.recv(100), b"")


class TerminalProgramTests(SynchronousTestCase):
    """
    C{echoc} in a process of its own, at a terminal.

    @ivar person: The user's end of the terminal.

    @ivar screen: The output that no test has looked for yet.
    """

    def setUp(self) -> None:
        self.person, self.terminal = pty.openpty()
        self.addCleanup(os.close, self.person)
        self.addCleanup(os.close, self.terminal)
        self.before = termios.tcgetattr(self.terminal)
        self.screen = b""
        self.deadline = monotonic() + PATIENCE

    def start(self, *arguments: str) -> Popen[bytes]:
        """
        @return: A client at the terminal, killed after the test.
        """
        client = Popen(
            [*ECHOC, *arguments],
            env={**MEASURED, "TERM": "xterm", "COLUMNS": "80"},
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
        )
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        return client

    def see(self, text: bytes) -> None:
        """
        Wait until the screen shows a text.
        """
        while text not in self.screen:
            self.readScreen()
        self.screen = self.screen.partition(text)[2]

    def readScreen(self) -> None:
        """
        Read for a short time; fail after the deadline.
        """
        self.assertLess(monotonic(), self.deadline, self.screen)
        if select.select([self.person], [], [], 0.05)[0]:
            self.screen += os.read(self.person, 1 << 16)

    def status(self, client: Popen[bytes]) -> int:
        """
        @return: The exit status of a client, whose output is read until then.
        """
        while client.poll() is None:
            self.readScreen()
        self.readScreen()
        self.assertNotIn(b"Traceback", self.screen)
        return client.returncode

    def server(self, kind: int) -> socket.socket:
        """
        @return: A socket for a server, closed after the test.
        """
        server = socket.socket(socket.AF_INET, kind)
        self.addCleanup(server.close)
        server.settimeout(PATIENCE)
        server.bind(("127.0.0.1", 0))
        return server

    def test_stopped(self) -> None:
        """
        Ctrl-Z stops the process and restores the terminal.  When the process continues,
        the line that the user was typing is there again.
        """
        listening = self.server(socket.SOCK_STREAM)
        listening.listen()
        client = self.start("tcp", address(listening))
        session, _ = listening.accept()
        self.addCleanup(session.close)
        session.settimeout(PATIENCE)
        self.see(b"> ")
        os.write(self.person, b"half a li")
        self.see(b"> half a li")
        client.send_signal(signal.SIGTSTP)
        options = os.WSTOPPED | os.WEXITED | os.WNOHANG | os.WNOWAIT
        while (ended := os.waitid(os.P_PID, client.pid, options)) is None:
            self.readScreen()
        self.assertEqual((ended.si_code, ended.si_status), (os.CLD_STOPPED, signal.SIGSTOP))
        self.assertEqual(termios.tcgetattr(self.terminal), self.before)
        self.screen = b""
        client.send_signal(signal.SIGCONT)
        self.see(b"> half a li")
        os.write(self.person, b"ne\r")
        self.assertEqual(session.recv(100), b"half a line\n")
        session.sendall(b"half a line\n")
        self.see(b"From Server : half a line")
        os.write(self.person, b"\x04")
        self.assertEqual(session.recv(100), b"")
        session.close()
        self.assertEqual(self.status(client), 0)
        self.assertEqual(termios.tcgetattr(self.terminal), self.before)

    def test_stoppedOutput(self) -> None:
        """
        Ctrl-S stops the output and not the probes; after Ctrl-Q all lines appear.
        """
        server = self.server(socket.SOCK_DGRAM)
        client = self.start("ping", "-c", "20", "-i", ".01", address(server))
        os.write(self.person, b"\x13")
        for _ in range(20):
            probe, source = server.recvfrom(1 << 16)
            server.sendto(probe, source)
        os.write(self.person, b"\x11")
        self.see(b"seq=19")
        self.see(b"sent 20, received 20, lost 0")
        self.assertEqual(self.status(client), 0)

    def ping(self, *arguments: str) -> Popen[bytes]:
        """
        @return: A client whose first probe was answered.
        """
        try:
            import rich  # noqa: F401
        except ImportError:
            lacking("rich")
        server = self.server(socket.SOCK_DGRAM)
        client = self.start("ping", *arguments, address(server))
        probe, source = server.recvfrom(1 << 16)
        server.sendto(probe, source)
        return client

    def test_plot(self) -> None:
        """
        C{--plot} draws the round trips, and prints the summary below.
        """
        client = self.ping("--plot", "-c", "1")
        self.see("█".encode())
        self.see(b"sent 1, received 1, lost 0")
        self.assertEqual(self.status(client), 0)

    def test_progress(self) -> None:
        """
        A long, quiet run has a progress bar, and Ctrl-C ends it with the summary.
        """
        client = self.ping("-q", "-c", "9", "-i", "1000")
        self.see(b"1/9, 0 lost")
        client.send_signal(signal.SIGINT)
        self.see(b"sent 1, received 1, lost 0")
        self.assertEqual(self.status(client), 0)


class ForeignTests(SynchronousTestCase):
    """
    The clients with echo servers of other projects.
    """

    def serve(self, *command: str) -> None:
        """
        Run a server until the end of the test.
        """
        server = Popen(
            [program(command[0]), *command[1:]],
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,
        )

        def stop() -> None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()

        self.addCleanup(stop)

    def check(self, port: int, *options: str) -> None:
        """
        Every probe of C{echoc ping} comes back.
        """
        arguments = ["ping", "-W", f"{PATIENCE / 2}", "-c", "20", "-i", ".001", *options]
        arguments.append(f"{HOST}:{port}")
        deadline = monotonic() + PATIENCE
        # Until it is up, a server refuses.
        while (got := ended(echoc(*arguments)))[0] == 3 and monotonic() < deadline:
            pass
        self.assertEqual(got[0], 0, got)

    def test_ncat(self) -> None:
        """
        C{ncat} with C{cat} is an echo.
        """
        port = freePort(socket.SOCK_STREAM)
        self.serve("ncat", "-l", "-k", "-e", "/bin/cat", HOST, str(port))
        self.check(port, "--tcp")

    def test_socat(self) -> None:
        """
        C{socat} is an echo, in streams and in datagrams.
        """
        port = freePort(socket.SOCK_STREAM)
        self.serve("socat", f"TCP-LISTEN:{port},bind={HOST},fork", "EXEC:cat")
        self.check(port, "--tcp")
        client = echoc("tcp", f"{HOST}:{port}", stdin=PIPE)
        self.assertEqual(ended(client, "one\ntwo"), (0, "one\ntwo", ""))
        self.serve("socat", f"UDP-RECVFROM:{port},bind={HOST},fork", "PIPE")
        self.check(port, "-i", ".05", "-c", "3")

    def test_xinetd(self) -> None:
        """
        The built-in echo of C{xinetd} is an echo, in streams and in datagrams.
        """
        # xinetd gives up its groups before it serves, also as root.
        if run(
            [sys.executable, "-c", "import os; os.setgroups([])"], stderr=DEVNULL
        ).returncode:
            lacking("the right to change groups, for xinetd")
        port = freePort(socket.SOCK_STREAM)
        directory = temporaryDirectory(self)
        services = "".join(
            f"service echo\n{{\nid = echo-{protocol}\ntype = INTERNAL UNLISTED\n"
            f"socket_type = {kind}\nprotocol = {protocol}\nuser = root\nwait = {wait}\n"
            f"port = {port}\nbind = {HOST}\n}}\n"
            for protocol, kind, wait in (("tcp", "stream", "no"), ("udp", "dgram", "yes"))
        )
        (directory / "conf").write_text(services)
        self.serve("xinetd", "-dontfork", "-f", str(directory / "conf"))
        self.check(port, "--tcp")
        # It takes its time for each datagram, and no more than 50 in a second.
        self.check(port, "-i", ".05", "-c", "3")
