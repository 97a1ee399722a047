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
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any

from twisted.internet import udp
from twisted.internet.interfaces import IUDPTransport
from twisted.logger import Logger

from echod.udp.groups import groupKind
from echod.udp.options import IP_PKTINFO, serveIPv4

_log = Logger(namespace="echod.udp")

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

IPV6_HOPLIMIT = 52

TTL_MESSAGES = {(socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, IPV6_HOPLIMIT)}

CONTROL_SPACE = 256
"""
The room for control messages, in bytes.  Ours need 64; a socket that was inherited may
be set to receive others too.
"""

KNOWN_CONTROLS = 1024
"""
How many control messages are cached: more than local addresses and usual TTLs make.
"""

Control = list[tuple[int, int, bytes]]


class SourceAddress(tuple[str, int]):
    """
    The source of a datagram: a host and a port, as everywhere in Twisted, with the data that
    an answer needs.

    @ivar sockaddr: The address as the socket has it, IPv6 scope included.

    @ivar control: The control messages of the answer: they set its source address.

    @ivar toGroup: True if the datagram was sent to a broadcast or multicast address.

    @ivar ttl: The TTL (IPv6: hop limit) with which the datagram arrived; 0 if the system
        does not tell.

    @ivar transport: The port that received the datagram: it sends the answer.
    """

    sockaddr: tuple[str, int] | tuple[str, int, int, int]
    control: Control
    toGroup: bool = False
    ttl: int = 0
    transport: IUDPTransport

    @property
    def wasBroadcast(self) -> bool:
        """
        True if the datagram was sent to an address from which no answer can leave,
        because it is a broadcast address now.  To find out costs three system calls.
        """
        return any(
            groupKind(str(ip_address(data[-4:] if level == socket.IPPROTO_IP else data[:16])))
            for level, _, data in self.control
        )


def sourceAddress(
    sockaddr: tuple[str, int] | tuple[str, int, int, int], control: Control
) -> SourceAddress:
    """
    Read the address and the control messages of a datagram.
    """
    source = SourceAddress(sockaddr[:2])
    source.sockaddr = sockaddr
    source.control, source.toGroup, source.ttl = _read(*control)
    return source


@lru_cache(KNOWN_CONTROLS)
def _read(*control: tuple[int, int, bytes]) -> tuple[Control, bool, int]:
    """
    The routing table chooses the interface of the answer, which may differ from that of
    the datagram; but a link-local address needs its interface.

    @return: C{control}, C{toGroup} and C{ttl} of a L{SourceAddress}.
    """
    answer = []
    toGroup = False
    ttl = 0
    for level, kind, data in control:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            _, local, destination = _IN_PKTINFO.unpack(data)
            answer.append((level, kind, _IN_PKTINFO.pack(0, destination, destination)))
            # The local address is 0.0.0.0 if the datagram is older than the option.
            toGroup = local not in (destination, bytes(4))
        elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            packed, interface = _IN6_PKTINFO.unpack(data)
            address = IPv6Address(packed)
            if not address.is_link_local:
                interface = 0
            answer.append((level, kind, _IN6_PKTINFO.pack(packed, interface)))
            toGroup = (address.ipv4_mapped or address).is_multicast
        elif (level, kind) in TTL_MESSAGES:
            ttl = int.from_bytes(data, sys.byteorder)
    return answer, toGroup, ttl


class PacketInfoPort(udp.Port):
    """
    A UDP port that knows the destination address of each datagram.

    @ivar missing: The names of the options that the system lacks.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.missing: list[str] = []

    def createInternetSocket(self) -> socket.socket:
        """
        Create the socket.  On C{[::]} it serves IPv4 as well.
        """
        skt: socket.socket = super().createInternetSocket()
        if self.addressFamily == socket.AF_INET6:
            self.missing += serveIPv4(skt)
        return skt

    def doRead(self) -> None:
        """
        Deliver the datagrams that have arrived, each with its L{SourceAddress}.
        """
        for _ in range(DATAGRAMS_A_TURN):
            try:
                datagram, control, _flags, sockaddr = self.socket.recvmsg(
                    self.maxPacketSize, CONTROL_SPACE
                )
            except OSError:
                # The queue is empty; or an earlier answer did not arrive, and the
                # system reports this here.
                return
            source = sourceAddress(sockaddr, control)
            source.transport = self
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
