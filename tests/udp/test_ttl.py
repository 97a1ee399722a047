"""
Tests for L{echod.udp.ttl}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from echod.udp import ttl as hops
from echod.udp.ttl import ANSWER_HOPS, tellApart
from tests.support import FakeSocket

PATIENCE = 30.0

LOCALHOSTS = [
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    # IPv4 on a socket for both versions.
    ("::", "127.0.0.1"),
]


def limitHops(skt: socket.socket, hops: int) -> None:
    """
    Give what is sent so many hops to go.
    """
    if skt.family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, hops)
    else:
        skt.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hops)


class TellApartTests(SynchronousTestCase):
    """
    Tests for L{tellApart}.
    """

    def udp(self, address: str) -> socket.socket:
        """
        @return: A bound socket.
        """
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        skt = socket.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(skt.close)
        skt.settimeout(PATIENCE)
        skt.bind((address, 0))
        return skt

    def test_questions(self) -> None:
        """
        What has hops enough to go is received, of both versions of IP; what has
        as few as an answer is not.
        """
        for bound, address in LOCALHOSTS:
            server, client = self.udp(bound), self.udp(address)
            tellApart(server)
            for left in (1, ANSWER_HOPS, ANSWER_HOPS + 1, 64, 255):
                limitHops(client, left)
                client.sendto(b"%d" % left, (address, server.getsockname()[1]))
            self.assertEqual([server.recv(9) for _ in range(3)], [b"33", b"64", b"255"])

    def test_answers(self) -> None:
        """
        What one server sends, another one does not receive, and a client does.
        """
        for bound, address in LOCALHOSTS:
            server, other, client = self.udp(bound), self.udp(bound), self.udp(address)
            tellApart(server)
            tellApart(other)
            to = "::ffff:127.0.0.1" if bound == "::" else address
            for receiver in (other, client):
                server.sendto(b"answer", (to, receiver.getsockname()[1]))
            self.assertEqual(client.recv(9), b"answer")
            client.sendto(b"question", (address, other.getsockname()[1]))
            self.assertEqual(other.recv(9), b"question")

    if not hops.HOPS_APART:
        test_questions.skip = test_answers.skip = "needs Linux"  # type: ignore[attr-defined]

    def test_elsewhere(self) -> None:
        """
        On other platforms nothing is done.
        """
        self.patch(hops, "HOPS_APART", False)
        skt = FakeSocket()
        tellApart(skt)  # type: ignore[arg-type]
        self.assertEqual(skt.options, [])
