"""
Options and control messages of a UDP socket on Linux: timestamps, ICMP errors and the
path MTU.
"""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from echod.net.sockets import MAX_DATAGRAM

LINUX = sys.platform == "linux"
"""
True where the kernel reports when it received a datagram, and to which sent datagram an
error belongs.
"""

SO_TIMESTAMPNS = 35
"""
Python does not name it.  The value is that of Linux (asm-generic/socket.h).
"""

RECEIVE_ERRORS = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
"""
C{IP_RECVERR} and C{IPV6_RECVERR}: queue all errors, not only the fatal ones, each with
the datagram that it belongs to.
"""

PATH_MTU_DISCOVERY = {
    socket.AF_INET: (socket.IPPROTO_IP, 10),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23),
}
"""
C{IP_MTU_DISCOVER} and C{IPV6_MTU_DISCOVER}: which datagrams may be fragmented.
"""

NO_FRAGMENTS = 2
"""
C{PMTUDISC_DO}: neither a router nor this machine may fragment a datagram.  One that is
larger than the path MTU that the kernel knows is not sent.
"""

PROBE_PATH = 3
"""
C{PMTUDISC_PROBE}: the same, but only the MTU of the network interface is a limit.
"""

HEADERS = {socket.AF_INET: 20 + 8, socket.AF_INET6: 40 + 8}
"""
The size of the IP header and the UDP header, in bytes.
"""

PATH_MTU = {
    socket.AF_INET: (socket.IPPROTO_IP, 14),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 24),
}
"""
C{IP_MTU} and C{IPV6_MTU}: the path MTU that the kernel knows.
"""

CONTROL_SPACE = 256
"""
The room for control messages, in bytes: a timestamp, an error and the address of the
host that reports it.
"""

LOCAL_ORIGIN = 1
"""
C{SO_EE_ORIGIN_LOCAL}: the error did not come back from the network; C{send} has already
raised it.
"""

_TIMESPEC = struct.Struct("@ll")

_EXTENDED_ERROR = struct.Struct("@IBBB9x")
"""
C{struct sock_extended_err}: errno, origin, ICMP type and code, and fields not used here.
The address of the host that sent the ICMP error follows.
"""

REASONS: dict[tuple[int, int, int], str] = {
    (socket.AF_INET, 3, 0): "network unreachable",
    (socket.AF_INET, 3, 1): "host unreachable",
    (socket.AF_INET, 3, 2): "protocol unreachable",
    (socket.AF_INET, 3, 3): "port unreachable",
    (socket.AF_INET, 3, 4): "fragmentation needed",
    (socket.AF_INET, 3, 9): "network prohibited",
    (socket.AF_INET, 3, 10): "host prohibited",
    (socket.AF_INET, 3, 13): "communication prohibited",
    (socket.AF_INET, 11, 0): "time to live exceeded",
    (socket.AF_INET6, 1, 0): "no route",
    (socket.AF_INET6, 1, 1): "communication prohibited",
    (socket.AF_INET6, 1, 3): "address unreachable",
    (socket.AF_INET6, 1, 4): "port unreachable",
    (socket.AF_INET6, 2, 0): "packet too big",
    (socket.AF_INET6, 3, 0): "hop limit exceeded",
}
"""
The meanings of ICMP types and codes (RFC 792, 1812, 4443).
"""

_ADDRESSES: dict[int, slice] = {socket.AF_INET: slice(4, 8), socket.AF_INET6: slice(8, 24)}
"""
Where the IP address is within a C{sockaddr}, by its family.
"""

HEADER_FIELDS = {
    socket.AF_INET: ((socket.IPPROTO_IP, 12), (socket.IPPROTO_IP, 13)),
    socket.AF_INET6: ((socket.IPPROTO_IPV6, 51), (socket.IPPROTO_IPV6, 66)),
}
"""
C{IP_RECVTTL} and C{IP_RECVTOS}, C{IPV6_RECVHOPLIMIT} and C{IPV6_RECVTCLASS}: report these
fields of the IP header of each datagram.
"""

_TTL = {(socket.IPPROTO_IP, 2), (socket.IPPROTO_IPV6, 52)}
_TOS = {(socket.IPPROTO_IP, 1), (socket.IPPROTO_IPV6, 67)}

Control = list[tuple[int, int, bytes]]


class Source(tuple[str, int]):
    """
    The address that a datagram came from.

    @ivar arrived: When the kernel received the datagram, in nanoseconds of the time of
        day; L{None} if the kernel does not report it.

    @ivar ttl: The time to live (hop limit) on arrival; L{None} likewise.

    @ivar tos: The type of service (traffic class) on arrival; L{None} likewise.
    """

    arrived: int | None = None
    ttl: int | None = None
    tos: int | None = None


UNKNOWN = Source()


def sourceOf(address: tuple[Any, ...], control: Control) -> Source:
    """
    @return: The source of a datagram, by its address and its control messages.
    """
    source = Source(address[:2])
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            source.arrived = seconds * 1_000_000_000 + nanoseconds
        elif (level, kind) in _TTL:
            source.ttl = int.from_bytes(data, sys.byteorder)
        elif (level, kind) in _TOS:
            source.tos = int.from_bytes(data, sys.byteorder)
    return source


def queuedErrors(skt: socket.socket) -> Iterator[tuple[OSError, bytes]]:
    """
    Take the errors out of the kernel's queue, each with the datagram that it belongs to.
    """
    while True:
        try:
            datagram, control, _, _ = skt.recvmsg(
                MAX_DATAGRAM, CONTROL_SPACE, socket.MSG_ERRQUEUE
            )
        except OSError:
            return
        error = remoteError(control)
        if error is not None:
            yield error, datagram


def remoteError(control: Control) -> OSError | None:
    """
    @return: An error that came back from the network, with its reason and the host that
        sent it; L{None} if there is none.
    """
    for level, kind, data in control:
        if (level, kind) in RECEIVE_ERRORS.values():
            number, origin, icmpType, code = _EXTENDED_ERROR.unpack_from(data)
            if origin == LOCAL_ORIGIN:
                return None
            text = os.strerror(number)
            sender = data[_EXTENDED_ERROR.size :]
            family = int.from_bytes(sender[:2], sys.byteorder)
            if family in _ADDRESSES:
                reason = REASONS.get((family, icmpType, code), f"ICMP {icmpType}/{code}")
                text = f"{reason}, says {ip_address(sender[_ADDRESSES[family]])}"
            return OSError(number, text)
    return None
