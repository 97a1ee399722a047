"""
Tests for L{echod.udp.pktinfo}.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Any

from twisted.internet.protocol import DatagramProtocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.udp.echo import UDPEchoProtocol
from echod.udp.options import LINUX
from echod.udp.pktinfo import DATAGRAMS_A_TURN, IPV6_HOPLIMIT, PacketInfoPort, SourceAddress
from tests.support.udp import MemorySocketPort, info4, info6


class Recorder(DatagramProtocol):
    """
    Records the datagrams that arrive, and fails on C{fail}.
    """

    def __init__(self) -> None:
        self.arrived: list[tuple[bytes, SourceAddress]] = []

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Record a datagram.
        """
        self.arrived.append((datagram, addr))
        if datagram == b"fail":
            raise RuntimeError(datagram)


class Port(PacketInfoPort, MemorySocketPort):
    """
    The port, on a socket in memory.
    """


class PacketInfoPortTests(SynchronousTestCase):
    """
    Tests for L{PacketInfoPort}.
    """

    if not LINUX:
        skip = "needs Linux"

    client4 = ("192.0.2.1", 40000)

    def listen(self, interface: str = "") -> None:
        """
        Listen on a fake socket.
        """
        self.protocol = Recorder()
        reactor: Any = MemoryReactorClock()
        self.port = Port(8080, self.protocol, interface, 65535, reactor)
        self.port.startListening()
        self.socket: Any = self.port.socket

    def receive(self, sockaddr: Any, *control: tuple[int, int, bytes]) -> SourceAddress:
        """
        Receive a datagram, and answer it.

        @return: Its source.
        """
        self.socket.queue.append((b"data", list(control), 0, sockaddr))
        self.port.doRead()
        datagram, source = self.protocol.arrived.pop()
        self.assertEqual(source, sockaddr[:2])
        self.assertIs(source.transport, self.port)
        self.port.write(datagram, source)
        return source

    def test_answer(self) -> None:
        """
        An answer leaves from the address to which the datagram was sent; the routing table
        chooses the interface, except for a link-local address.  Without a known control
        message, the system chooses the address.
        """
        client, neighbour = ("2001:db8::1", 40000, 0, 0), ("fe80::1", 40000, 0, 3)
        own = info4(0, "127.0.0.7", "127.0.0.7")
        for sockaddr, message, answer in (
            (self.client4, info4(3, "127.0.0.7", "127.0.0.7"), [own]),
            # The datagram arrived before the destination was asked for.
            (self.client4, info4(0, "0.0.0.0", "127.0.0.7"), [own]),
            (client, info6("2001:db8::9", 3), [info6("2001:db8::9", 0)]),
            (neighbour, info6("fe80::9", 3), [info6("fe80::9", 3)]),
            (self.client4, (socket.SOL_SOCKET, 1, b""), []),
        ):
            self.listen("::" if len(sockaddr) == 4 else "")
            self.assertFalse(self.receive(sockaddr, message).toGroup)
            self.assertEqual(self.socket.sent, [([b"data"], answer, 0, sockaddr)])

    def test_group(self) -> None:
        """
        A datagram was sent to a group if its destination is a multicast address, or an IPv4
        address that this machine does not have.
        """
        neighbour = ("fe80::1", 40000, 0, 3)
        for interface, sockaddr, message in (
            ("", self.client4, info4(3, "192.0.2.9", "192.0.2.255")),
            ("::", neighbour, info6("ff02::1", 3)),
            ("::", neighbour, info6("::ffff:224.0.0.1", 3)),
        ):
            self.listen(interface)
            self.assertTrue(self.receive(sockaddr, message).toGroup)

    def test_ttl(self) -> None:
        """
        The TTL or the hop limit of a datagram is known, if the system tells it.  It is
        not sent with the answer.
        """
        for interface, message, ttl in (
            ("", (socket.IPPROTO_IP, socket.IP_TTL, struct.pack("@i", 57)), [57]),
            ("::", (socket.IPPROTO_IPV6, IPV6_HOPLIMIT, struct.pack("@i", 255)), [255]),
            # Other systems send one byte.
            ("", (socket.IPPROTO_IP, socket.IP_TTL, b"@"), [64]),
            ("", (socket.SOL_SOCKET, socket.IP_TTL, b"@"), [0]),
        ):
            self.listen(interface)
            self.assertEqual([self.receive(self.client4, message).ttl], ttl)
            self.assertEqual(self.socket.sent, [([b"data"], [], 0, self.client4)])

    def test_bothVersions(self) -> None:
        """
        An IPv6 socket is set to serve IPv4 as well.
        """
        self.listen("::")
        self.assertEqual(self.socket.options, {(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY): 0})
        self.listen()
        self.assertEqual(self.socket.options, {})

    def test_errors(self) -> None:
        """
        An error of the socket or of the protocol costs at most one datagram.
        """
        self.listen()
        self.socket.queue += [
            OSError(errno.ECONNREFUSED, "an earlier answer was refused"),
            (b"fail", [], 0, self.client4),
            (b"data", [], 0, self.client4),
        ]
        self.port.doRead()
        self.port.doRead()
        self.assertEqual(
            [datagram for datagram, _ in self.protocol.arrived], [b"fail", b"data"]
        )
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_turn(self) -> None:
        """
        The number of datagrams that are read in one turn of the reactor is limited.
        """
        self.listen()
        self.socket.queue += [(b"", [], 0, self.client4)] * (DATAGRAMS_A_TURN + 1)
        self.port.doRead()
        self.assertEqual(len(self.socket.queue), 1)

    def test_severalSockets(self) -> None:
        """
        Each socket of a server answers the datagrams that arrive there.
        """
        reactor: Any = MemoryReactorClock()
        protocol = UDPEchoProtocol(reactor)
        sockets: list[Any] = []
        for host in ("127.0.0.1", "::1"):
            port = Port(8080, protocol, host, 65535, reactor)
            port.startListening()
            sockets.append(port.socket)
        client = ("::1", 40000, 0, 0)
        sockets[1].queue.append((b"data", [], 0, client))
        port.doRead()
        self.assertEqual([skt.sent for skt in sockets], [[], [([b"data"], [], 0, client)]])

    def test_plainAddress(self) -> None:
        """
        A datagram to a plain address is sent as by any other UDP port.
        """
        self.listen()
        self.port.write(b"data", self.client4)
        self.assertEqual(self.socket.sent, [(b"data", self.client4)])
