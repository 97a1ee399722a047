"""
Tests of connections with a real echod on every reactor.
"""

from __future__ import annotations

import socket
import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.support.daemon import PATIENCE, Daemon
from tests.support.machine import machine, onMachine

REACTORS = ("uvloop", "epoll", "asyncio", "select")

BIND_ONLY_IPV6 = ["sh", "-c", 'echo 1 > /proc/sys/net/ipv6/bindv6only && exec "$@"', "sh"]
"""
Changes the system's default for C{[::]}, and runs the command that follows it.
"""

CLIENT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10) as skt:
    skt.send(b"hello")
    print(skt.recv(100).decode(), end="")
"""

URGENT = ((b"one", 0), (b"two", socket.MSG_OOB), (b"X", socket.MSG_OOB), (b"Y", socket.MSG_OOB))


class EveryReactorTests(SynchronousTestCase):
    """
    Tests that each reactor must pass.
    """

    def test_bothFamilies(self) -> None:
        """
        C{[::]} serves IPv4 whatever the system's default is, also in workers, and an IPv4
        peer is called by its IPv4 address.
        """
        below = [*machine(self, "127.0.0.1 localhost\n"), *BIND_ONLY_IPV6]
        for reactor in REACTORS:
            for options in ([], ["--workers", "2"]):
                with Daemon(
                    "--tcp", "[::]:0", *options, reactor=reactor, below=below
                ) as daemon:
                    arguments = ["-c", CLIENT, str(daemon.tcp[1])]
                    said = onMachine(daemon.process.pid, sys.executable, *arguments)
                    self.assertEqual(said, "hello", reactor)
                    daemon.expect(r"TCP echo: 127\.0\.0\.1:\d+ ended")

    def test_urgent(self) -> None:
        """
        Urgent bytes are returned in their place in the stream.
        """
        expected = b"".join(data for data, _ in URGENT)
        for reactor in REACTORS:
            for options in ([], ["--workers", "2"]):
                with (
                    Daemon("--tcp", "127.0.0.1:0", *options, reactor=reactor) as daemon,
                    socket.create_connection(daemon.tcp, PATIENCE) as client,
                ):
                    for data, flags in URGENT:
                        client.send(data, flags)
                    client.shutdown(socket.SHUT_WR)
                    with client.makefile("rb") as stream:
                        self.assertEqual(stream.read(), expected, reactor)
