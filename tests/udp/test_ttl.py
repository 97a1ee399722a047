"""
Tests for the rule that tells answers from questions by their TTL, on real sockets.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.impair.spec import DatagramImpairments
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.udp.echo import UDPEchoProtocol
from echod.udp.endpoint import UDPServerEndpoint, adoptDatagrams
from echod.udp.guard import ANSWER, ANSWER_TTL
from echod.udp.options import LINUX
from echod.udp.sourcestatistics import SourceStatistics
from tests.support import clock

LOCALHOSTS = [
    ("127.0.0.1", "127.0.0.1"),
    ("0.0.0.0", "127.0.0.7"),
    ("::1", "::1"),
    ("::", "::1"),
    # IPv4 on an IPv6 socket.
    ("::", "127.0.0.7"),
]
"""
The address that a server listens on, and the one that a client sends to.
"""

PATIENCE = 10.0
"""
How long to wait for a datagram that should be there at once, in seconds.
"""

SYSTEMS = (30, 32, 64, 128, 255)
"""
The TTL that systems send questions with.
"""

HOPS = 30


def udp(host: str) -> socket.socket:
    """
    @return: A socket that is bound to a free port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    skt = socket.socket(family, socket.SOCK_DGRAM)
    skt.bind((host, 0))
    return skt


class TTLTests(SynchronousTestCase):
    """
    The treatment of a datagram depends on the TTL (IPv6: hop limit) with which it arrives.
    """

    if not LINUX:
        skip = "needs Linux"

    def batches(self) -> UDPEchoProtocol:
        """
        @return: A server that may return datagrams in batches.
        """
        return UDPEchoProtocol(clock())

    def oneByOne(self) -> UDPEchoProtocol:
        """
        @return: A server that needs each datagram.
        """
        return UDPEchoProtocol(clock(), sources=SourceStatistics())

    def impaired(self) -> UDPEchoProtocol:
        """
        @return: A server that damages each datagram.
        """
        return ImpairedUDPEchoProtocol(clock(), impairments=DatagramImpairments(corrupt=1.0))

    def listen(self, protocol: UDPEchoProtocol, host: str) -> Any:
        """
        @return: A port of a new socket.
        """
        reactor: Any = MemoryReactorClock()
        endpoint = UDPServerEndpoint(reactor, 0, host)
        port: Any = self.successResultOf(endpoint.listen(protocol))
        self.addCleanup(port.connectionLost)
        return port

    def adopt(self, protocol: UDPEchoProtocol, host: str) -> Any:
        """
        @return: A port of an inherited socket.
        """
        reactor: Any = MemoryReactorClock()
        with udp(host) as skt:
            port = adoptDatagrams(reactor, skt.fileno(), skt.family, protocol)
        self.addCleanup(port.connectionLost)
        return port

    def client(self, port: Any, host: str) -> socket.socket:
        """
        @return: A socket that is connected to a server.
        """
        client = udp(host)
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        client.connect((host, port.getHost().port))
        return client

    def served(self, port: Any, client: socket.socket, ttls: Any) -> list[int]:
        """
        Send one datagram with each TTL.

        @return: The TTLs of those that were answered.
        """
        level, option = (
            (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS)
            if client.family == socket.AF_INET6
            else (socket.IPPROTO_IP, socket.IP_TTL)
        )
        answered = []
        for ttl in ttls:
            client.setsockopt(level, option, ttl)
            client.send(b"x")
            before = port.protocol.answered
            port.doRead()
            if port.protocol.answered > before:
                self.assertEqual(len(client.recv(10)), 1)
                answered.append(ttl)
        return answered

    def test_rule(self) -> None:
        """
        A datagram that arrives with a TTL from 193 to 224 is refused and counted, all
        others are answered: with each address, for each way of reading, on new and on
        inherited sockets, the first datagram of a source and later ones.
        """
        refused = range(193, 225)
        expected = [ttl for ttl in range(1, 256) if ttl not in refused] * 2
        for server, address in LOCALHOSTS:
            for make in (self.batches, self.oneByOne, self.impaired):
                for listen in (self.listen, self.adopt):
                    port = listen(make(), server)
                    client = self.client(port, address)
                    answered = self.served(port, client, [*range(1, 256)] * 2)
                    self.assertEqual(answered, expected, (server, address, make, listen))
                    self.assertEqual(port.protocol.refusals.counts, {ANSWER: 2 * len(refused)})

    def test_systems(self) -> None:
        """
        Over 30 hops no question of any system arrives as an answer, and every answer does.
        """
        port = self.listen(self.batches(), "127.0.0.1")
        client = self.client(port, "127.0.0.1")
        questions = [ttl - hops for ttl in SYSTEMS for hops in range(HOPS + 1) if ttl > hops]
        self.assertEqual(self.served(port, client, questions), questions)
        answers = [ANSWER_TTL - hops for hops in range(HOPS + 1)]
        self.assertEqual(self.served(port, client, answers), [])

    def test_answerIsNoQuestion(self) -> None:
        """
        The answer of one echod is refused by another one on a different port.
        """
        for server, address in LOCALHOSTS:
            for make in (self.batches, self.oneByOne):
                first, second = (self.listen(make(), server) for _ in range(2))
                client = self.client(first, address)
                client.send(b"x")
                # As if the second server had sent it.
                first.doRead()
                client.recv(10)
                to = "::ffff:" + address if server == "::" and "." in address else address
                first.socket.sendto(b"x", (to, second.getHost().port))
                second.doRead()
                self.assertEqual(second.protocol.refusals.counts, {ANSWER: 1})

    def test_earlierDatagrams(self) -> None:
        """
        A datagram that arrived before the server adopted the socket is answered from the
        address to which it was sent.
        """
        for server, address in LOCALHOSTS:
            for make in (self.batches, self.oneByOne):
                with udp(server) as skt:
                    client = udp(address)
                    self.addCleanup(client.close)
                    client.settimeout(PATIENCE)
                    client.connect((address, skt.getsockname()[1]))
                    client.send(b"early")
                    reactor: Any = MemoryReactorClock()
                    port = adoptDatagrams(reactor, os.dup(skt.fileno()), skt.family, make())
                self.addCleanup(port.connectionLost)
                port.doRead()
                self.assertEqual(client.recv(10), b"early")
