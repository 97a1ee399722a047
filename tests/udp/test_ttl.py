"""
Tests for L{echod.udp.ttl}.
"""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from echod.udp.ttl import ANSWER_TTL, TTL_FILTER, useAnswerTTL
from tests.support import FakeSocket

PATIENCE = 30.0

LOCALHOSTS = [
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    # IPv4 on a dual-stack socket.
    ("::", "127.0.0.1"),
]


def setTTL(skt: socket.socket, ttl: int) -> None:
    """
    Set the TTL or hop limit of the datagrams that a socket sends.
    """
    if skt.family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
    else:
        skt.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)


class UseAnswerTTLTests(SynchronousTestCase):
    """
    Tests for L{useAnswerTTL}.
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
        Datagrams with a higher TTL than an answer are received, with both versions of
        IP; others are not.
        """
        for bound, address in LOCALHOSTS:
            server, client = self.udp(bound), self.udp(address)
            useAnswerTTL(server)
            for ttl in (1, ANSWER_TTL, ANSWER_TTL + 1, 64, 255):
                setTTL(client, ttl)
                client.sendto(b"%d" % ttl, (address, server.getsockname()[1]))
            self.assertEqual([server.recv(9) for _ in range(3)], [b"33", b"64", b"255"])

    def test_answers(self) -> None:
        """
        A datagram from one server is not received by another server, but by a client.
        """
        for bound, address in LOCALHOSTS:
            server, other, client = self.udp(bound), self.udp(bound), self.udp(address)
            useAnswerTTL(server)
            useAnswerTTL(other)
            to = "::ffff:127.0.0.1" if bound == "::" else address
            for receiver in (other, client):
                server.sendto(b"answer", (to, receiver.getsockname()[1]))
            self.assertEqual(client.recv(9), b"answer")
            client.sendto(b"question", (address, other.getsockname()[1]))
            self.assertEqual(other.recv(9), b"question")

    if not TTL_FILTER:
        test_questions.skip = test_answers.skip = "needs Linux"  # type: ignore[attr-defined]

    def test_elsewhere(self) -> None:
        """
        On other platforms the socket is left alone.
        """
        skt = FakeSocket()
        useAnswerTTL(skt, False)  # type: ignore[arg-type]
        self.assertEqual(skt.options, [])
