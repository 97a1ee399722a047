"""
Properties and options of sockets for which Twisted has no interface.
"""

from __future__ import annotations

import socket
import struct
import sys
from array import array
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import ISystemHandle, ITransport
from twisted.protocols.policies import ProtocolWrapper

try:
    from fcntl import ioctl
    from select import POLLIN, poll
    from termios import FIONREAD, TIOCOUTQ
except ImportError:  # pragma: no cover (Windows)
    ioctl = poll = None  # type: ignore[assignment,misc]

MAX_DATAGRAM = 65535
"""
The room for one received datagram, in bytes: more than any UDP datagram has, so none
is cut.
"""

SPREADS = sys.platform == "linux"
"""
Whether the system spreads connections and datagrams over all sockets that are bound to
one address with C{SO_REUSEPORT}, as Linux has done since version 3.9.  Other systems
give all of them to one socket.
"""

RECEIVE_BUFFER = 1 << 22
"""
How much a UDP socket asks the system to keep until it is read, in bytes.  Linux
makes that twice as much, of which a small datagram takes 832: ten thousand of
them, which are read in a thirtieth of a second.  By default it keeps 256 of them,
and loses those that arrive while echod serves others for a millisecond.
"""

_TCP_INFO = getattr(socket, "TCP_INFO", None) if sys.platform == "linux" else None
_BYTES_ACKED = struct.Struct("@120xQ")
"""
C{struct tcp_info} up to C{tcpi_bytes_acked} (RFC 4898, since Linux 4.1).
"""


def innermost(transport: ITransport | None) -> ITransport:
    """
    @return: The transport that carries another one: the connection below TLS.
    """
    while isinstance(transport, ProtocolWrapper):
        transport = transport.transport
    assert transport is not None
    return transport


def unread(transport: ITransport | None) -> int:
    """
    @return: How many bytes of the peer the protocol has not received yet; 0 if the system
        cannot tell.
    """
    handle = _socketOf(transport)
    if handle is None or ioctl is None:
        return 0
    # A reactor may have read bytes that it could not deliver yet.
    return _count(handle, FIONREAD) + getattr(innermost(transport), "undelivered", 0)


def acknowledged(transport: ITransport | None) -> int:
    """
    @return: How many bytes the peer's system has acknowledged.  For a UNIX socket: a
        number that grows when the peer reads.  0 if the system does not tell.
    """
    handle = _socketOf(transport)
    if _TCP_INFO is None or handle is None:
        return 0
    if handle.family == socket.AF_UNIX:
        return -unacknowledged(transport)
    info = handle.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _BYTES_ACKED.size)
    return int(_BYTES_ACKED.unpack(info)[0])


def unacknowledged(transport: ITransport | None) -> int:
    """
    @return: How many of the sent bytes the peer's system has not acknowledged; the end
        of the stream counts as one.  For a UNIX socket: positive if the peer has not read
        everything.  0 if the system does not tell.
    """
    handle = _socketOf(transport)
    if handle is None or sys.platform != "linux":
        return 0
    # Linux has one number for this and SIOCOUTQ, of tcp(7) and unix(7).
    return _count(handle, TIOCOUTQ)


def keepMore(skt: socket.socket) -> None:
    """
    Enlarge the receive buffer of a UDP socket to L{RECEIVE_BUFFER}, as far as the system
    allows: Linux gives less (C{net.core.rmem_max}), other systems refuse.
    """
    with suppress(OSError):
        if skt.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) < RECEIVE_BUFFER:
            skt.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)


def isReadable(port: Any) -> bool:
    """
    @return: True if a connection or a datagram waits at a port; L{False} if the system
        cannot tell.
    """
    if poll is None:
        return False
    waiting = poll()
    waiting.register(port.fileno(), POLLIN)
    return bool(waiting.poll(0))


def _count(handle: Any, request: int) -> int:
    number = array("i", [0])
    ioctl(handle.fileno(), request, number)
    return number[0]


def _socketOf(transport: ITransport | None) -> Any:
    transport = innermost(transport)
    return transport.getHandle() if ISystemHandle.providedBy(transport) else None
