"""
Tests of limits with real daemons.
"""

from __future__ import annotations

import contextlib
import re
import socket
from importlib.util import find_spec
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon, runDaemon
from tests.support.tls import makeCertificate
from tests.test_daemon import connect, readAll


def isServed(address: tuple[str, int]) -> bool:
    """
    @return: True if a new connection is greeted.
    """
    with connect(address) as client, contextlib.suppress(ConnectionError):
        return bool(readAll(client))
    return False


class ConnectRateTests(SynchronousTestCase):
    """
    Tests of C{--connect-rate}.
    """

    def test_connectRate(self) -> None:
        """
        New connections above the rate are refused at once, counted and logged.  The source
        is served again without intervention, and another source always is.
        """
        with Daemon("--greeting", "0", "--connect-rate", "1") as daemon:
            self.becomes(True, daemon)
            # On a slow machine a second may pass between two connections.
            self.becomes(False, daemon)
            daemon.expect(r"refused 127.0.0.1:\d+: too many new connections from its address$")
            other = socket.create_connection(daemon.greeting, PATIENCE, ("127.0.0.2", 0))
            with other:
                self.assertTrue(readAll(other))
            self.becomes(True, daemon)

    def becomes(self, served: bool, daemon: Daemon) -> None:
        """
        Connect again and again, until a connection is served, or refused.
        """
        deadline = monotonic() + PATIENCE
        while isServed(daemon.greeting) != served:
            self.assertLess(monotonic(), deadline)


class OpenFilesTests(SynchronousTestCase):
    """
    Daemons with few file descriptors.
    """

    def start(self, limit: int, *arguments: str, reactor: str | None = None) -> Daemon:
        """
        Start a daemon with a limit of open files.
        """
        prlimit = [program("prlimit"), f"--nofile={limit}"]
        daemon = Daemon(*arguments, below=prlimit, reactor=reactor)
        self.addCleanup(daemon.process.wait)
        self.addCleanup(daemon.process.kill)
        return daemon

    def ends(self, limit: int, *arguments: str) -> str:
        """
        @return: The last line of the log of a daemon that cannot start.
        """
        prlimit = [program("prlimit"), f"--nofile={limit}"]
        done = runDaemon([*prlimit, *Daemon.command(None), *arguments])
        self.assertEqual(done.returncode, 1, done.stdout)
        lines = [line for line in done.stdout.splitlines() if "#critical]" in line]
        self.assertEqual((len(lines), done.stderr), (1, ""), done.stdout)
        self.assertNotIn("Traceback", done.stdout)
        return lines[0]

    def test_promise(self) -> None:
        """
        With many addresses, TLS, status pages and a session log, each reactor serves all
        connections that it has promised, refuses the others, and never runs out of
        descriptors.
        """
        if find_spec("OpenSSL") is None or find_spec("prometheus_client") is None:
            lacking("the tls and status extras")
        directory = temporaryDirectory(self)
        key = makeCertificate(directory / "server.pem")
        arguments = [
            *("--tcp", "127.0.0.1:0") * 38,
            *("--tcp", f"ssl:0:interface=127.0.0.1:privateKey={key}"),
            *("--udp", "127.0.0.1:0", "--session-log", str(directory / "sessions")),
            *("--status", "127.0.0.1:0", "--status", "127.0.0.1:0"),
        ]
        for reactor in ("select", "asyncio", "uvloop" if find_spec("uvloop") else "epoll"):
            daemon = self.start(90, *arguments, reactor=reactor)
            pages = [
                ("127.0.0.1", int(daemon.expect(r"HTTP status listens on .*:(\d+)$")[1]))
                for _ in range(2)
            ]
            promised = int(daemon.expect(r"limits: (\d+) connections for all together")[1])
            self.assertGreater(promised, 5)
            with contextlib.ExitStack() as clients:
                for page in pages * 20:
                    clients.enter_context(connect(page))
                served = 0
                for number in range(promised + 20):
                    address = daemon.addresses["TCP echo"][number % 38]
                    client = clients.enter_context(connect(address))
                    with contextlib.suppress(ConnectionError):
                        client.sendall(b"x")
                        served += client.recv(1) == b"x"
                self.assertEqual(served, promised)
            daemon.expect("refused .* too many connections$")
            daemon.stop()
            log = "".join(daemon.log)
            for trouble in ("EMFILE", "Too many open files", "Traceback", "#critical"):
                self.assertNotIn(trouble, log)

    def test_tooFew(self) -> None:
        """
        If no connection has room, the start fails with one line that says how many
        descriptors are needed.  With as many it succeeds.  Datagrams need no more.
        """
        line = self.ends(20, "--tcp", "127.0.0.1:0")
        needed = re.search(r"\(ulimit -n\) is 20, and at least (\d+) are needed: ", line)
        assert needed is not None
        number = int(needed[1])
        self.start(number, "--tcp", "127.0.0.1:0").expect(
            "limits: 1 connections for all together"
        )
        self.start(number - 1, "--udp", "127.0.0.1:0").expect("limits: ")

    def test_tooFewToListen(self) -> None:
        """
        If the descriptors are not even enough to listen, the start fails with one line.
        """
        self.assertIn(
            "TCP echo cannot listen on 127.0.0.1:0: Too many open files",
            self.ends(40, *("--tcp", "127.0.0.1:0") * 40),
        )

    def test_workers(self) -> None:
        """
        If the descriptors are not enough for the pipes to all workers, the start fails with
        one line.  With as many as that says, all of them serve.
        """
        arguments = ("--tcp", "127.0.0.1:0", "--workers", "2")
        line = self.ends(24, *arguments)
        needed = re.search(r"at least (\d+) are needed: ", line)
        assert needed is not None
        daemon = self.start(int(needed[1]), *arguments)
        for _ in range(2):
            daemon.expect(r"worker \d serves")
        for _ in range(20):
            with connect(daemon.tcp) as client:
                client.sendall(b"hello")
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(readAll(client), b"hello")
        daemon.stop()
        self.assertNotIn("cannot be started", "".join(daemon.log))
