"""
A UDP port that answers from the address to which the datagram was sent.

On a wildcard address C{recvfrom} does not tell this address, and C{sendto} lets the
routing table choose the source address of the answer.  A client with a connected
socket then never receives the answer.  RFC 1122, 4.1.3.5 requires the right source
address; C{IP_PKTINFO} and C{IPV6_PKTINFO} (RFC 3542) make it possible.
"""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import IPv6Address, ip_address

from twisted.internet import udp
from twisted.logger import Logger

_log = Logger(namespace="echod.udp")

PACKET_INFO = sys.platform == "linux"
"""
True on the platforms where this module works.
"""

IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
"""
Python has the name since 3.12; the number is that of Linux.
"""

DATAGRAMS_A_TURN = 64
"""
How many datagrams a port reads before the reactor serves others.
"""

_IN_PKTINFO = struct.Struct("@i4s4s")
"""
C{struct in_pktinfo}: interface, local address, destination address.
"""

_IN6_PKTINFO = struct.Struct("@16sI")
"""
C{struct in6_pktinfo}: destination address, interface.
"""

PACKET_INFOS = {socket.AF_INET: _IN_PKTINFO, socket.AF_INET6: _IN6_PKTINFO}

_CONTROL_SPACE = socket.CMSG_SPACE(_IN_PKTINFO.size) + socket.CMSG_SPACE(_IN6_PKTINFO.size)

Control = list[tuple[int, int, bytes]]


class SourceAddress(tuple[str, int]):
    """
    The source of a datagram: a host and a port, as everywhere in Twisted, with what
    an answer needs.

    @ivar sockaddr: The address as the socket has it, IPv6 scope included.

    @ivar control: The control messages of the answer: they set its source address.

    @ivar toGroup: True if the datagram was sent to a broadcast or multicast address.
    """

    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    control: Control
    toGroup: bool


def answerControl(control: Control) -> tuple[Control, bool]:
    """
    Turn the control messages of a datagram into those of its answer.  The routing table
    chooses the interface of the answer, which may differ from that of the datagram; but
    a link-local address needs its interface.

    @return: The control messages, and L{True} if the datagram was sent to a group.
    """
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, local, destination = _IN_PKTINFO.unpack(data)
            return [
                (level, kind, _IN_PKTINFO.pack(0, local, destination))
            ], local != destination
        if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            local, interface = _IN6_PKTINFO.unpack(data)
            address = IPv6Address(local)
            if not address.is_link_local:
                interface = 0
            answer = _IN6_PKTINFO.pack(local, interface)
            # A dual-stack socket shows IPv4 as ::ffff:a.b.c.d.
            return [(level, kind, answer)], (address.ipv4_mapped or address).is_multicast
    return [], False


def askForDestination(skt: socket.socket, family: socket.AddressFamily) -> None:
    """
    Ask the system for the destination address of each datagram.
    """
    if family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        skt.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


class PacketInfoPort(udp.Port):
    """
    A UDP port that knows the destination address of each datagram.
    """

    def createInternetSocket(self) -> socket.socket:
        """
        Create the socket.  On a wildcard address, ask for the destination of each
        datagram; a socket with one address is faster without.
        """
        skt: socket.socket = super().createInternetSocket()
        if not self.interface or ip_address(self.interface).is_unspecified:
            askForDestination(skt, self.addressFamily)
        return skt

    def doRead(self) -> None:
        """
        Deliver the datagrams that have arrived, each with its L{SourceAddress}.
        """
        for _ in range(DATAGRAMS_A_TURN):
            try:
                datagram, control, _flags, sockaddr = self.socket.recvmsg(
                    self.maxPacketSize, _CONTROL_SPACE
                )
            except OSError:
                # The queue is empty; or an earlier answer did not arrive, and the
                # system reports this here.
                return
            source = SourceAddress(sockaddr[:2])
            source.sockaddr = sockaddr
            source.control, source.toGroup = answerControl(control)
            try:
                self.protocol.datagramReceived(datagram, source)
            except Exception:
                # If this escaped, the reactor would close the port.
                _log.failure("{protocol!r} failed on a datagram", protocol=self.protocol)

    def write(self, datagram: bytes, addr: tuple[str, int] | None = None) -> None:
        """
        Send a datagram; to a L{SourceAddress}, as an answer.

        @raise OSError: if it cannot be sent.
        """
        if isinstance(addr, SourceAddress):
            self.socket.sendmsg([datagram], addr.control, 0, addr.sockaddr)
        else:
            super().write(datagram, addr)
