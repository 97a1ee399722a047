"""
Tests of connections with a real echod on every reactor.
"""

from __future__ import annotations

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
port, patience = int(sys.argv[1]), float(sys.argv[2])
with socket.create_connection(("127.0.0.1", port), patience) as skt:
    for data, flags in (b"one", 0), (b"two", socket.MSG_OOB), (b"X", socket.MSG_OOB):
        skt.send(data, flags)
    skt.shutdown(socket.SHUT_WR)
    print(skt.makefile().read(), end="")
"""
"""
Sends urgent bytes between others, and prints what comes back.
"""


class EveryReactorTests(SynchronousTestCase):
    """
    Tests that each reactor must pass.
    """

    def test_bothFamilies(self) -> None:
        """
        C{[::]} serves IPv4 whatever the system's default is, also in workers, and an IPv4
        peer is called by its IPv4 address.  Urgent bytes are returned in their place in the
        stream.
        """
        below = [*machine(self, "127.0.0.1 localhost\n"), *BIND_ONLY_IPV6]
        for reactor in REACTORS:
            for options in ([], ["--workers", "2"]):
                with Daemon(
                    "--tcp", "[::]:0", *options, reactor=reactor, below=below
                ) as daemon:
                    # It waits until workers have started.
                    arguments = ["-c", CLIENT, f"{daemon.tcp[1]}", f"{PATIENCE}"]
                    said = onMachine(daemon.process.pid, sys.executable, *arguments)
                    self.assertEqual(said, "onetwoX", reactor)
                    daemon.expect(r"TCP echo: 127\.0\.0\.1:\d+ ended")
