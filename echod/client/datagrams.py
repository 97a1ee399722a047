"""
A connected UDP socket: it receives ICMP errors, and the time at which the kernel
received each datagram.
"""

from __future__ import annotations

import errno
import socket
from typing import Any, Protocol

from twisted.internet import udp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.python.failure import Failure

from echod.client.reactor import IClientReactor
from echod.client.sockets import SocketOptions
from echod.client.target import Address
from echod.client.udpsocket import (
    CONTROL_SPACE,
    HEADER_FIELDS,
    HEADERS,
    LINUX,
    PATH_MTU,
    PATH_MTU_DISCOVERY,
    RECEIVE_ERRORS,
    SO_TIMESTAMPNS,
    queuedErrors,
    sourceOf,
)
from echod.net.sockets import MAX_DATAGRAM, isReadable, keepMore

DATAGRAMS_A_TURN = 64
"""
How many datagrams are read before the reactor serves other descriptors.
"""


class DatagramClient(Protocol):
    """
    A C{DatagramProtocol} that also receives errors.
    """

    def datagramReceived(self, datagram: bytes, addr: object) -> None: ...

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        Receive an error that the peer's system or a router has sent by ICMP.

        @param datagram: The sent datagram that it belongs to; empty if unknown.
        """


def socketAddress(address: Address) -> tuple[str | int, ...] | tuple[int, bytes]:
    """
    @return: The address as the kernel takes it.  It has four parts for IPv6: with two,
        Python would drop the scope (C{fe80::1%eth0}).
    """
    ((_, _, _, _, sockaddr), *_) = socket.getaddrinfo(
        *address, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )
    return sockaddr


class _ScopedSocket(socket.socket):
    """
    A socket that can be bound to a link-local address.
    """

    def bind(self, address: Any) -> None:
        super().bind(socketAddress(Address(*address)))


class ConnectedPort(udp.Port):
    """
    A UDP port that is connected to one peer.
    """

    def __init__(
        self,
        target: Address,
        protocol: DatagramClient,
        reactor: IClientReactor,
        discovery: int | None,
        options: SocketOptions,
        linux: bool = LINUX,
    ) -> None:
        """
        @param discovery: L{NO_FRAGMENTS} or L{PROBE_PATH}; L{None} if datagrams may be
            fragmented.

        @param linux: True to use the socket options of Linux.
        """
        interface = options.address or ("::" if ":" in target.host else "0.0.0.0")
        super().__init__(0, protocol, interface, MAX_DATAGRAM, reactor)
        self._target = target
        self._discovery = discovery
        self._options = options
        self._linux = linux

    def createInternetSocket(self) -> socket.socket:
        """
        Create the socket, and ask the kernel for timestamps and errors.
        """
        skt = _ScopedSocket(self.addressFamily, self.socketType)
        skt.setblocking(False)
        keepMore(skt)
        self._options.apply(skt)
        if self._linux:
            skt.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            skt.setsockopt(*RECEIVE_ERRORS[self.addressFamily], 1)
            for field in HEADER_FIELDS[self.addressFamily]:
                skt.setsockopt(*field, 1)
        if self._discovery is not None:
            skt.setsockopt(*PATH_MTU_DISCOVERY[self.addressFamily], self._discovery)
        return skt

    def startListening(self) -> None:
        """
        Connect, then start the protocol.

        @raise OSError: if there is no route to the target.
        """
        self._bindSocket()
        try:
            self.socket.connect(socketAddress(self._target))
        except OSError:
            self.socket.close()
            raise
        self._connectToProtocol()

    def getPeer(self) -> IPv4Address | IPv6Address:
        """
        @return: The address of the peer.
        """
        kind = IPv6Address if self.addressFamily == socket.AF_INET6 else IPv4Address
        return kind("UDP", *self.socket.getpeername())

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
            # Usually this error belongs to an earlier datagram, and the kernel has not
            # tried to send this one.
            self._failed(error)
            if self.connected:
                self._send(datagram)

    def doRead(self) -> None:
        """
        Deliver the datagrams that have arrived, each with its L{Source}.
        """
        for _ in range(DATAGRAMS_A_TURN):
            if not self.connected:
                return
            try:
                datagram, control, _flags, sockaddr = self.socket.recvmsg(
                    self.maxPacketSize, CONTROL_SPACE
                )
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(error)
            else:
                self.protocol.datagramReceived(datagram, sourceOf(sockaddr, control))

    def connectionLost(self, reason: Failure | None = None) -> None:
        """
        Stop if the port was closed.  With a reason, this is an error of the socket,
        which reactors on poll and epoll report as its end: deliver it and go on.
        """
        if reason is None:
            super().connectionLost(reason)
        else:
            self.doRead()
            self._failed(None)
            if self.connected:
                self.startReading()

    def unread(self) -> bool:
        """
        @return: True if datagrams have arrived that were not read yet.
        """
        return bool(self.connected) and isReadable(self.socket)

    def pathMTU(self) -> int | None:
        """
        @return: The path MTU in bytes; L{None} if the kernel does not report it.
        """
        if not self._linux:
            return None
        return self.socket.getsockopt(*PATH_MTU[self.addressFamily])

    @property
    def headers(self) -> int:
        """
        The size of the headers of a datagram, in bytes.
        """
        return HEADERS[self.addressFamily]

    def payloadByKernel(self) -> int | None:
        """
        @return: The largest datagram that fits in L{pathMTU}.
        """
        mtu = self.pathMTU()
        return None if mtu is None else mtu - self.headers

    def _send(self, datagram: bytes) -> None:
        try:
            self.socket.send(datagram)
        except OSError as error:
            if error.errno == errno.ENOBUFS:
                raise BlockingIOError(*error.args)
            raise

    def _failed(self, error: OSError | None) -> None:
        """
        Deliver the errors in the kernel's queue, or this one if the queue is empty.
        """
        queued = False
        hasQueue = self._linux and self.connected
        for remote, datagram in queuedErrors(self.socket) if hasQueue else ():
            queued = True
            self.protocol.failed(remote, datagram)
        # EMSGSIZE without a queue entry comes from this machine: the next attempt to
        # send raises it again.
        if error and error.errno != errno.EMSGSIZE and not queued and self.connected:
            self.protocol.failed(error, b"")
