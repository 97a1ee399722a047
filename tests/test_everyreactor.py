"""
Tests of connections and datagrams with a real echod on every reactor.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from soak.namespaces import Namespace, chain
from tests.support.daemon import PATIENCE, Daemon

PORT = 7007

RUNS = (
    *(("uvloop",), ("asyncio",), ("epoll",), ("poll",), ("select",)),
    *(("uvloop", "--workers=2"), ("epoll", "--workers=2")),
)
"""
Each reactor, with further options.
"""


class EveryReactorTests(SynchronousTestCase):
    """
    Tests that each reactor must pass.
    """

    def test_bothFamilies(self) -> None:
        """
        C{[::]} serves IPv4 and IPv6 whatever the system's default is, also in workers, and an
        IPv4 peer is called by its IPv4 address.  Urgent bytes are returned in their place in
        the stream.
        """
        with chain(0) as (first, last):
            last.set("net/ipv6/bindv6only", "1")
            for reactor, *more in RUNS:
                with Daemon(
                    *("--tcp", f"[::]:{PORT}", "--udp", f"[::]:{PORT}", "--show-messages"),
                    *more,
                    below=last.below,
                    reactor=reactor,
                ) as daemon:
                    for host, peer in (
                        ("10.0.0.2", r"10\.0\.0\.1"),
                        ("fd00::2", r"\[fd00::1\]"),
                    ):
                        self.ask(first, host)
                        daemon.expect(rf"UDP echo: from {peer}:\d+: hello")
                        daemon.expect(rf"TCP echo: {peer}:\d+ ended")

    def ask(self, place: Namespace, host: str) -> None:
        """
        Send a datagram, and urgent bytes between others, and expect them back.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with (
            place.socket(family, socket.SOCK_DGRAM) as datagrams,
            place.socket(family, socket.SOCK_STREAM) as stream,
        ):
            for client in (datagrams, stream):
                client.settimeout(PATIENCE)
                client.connect((host, PORT))
            datagrams.send(b"hello")
            self.assertEqual(datagrams.recv(10), b"hello")
            for data, flags in (b"one", 0), (b"two", socket.MSG_OOB), (b"X", socket.MSG_OOB):
                stream.send(data, flags)
            stream.shutdown(socket.SHUT_WR)
            self.assertEqual(stream.makefile("rb").read(), b"onetwoX")
