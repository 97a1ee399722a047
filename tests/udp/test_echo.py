"""
Tests for L{echod.udp.echo}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import MessageLengthError
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.ratelimit import RateLimit
from echod.net.statistics import Traffic
from echod.udp.echo import SEND_BUFFER_FULL, SEND_ERROR, UDPEchoProtocol
from echod.udp.guard import OVER_RATE, OWN_PORT, RESERVED_PORT, TO_GROUP, DatagramGuard
from echod.udp.pktinfo import PacketInfoPort, SourceAddress, sourceAddress
from echod.udp.sourcestatistics import SourceStatistics
from tests.support import FakeSocket, clock, logged
from tests.support.udp import MemoryDatagramTransport, info6, listening


class UDPEchoTests(SynchronousTestCase):
    """
    Tests for L{UDPEchoProtocol}.
    """

    peer = ("192.0.2.1", 40000)

    def setUp(self) -> None:
        self.protocol = UDPEchoProtocol(clock())
        self.transport = listening(self.protocol)

    def test_echo(self) -> None:
        """
        Every datagram, also an empty one, is returned once to its source.
        """
        for datagram in (b"hello", b"", b"\0" * 65507):
            self.protocol.datagramReceived(datagram, self.peer)
            self.assertEqual(self.transport.sent.pop(), (datagram, self.peer))
            self.assertEqual(self.transport.sent, [])
        self.assertEqual(self.protocol.answered, 3)
        self.assertEqual((self.protocol.received, self.protocol.returned), (65512, 65512))

    def test_refusals(self) -> None:
        """
        Refused datagrams are counted by reason.
        """
        toGroup = SourceAddress(self.peer)
        toGroup.toGroup = True
        for addr in (("192.0.2.1", 7), ("192.0.2.1", 8080), ("192.0.2.1", 7), toGroup):
            self.protocol.datagramReceived(b"x", addr)
        self.assertEqual(self.transport.sent, [])
        self.assertEqual(
            self.protocol.refusals.counts, {RESERVED_PORT: 2, OWN_PORT: 1, TO_GROUP: 1}
        )
        self.assertEqual((self.protocol.received, self.protocol.returned), (4, 0))
        self.assertEqual(self.protocol.answered, 0)

    def test_unmarkedBroadcast(self) -> None:
        """
        If an answer cannot be sent because the datagram was sent to a broadcast address, which
        an IPv6 socket does not tell, it counts as sent to a group.
        """
        for destination, reason in (
            ("::ffff:127.255.255.255", TO_GROUP),
            ("::ffff:127.0.0.1", SEND_ERROR),
            ("2001:db8::1", SEND_ERROR),
        ):
            source = sourceAddress(("::ffff:192.0.2.1", 40000, 0, 0), [info6(destination, 0)])
            before = self.protocol.refusals.counts[reason]
            self.protocol.sendFailed(OSError(errno.EINVAL, "no such address"), source, 1)
            self.assertEqual(self.protocol.refusals.counts[reason], before + 1, destination)

    def test_rate(self) -> None:
        """
        The rate of a source is measured with the reactor's clock.
        """
        reactor = clock()
        protocol = UDPEchoProtocol(reactor, DatagramGuard(rate=RateLimit(1)))
        listening(protocol)
        for _ in range(2):
            protocol.datagramReceived(b"x", self.peer)
            protocol.datagramReceived(b"x", self.peer)
            reactor.advance(1)
        self.assertEqual((protocol.answered, protocol.refusals.counts), (2, {OVER_RATE: 2}))

    def test_severalSockets(self) -> None:
        """
        A server may have several sockets: each answers what it has received, and all
        are counted together.
        """
        second: Any = MemoryDatagramTransport()
        self.protocol.makeConnection(second)
        second.protocol.datagramReceived(b"second", self.peer)
        self.protocol.datagramReceived(b"first", self.peer)
        self.assertEqual(self.transport.sent, [(b"first", self.peer)])
        self.assertEqual(second.sent, [(b"second", self.peer)])
        self.assertEqual((self.protocol.answered, second.protocol.answered), (2, 2))

    def test_addressNamesTransport(self) -> None:
        """
        A datagram whose address names its transport is answered from there.
        """

        class Second(PacketInfoPort):
            def getHost(self) -> IPv4Address:
                return IPv4Address("UDP", "127.0.1.1", 8080)

            def getHandle(self) -> Any:
                skt = FakeSocket()
                skt.bind(("127.0.1.1", 8080))
                return skt

        second = Second(0, self.protocol)
        self.protocol.makeConnection(second)
        self.assertIs(second.protocol, self.protocol)
        source = SourceAddress(self.peer)
        transport: Any = MemoryDatagramTransport()
        source.transport = transport
        self.protocol.datagramReceived(b"x", source)
        self.assertEqual(transport.sent, [(b"x", self.peer)])
        self.assertEqual(self.transport.sent, [])

    def test_firstSocketStops(self) -> None:
        """
        When a free port is chosen again, the first one is given up: sockets are closed in
        the order in which they were opened.
        """

        class Other(MemoryDatagramTransport):
            def getHost(self) -> IPv4Address:
                return IPv4Address("UDP", "127.0.0.1", 8081)

        self.protocol.makeConnection(Other())
        self.protocol.doStop()
        guard = self.protocol.guard
        self.assertIsNone(guard.refusal("192.0.2.1", 8080))
        self.assertEqual(guard.refusal("192.0.2.1", 8081), OWN_PORT)

    def test_sharedGuard(self) -> None:
        """
        Servers with the same guard do not answer each other until the last of their sockets
        is closed.
        """
        guard = DatagramGuard()
        servers = [UDPEchoProtocol(clock(), guard) for _ in range(2)]
        for server in (servers[0], *servers):
            listening(server)
        for server in (servers[0], *servers):
            self.assertEqual(guard.refusal("192.0.2.1", 8080), OWN_PORT)
            server.doStop()
        self.assertIsNone(guard.refusal("192.0.2.1", 8080))

    def test_sendErrors(self) -> None:
        """
        An answer that cannot be sent is counted, and the next one is sent.
        """
        for error in (
            BlockingIOError(errno.EAGAIN, "full"),
            OSError(errno.ENETUNREACH, "no way there"),
            MessageLengthError(),
        ):
            self.transport.error = error
            self.protocol.datagramReceived(b"x", self.peer)
        self.transport.error = None
        self.protocol.datagramReceived(b"y", self.peer)
        self.assertEqual(self.protocol.refusals.counts, {SEND_BUFFER_FULL: 1, SEND_ERROR: 2})
        self.assertEqual(self.transport.sent, [(b"y", self.peer)])
        self.assertEqual((self.protocol.received, self.protocol.returned), (4, 1))

    def test_sources(self) -> None:
        """
        Datagrams are counted for each source, answered or not.
        """
        sources = SourceStatistics()
        protocol = UDPEchoProtocol(clock(), sources=sources)
        transport = listening(protocol)
        protocol.datagramReceived(b"one", self.peer)
        transport.error = BlockingIOError(errno.EAGAIN, "full")
        protocol.datagramReceived(b"three", self.peer)
        protocol.datagramReceived(b"x", ("192.0.2.1", 7))
        self.assertEqual(
            sources.take(),
            {"192.0.2.1:40000": Traffic(2, 1, 8, 3), "192.0.2.1:7": Traffic(1, 0, 1, 0)},
        )

    def test_messages(self) -> None:
        """
        With C{showMessages}, each datagram is logged, escaped.
        """
        protocol = UDPEchoProtocol(clock(), showMessages=True)
        listening(protocol)
        with logged() as lines:
            protocol.datagramReceived(b"hello\n", self.peer)
        self.assertEqual(lines, [r"UDP echo: from 192.0.2.1:40000: hello\n"])

    def test_drain(self) -> None:
        """
        A stop waits for nothing: there are no sessions.
        """
        self.assertIsNone(self.successResultOf(self.protocol.drain()))

    def test_logPrefix(self) -> None:
        """
        Twisted's own messages contain the name of the service.
        """
        self.assertEqual(self.protocol.logPrefix(), "UDP echo")
