"""
Options and control messages of a UDP socket on Linux: timestamps, ICMP errors and the
path MTU.
"""

from __future__ import annotations

import socket
import struct
import sys

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

DO_NOT_FRAGMENT = {
    socket.AF_INET: (socket.IPPROTO_IP, 10, 2),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23, 2),
}
"""
C{IP_MTU_DISCOVER} and C{IPV6_MTU_DISCOVER} with C{PMTUDISC_DO}, by address family:
neither a router nor this machine may fragment a datagram.
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

_EXTENDED_ERROR = struct.Struct("@IB")
"""
The first fields of C{struct sock_extended_err}: errno and origin.
"""

Control = list[tuple[int, int, bytes]]


def timeOfArrival(control: Control) -> int | None:
    """
    @return: The time at which the kernel received a datagram, in nanoseconds of the time
        of day; L{None} if the kernel does not report it.
    """
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def remoteError(control: Control) -> int | None:
    """
    @return: The number of an error that came back from the network; L{None} if there is
        none.
    """
    for level, kind, data in control:
        if (level, kind) in RECEIVE_ERRORS.values():
            number, origin = _EXTENDED_ERROR.unpack_from(data)
            return None if origin == LOCAL_ORIGIN else int(number)
    return None
