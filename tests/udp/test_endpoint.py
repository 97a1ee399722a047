"""
Tests for L{echod.udp.endpoint}.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.impair.spec import DatagramImpairments
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.udp.batch import BatchPort
from echod.udp.echo import UDPEchoProtocol
from echod.udp.endpoint import UDPServerEndpoint, adoptDatagrams, portKind
from echod.udp.options import LINUX
from echod.udp.pktinfo import PacketInfoPort
from echod.udp.sourcestatistics import SourceStatistics
from tests.support import clock


class OtherReactor:
    """
    A reactor without C{IReactorFDSet}: it creates the port itself.
    """

    def listenUDP(self, *arguments: object) -> object:
        """
        @return: The arguments.
        """
        return arguments

    def adoptDatagramPort(self, *arguments: object) -> object:
        """
        @return: The arguments.
        """
        return arguments


class EndpointTests(SynchronousTestCase):
    """
    Tests for L{UDPServerEndpoint} and L{adoptDatagrams}.
    """

    def test_packetInfo(self) -> None:
        """
        On Linux the port answers from the address to which the datagram was sent.
        """
        reactor: Any = MemoryReactorClock()
        protocol = UDPEchoProtocol(clock())
        port: Any = self.successResultOf(
            UDPServerEndpoint(reactor, 0, "127.0.0.1").listen(protocol)
        )
        self.addCleanup(port.connectionLost)
        self.assertIs(type(port), BatchPort)
        self.assertIs(port.protocol, protocol)
        self.assertEqual(port.socket.getsockname()[0], "127.0.0.1")
        self.assertEqual(port.maxPacketSize, 65535)
        self.assertIn(port, reactor.readers)

    if not LINUX:
        test_packetInfo.skip = "needs Linux"  # type: ignore[attr-defined]

    def test_otherReactor(self) -> None:
        """
        A reactor that watches no descriptors creates the port, with room for the largest
        datagram.
        """
        reactor: Any = OtherReactor()
        protocol = UDPEchoProtocol(clock())
        port = self.successResultOf(UDPServerEndpoint(reactor, 8080, "::1").listen(protocol))
        self.assertEqual(port, (8080, protocol, "::1", 65535))

    def test_adoptWithOtherReactor(self) -> None:
        """
        This reactor also adopts a bound socket itself, after it was made non-blocking.
        """
        reactor: Any = OtherReactor()
        protocol = UDPEchoProtocol(clock())
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
            port = adoptDatagrams(reactor, skt.fileno(), socket.AF_INET, protocol)
            self.assertEqual(port, (skt.fileno(), socket.AF_INET, protocol, 65535))
            self.assertFalse(os.get_blocking(skt.fileno()))

    def test_group(self) -> None:
        """
        A server does not listen on the address of a group, on a new socket or on an
        inherited one: one line says why.
        """
        reactor: Any = OtherReactor()
        for host, kind in (
            ("255.255.255.255", "broadcast"),
            ("224.0.0.1", "multicast"),
            ("ff02::1", "multicast"),
        ):
            protocol = UDPEchoProtocol(clock())
            error = self.failureResultOf(
                UDPServerEndpoint(reactor, 8080, host).listen(protocol), CannotListenError
            ).value
            self.assertEqual((error.interface, error.port), (host, 8080))
            self.assertEqual(
                str(error.socketError),
                f"{host} is a {kind} address; listen on an address of this machine, or on all "
                "(0.0.0.0 or [::])",
            )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
            skt.bind(("224.0.0.1", 0))
            self.assertRaises(
                CannotListenError,
                *(adoptDatagrams, reactor, skt.fileno(), socket.AF_INET, protocol),
            )

    def test_mapped(self) -> None:
        """
        An IPv4 address that is written as an IPv6 address is the IPv4 address.
        """
        reactor: Any = OtherReactor()
        for interface, listenedOn in (
            ("::ffff:0.0.0.0", "0.0.0.0"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::", "::"),
            ("", ""),
        ):
            protocol = UDPEchoProtocol(clock())
            port = self.successResultOf(
                UDPServerEndpoint(reactor, 8080, interface).listen(protocol)
            )
            self.assertEqual(port, (8080, protocol, listenedOn, 65535))

    def test_portKind(self) -> None:
        """
        A port returns datagrams in batches only if the machine can, and if its protocol does
        not need each of them.
        """
        impairments = DatagramImpairments(drop=1)
        for protocol, kind in (
            (UDPEchoProtocol(clock()), BatchPort),
            (UDPEchoProtocol(clock(), showMessages=True), PacketInfoPort),
            (UDPEchoProtocol(clock(), sources=SourceStatistics()), PacketInfoPort),
            (ImpairedUDPEchoProtocol(clock(), impairments=impairments), PacketInfoPort),
            (DatagramProtocol(), PacketInfoPort),
        ):
            self.assertIs(portKind(protocol, batches=True), kind, protocol)
            self.assertIs(portKind(protocol, batches=False), PacketInfoPort)
