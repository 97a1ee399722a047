"""
Tests for L{echod.client.main}: C{echoc} as a program, with servers of others.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from importlib import import_module
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired, run
from time import monotonic
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.client.run import Run
from tests.support import MEASURED, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE

ECHOC = [sys.executable, "-m", "echod.client"]


def echoc(*arguments: str, stdin: int = DEVNULL) -> Popen[str]:
    """
    @return: A running client.
    """
    return Popen(
        [*ECHOC, *arguments], env=MEASURED, stdin=stdin, stdout=PIPE, stderr=PIPE, text=True
    )


def ended(client: Popen[str], said: str | None = None) -> tuple[int, str, str]:
    """
    @return: How a client has ended, and what it printed; never a traceback.
    """
    out, err = client.communicate(said, PATIENCE)
    assert "Traceback" not in out + err, out + err
    return client.returncode, out, err


def address(server: socket.socket) -> str:
    """
    @return: Where a server is, as C{echoc} takes it.
    """
    host, port = server.getsockname()
    return f"{host}:{port}"


def freePort() -> int:
    """
    @return: A port that is free for TCP and UDP.
    """
    with socket.socket() as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(one.getsockname())
        port: int = one.getsockname()[1]
        return port


class RunTests(SynchronousTestCase):
    """
    Tests for L{Run}.
    """

    def test_signals(self) -> None:
        """
        Two signals are two wishes, and more are no more.
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


class ProgramTests(SynchronousTestCase):
    """
    C{echoc} in a process of its own.
    """

    def silent(self) -> socket.socket:
        """
        @return: Where datagrams go, and nothing comes from.
        """
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(one.close)
        one.bind(("127.0.0.1", 0))
        one.settimeout(PATIENCE)
        return one

    def test_import(self) -> None:
        """
        Importing it does not run it.
        """
        self.assertEqual(import_module("echod.client.__main__").main.__name__, "main")

    def test_mistake(self) -> None:
        """
        What makes no sense is one line, and status 2.
        """
        self.assertEqual(
            ended(echoc("ping", "-i", "x")),
            (2, "", "echoc: --interval x: give seconds, more than 0 and at most 1000000000\n"),
        )

    def test_unresolvable(self) -> None:
        """
        A name that is none is one line, and status 2.
        """
        status, out, err = ended(echoc("greet", "no.such.name.invalid"))
        self.assertEqual((status, out, err.count("\n")), (2, "", 1))
        self.assertIn("no.such.name.invalid:9999: the name cannot be resolved", err)

    def test_interrupted(self) -> None:
        """
        Ctrl-C twice prints the summary at once; what the server would still have
        sent is not waited for.
        """
        server = self.silent()
        client = echoc("ping", "-w", "1000", "--json", "-i", ".001", address(server))
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
        Without standard input and output it does nothing, and nothing wrong.
        """
        done = run(
            [
                "sh",
                "-c",
                '"$@" <&- >&-',
                "sh",
                *ECHOC,
                "ping",
                "-c1",
                "-w.1",
                address(self.silent()),
            ],
            env=MEASURED,
            stderr=PIPE,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stderr), (4, ""))

    def test_closedPipe(self) -> None:
        """
        When nobody reads on, it ends without a word.
        """
        client = echoc("ping", "-i", ".01", "-w", ".01", address(self.silent()))
        assert client.stdout is not None
        self.assertTrue(client.stdout.readline().startswith("PING"))
        client.stdout.close()
        client.stdout = None
        assert client.stderr is not None
        self.assertEqual(client.stderr.read(), "")
        self.assertEqual(client.wait(PATIENCE), 141)
        client.stderr.close()


class ForeignTests(SynchronousTestCase):
    """
    The servers of others.
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
        All that C{echoc ping} sends comes back.
        """
        arguments = ["ping", "-c", "20", "-i", ".001", *options, f"127.0.0.1:{port}"]
        deadline = monotonic() + PATIENCE
        # Until it is up, a server refuses.
        while (got := ended(echoc(*arguments)))[0] == 3 and monotonic() < deadline:
            pass
        self.assertEqual(got[0], 0, got)

    def test_ncat(self) -> None:
        """
        C{ncat} with C{cat} is an echo.
        """
        port = freePort()
        self.serve("ncat", "-l", "-k", "-e", "/bin/cat", "127.0.0.1", str(port))
        self.check(port, "--tcp")

    def test_socat(self) -> None:
        """
        C{socat} is an echo, in streams and in datagrams.
        """
        port = freePort()
        self.serve("socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork", "EXEC:cat")
        self.check(port, "--tcp")
        client = echoc("tcp", f"127.0.0.1:{port}", stdin=PIPE)
        self.assertEqual(ended(client, "one\ntwo"), (0, "one\ntwo", ""))
        self.serve("socat", f"UDP-RECVFROM:{port},bind=127.0.0.1,fork", "PIPE")
        self.check(port, "-i", ".05", "-c", "3")

    def test_xinetd(self) -> None:
        """
        So is what C{xinetd} has built in.
        """
        # xinetd gives up its groups before it serves, also as root.
        if run(
            [sys.executable, "-c", "import os; os.setgroups([])"], stderr=DEVNULL
        ).returncode:
            lacking("the right to change groups, for xinetd")
        port = freePort()
        directory = temporaryDirectory(self)
        services = "".join(
            f"service echo\n{{\nid = echo-{protocol}\ntype = INTERNAL UNLISTED\n"
            f"socket_type = {kind}\nprotocol = {protocol}\nuser = root\nwait = {wait}\n"
            f"port = {port}\nbind = 127.0.0.1\n}}\n"
            for protocol, kind, wait in (("tcp", "stream", "no"), ("udp", "dgram", "yes"))
        )
        (directory / "conf").write_text(services)
        self.serve("xinetd", "-dontfork", "-f", str(directory / "conf"))
        self.check(port, "--tcp")
        # It takes its time for each datagram, and no more than 50 in a second.
        self.check(port, "-i", ".05", "-c", "3")
