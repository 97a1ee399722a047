"""
A UDP socket that is connected: it hears of ICMP errors, and when the kernel
took in each datagram.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from twisted.internet import udp

from echod.client.target import Address
from echod.net.sockets import MAX_DATAGRAM, keepMore
from echod.udp.pktinfo import Control

LINUX = sys.platform == "linux"
"""
Whether the kernel tells when a datagram came in, and which of those that went
out came to nothing.
"""

SO_TIMESTAMPNS = 35
"""
Python does not name it; the value is that of Linux (asm-generic/socket.h).
"""

_TIMESPEC = struct.Struct("@ll")

_EXTENDED_ERROR = struct.Struct("@IB")
"""
The number and the origin that C{struct sock_extended_err} starts with.
"""

_LOCAL = 1
"""
C{SO_EE_ORIGIN_LOCAL}: not what came back, but what a C{send} has said already.
"""

_CONTROL_SPACE = 256
"""
Room for a timestamp, an error, and who reports that, in bytes.
"""

RECEIVE_ERRORS = {
    socket.AF_INET: (socket.IPPROTO_IP, 11),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 25),
}
"""
C{IP_RECVERR} and C{IPV6_RECVERR}: that of all errors, not of the gravest only,
there is a list, with what each is about.
"""

DATAGRAMS_A_TURN = 64
"""
How many datagrams are read before the rest of the reactor has its turn.
"""

DO_NOT_FRAGMENT = {
    socket.AF_INET: (socket.IPPROTO_IP, 10, 2),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 23, 2),
}
"""
C{IP_MTU_DISCOVER} and C{IPV6_MTU_DISCOVER}, each with C{PMTUDISC_DO}, by address
family: no router and not this machine may cut a datagram.
"""

PATH_MTU = {
    socket.AF_INET: (socket.IPPROTO_IP, 14),
    socket.AF_INET6: (socket.IPPROTO_IPV6, 24),
}
"""
C{IP_MTU} and C{IPV6_MTU}: what the kernel knows of the path.
"""

Receiver = Callable[[bytes], object]


class Source(tuple[str, int]):
    """
    Where a datagram came from.

    @ivar arrived: When the kernel took it in, in nanoseconds of the time of day;
        L{None} if it does not tell.
    """

    arrived: int | None = None


class ConnectedPort(udp.Port):
    """
    A UDP port that is connected to one peer.

    Its protocol has a method C{failed} besides those of a C{DatagramProtocol}.  It
    is called with what the peer's system or a router sends back by ICMP, as an
    C{OSError}, and the datagram that this is about as far as that is known.
    """

    def __init__(self, target: Address, protocol: Any, reactor: Any, whole: bool) -> None:
        """
        @param whole: Whether datagrams must not be fragmented.
        """
        interface = "::" if ":" in target.host else "0.0.0.0"
        super().__init__(0, protocol, interface, MAX_DATAGRAM, reactor)
        self._target = target
        self._whole = whole

    def createInternetSocket(self) -> socket.socket:
        """
        Create the socket, and ask for all that the kernel has to tell.
        """
        skt: socket.socket = super().createInternetSocket()
        keepMore(skt)
        if LINUX:
            skt.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            skt.setsockopt(*RECEIVE_ERRORS[self.addressFamily], 1)
        if self._whole:
            skt.setsockopt(*DO_NOT_FRAGMENT[self.addressFamily])
        return skt

    def startListening(self) -> None:
        """
        Connect; then hand the protocol its transport.

        @raise OSError: if there is no way to the target.
        """
        self._bindSocket()
        try:
            self.socket.connect(self._target)
        except OSError:
            self.socket.close()
            raise
        self._connectToProtocol()

    def write(self, datagram: bytes, addr: object = None) -> None:
        """
        Send a datagram to the peer.

        @raise BlockingIOError: if there is no room for it now.

        @raise OSError: if it cannot be sent.
        """
        try:
            self._send(datagram)
        except BlockingIOError:
            raise
        except OSError as error:
            # Mostly this was the answer to an earlier one, and this one was not
            # tried.
            self._failed(error)
            if self.connected:
                self._send(datagram)

    def doRead(self) -> None:
        """
        Hand on the datagrams that have come, each with its L{Source}.
        """
        for _ in range(DATAGRAMS_A_TURN):
            if not self.connected:
                return
            try:
                datagram, control, _flags, sockaddr = self.socket.recvmsg(
                    self.maxPacketSize, _CONTROL_SPACE
                )
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
            else:
                source = Source(sockaddr[:2])
                source.arrived = _arrived(control)
                self.protocol.datagramReceived(datagram, source)

    def connectionLost(self, reason: Any = None) -> None:
        """
        The port was closed; or a reactor on poll or epoll, which reports an
        error as the end, has seen one.
        """
        if reason is None:
            super().connectionLost(reason)
        else:
            self.doRead()
            self._failed(None)
            if self.connected:
                self.startReading()

    def pathMTU(self) -> int | None:
        """
        @return: How large a packet may be on the way, as far as the kernel knows;
            L{None} if it does not tell.
        """
        if not LINUX:
            return None
        return self.socket.getsockopt(*PATH_MTU[self.addressFamily])

    def _send(self, datagram: bytes) -> None:
        try:
            self.socket.send(datagram)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise BlockingIOError(*error.args)
            raise

    def _failed(self, error: OSError | None) -> None:
        """
        @param error: What to report unless the kernel keeps a list.
        """
        listed = False
        while LINUX and self.connected:
            try:
                datagram, control, _, _ = self.socket.recvmsg(
                    self.maxPacketSize, _CONTROL_SPACE, socket.MSG_ERRQUEUE
                )
            except OSError:
                break
            number = _number(control)
            if number is not None:
                listed = True
                self.protocol.failed(OSError(number, os.strerror(number)), datagram)
        # Where no list has it, a datagram is too big for this machine itself: it
        # will say so again.
        if error and error.errno != errno.EMSGSIZE and not listed and self.connected:
            self.protocol.failed(error, b"")


def _arrived(control: Control) -> int | None:
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            return int(seconds * 1_000_000_000 + nanoseconds)
    return None


def _number(control: Control) -> int | None:
    for level, kind, data in control:
        if (level, kind) in RECEIVE_ERRORS.values():
            number, origin = _EXTENDED_ERROR.unpack_from(data)
            return None if origin == _LOCAL else int(number)
    return None
