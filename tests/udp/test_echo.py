"""
Tests for L{echod.udp.echo}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.udp import echo as udp
from echod.udp.batch import BatchPort
from echod.udp.echo import SEND_BUFFER_FULL, SEND_ERROR, UDPEchoProtocol, UDPServerEndpoint
from echod.udp.guard import OWN_PORT, RESERVED_PORT, TO_GROUP, DatagramGuard
from echod.udp.pktinfo import PacketInfoPort, SourceAddress
from tests.support import FakeSocket, clock, logged


class MemoryDatagramTransport:
    """
    A UDP transport in memory.

    @ivar error: What goes wrong on sending.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.error: Exception | None = None

    def write(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Record a datagram.
        """
        if self.error is not None:
            raise self.error
        self.sent.append((datagram, addr))

    def getHost(self) -> IPv4Address:
        """
        @return: Where this transport claims to listen.
        """
        return IPv4Address("UDP", "127.0.0.1", 8080)


class UDPEchoTests(SynchronousTestCase):
    """
    Tests for L{UDPEchoProtocol}.
    """

    peer = ("192.0.2.1", 40000)

    def start(self, protocol: UDPEchoProtocol) -> MemoryDatagramTransport:
        """
        @return: A new transport, with a protocol listening on it.
        """
        transport: Any = MemoryDatagramTransport()
        protocol.makeConnection(transport)
        return transport  # type: ignore[no-any-return]

    def setUp(self) -> None:
        self.protocol = UDPEchoProtocol(clock())
        self.transport = self.start(self.protocol)

    def test_echo(self) -> None:
        """
        Every datagram is returned once, to where it came from, an empty one as
        well.
        """
        for datagram in (b"hello", b"", b"\0" * 65507):
            self.protocol.datagramReceived(datagram, self.peer)
            self.assertEqual(self.transport.sent.pop(), (datagram, self.peer))
            self.assertEqual(self.transport.sent, [])
        self.assertEqual(self.protocol.answered, 3)
        self.assertEqual((self.protocol.received, self.protocol.returned), (65512, 65512))

    def test_refusals(self) -> None:
        """
        What is not answered is counted by reason.
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

    def test_sharedGuard(self) -> None:
        """
        Servers that share a guard do not answer each other, for as long as they
        listen.
        """
        guard = DatagramGuard()
        servers = [UDPEchoProtocol(clock(), guard) for _ in range(2)]
        for server in servers:
            self.start(server)
        self.assertEqual(guard.refusal("192.0.2.1", 8080), OWN_PORT)
        servers[0].stopProtocol()
        self.assertEqual(guard.refusal("192.0.2.1", 8080), OWN_PORT)
        servers[1].stopProtocol()
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

    def test_messages(self) -> None:
        """
        What peers send is logged where that is asked for, escaped.
        """
        protocol = UDPEchoProtocol(clock(), showMessages=True)
        self.start(protocol)
        with logged() as lines:
            protocol.datagramReceived(b"hello\n", self.peer)
        self.assertEqual(lines, [r"UDP echo: from 192.0.2.1:40000: hello\n"])

    def test_logPrefix(self) -> None:
        """
        Twisted's own messages call the protocol by the name of its service.
        """
        self.assertEqual(self.protocol.logPrefix(), "UDP echo")


class UDPReactor(MemoryReactorClock):
    """
    A reactor in memory that takes note of C{listenUDP}.
    """

    def listenUDP(self, *arguments: object) -> object:
        """
        Take note.
        """
        self.listened = arguments
        return "port"


class UDPServerEndpointTests(SynchronousTestCase):
    """
    Tests for L{UDPServerEndpoint}.
    """

    def listen(
        self, packetInfo: bool, protocol: DatagramProtocol | None = None
    ) -> tuple[UDPReactor, DatagramProtocol, IListeningPort]:
        """
        Listen, on a platform with or without packet information.
        """
        self.patch(udp, "PACKET_INFO", packetInfo)
        self.patch(PacketInfoPort, "createInternetSocket", lambda port: FakeSocket())
        reactor: Any = UDPReactor()
        protocol = protocol or UDPEchoProtocol(clock())
        endpoint = UDPServerEndpoint(reactor, 8080, "127.0.0.1")
        return reactor, protocol, self.successResultOf(endpoint.listen(protocol))

    def test_packetInfo(self) -> None:
        """
        On Linux the port is one that answers from the address asked.
        """
        reactor, protocol, port = self.listen(True)
        assert isinstance(port, BatchPort)
        self.assertIs(port.protocol, protocol)
        self.assertEqual(port.socket.getsockname(), ("127.0.0.1", 8080))
        self.assertEqual(port.maxPacketSize, 65535)
        self.assertIn(port, reactor.readers)

    def test_seen(self) -> None:
        """
        Where each datagram is to be seen, also by a subclass, they come one by
        one.
        """

        class Seeing(UDPEchoProtocol):
            def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
                super().datagramReceived(datagram, addr)

        for protocol in (
            UDPEchoProtocol(clock(), showMessages=True),
            Seeing(clock()),
            DatagramProtocol(),
        ):
            _, _, port = self.listen(True, protocol)
            self.assertIs(type(port), PacketInfoPort)

    def test_plain(self) -> None:
        """
        Elsewhere it is Twisted's, with room for the largest datagram.
        """
        reactor, protocol, port = self.listen(False)
        self.assertEqual(port, "port")
        self.assertEqual(reactor.listened, (8080, protocol, "127.0.0.1", 65535))
