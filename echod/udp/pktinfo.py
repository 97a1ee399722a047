"""
A UDP port that answers from the address which was asked.

A server on a wildcard address, with many addresses, does not learn from
C{recvfrom} which of them a datagram was sent to, and C{sendto} leaves it to the
routing table from which the answer comes.  A client that has connected its
socket then never sees the answer.  RFC 1122, 4.1.3.5 asks for the other way;
C{IP_PKTINFO} and C{IPV6_PKTINFO} (RFC 3542) make it possible.
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
Whether this platform is one where this module does what it says.
"""

IP_PKTINFO = getattr(socket, "IP_PKTINFO", 8)
"""
Python names it since 3.12; the value is that of Linux.
"""

DATAGRAMS_A_TURN = 64
"""
How many datagrams are read before the rest of the reactor has its turn.
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
    Where a datagram came from: a host and a port, as everywhere in Twisted, and
    with them all it takes to answer.

    @ivar sockaddr: The address as the socket has it, IPv6 scope included.

    @ivar control: The control messages that make the answer leave from where
        the datagram was sent to.

    @ivar toGroup: Whether it was sent to a broadcast or multicast address.
    """

    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    control: Control
    toGroup: bool


def answering(control: Control) -> tuple[Control, bool]:
    """
    Turn the control messages of a datagram into those of its answer.  Which
    interface it leaves by is left to the routing table, as it may differ from
    the one by which the datagram came; only a link-local address means nothing
    without its interface.

    @return: The control messages, and whether the datagram was sent to a group.
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
            # IPv4 on a socket for both is seen as ::ffff:a.b.c.d.
            return [(level, kind, answer)], (address.ipv4_mapped or address).is_multicast
    return [], False


def askForDestination(skt: socket.socket, family: socket.AddressFamily) -> None:
    """
    Have the system say of each datagram where it was sent to.
    """
    if family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        skt.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)


class PacketInfoPort(udp.Port):
    """
    A UDP port that knows which address each datagram was sent to.
    """

    def createInternetSocket(self) -> socket.socket:
        """
        Create the socket, and ask for the destination of each datagram.  A socket
        that has one address only need not ask, and an answer is cheaper so.
        """
        skt: socket.socket = super().createInternetSocket()
        if not self.interface or ip_address(self.interface).is_unspecified:
            askForDestination(skt, self.addressFamily)
        return skt

    def doRead(self) -> None:
        """
        Hand on the datagrams that have come, each with its L{SourceAddress}.
        """
        for _ in range(DATAGRAMS_A_TURN):
            try:
                datagram, control, _flags, sockaddr = self.socket.recvmsg(
                    self.maxPacketSize, _CONTROL_SPACE
                )
            except OSError:
                # Nothing is left; or the system reports here that an earlier
                # answer did not arrive, which is no reason to stop either.
                return
            source = SourceAddress(sockaddr[:2])
            source.sockaddr = sockaddr
            source.control, source.toGroup = answering(control)
            try:
                self.protocol.datagramReceived(datagram, source)
            except Exception:
                # Let out, it would end the listening.
                _log.failure("{protocol!r} failed on a datagram", protocol=self.protocol)

    def write(self, datagram: bytes, addr: tuple[str, int] | None = None) -> None:
        """
        Send a datagram: as an answer, if it goes to a L{SourceAddress}.

        @raise OSError: if it cannot be sent.
        """
        if isinstance(addr, SourceAddress):
            self.socket.sendmsg([datagram], addr.control, 0, addr.sockaddr)
        else:
            super().write(datagram, addr)
