"""
The options of a client's sockets: source, type of service, time to live.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from ipaddress import ip_address
from time import monotonic_ns
from typing import Any, NamedTuple

from twisted.internet import tcp
from twisted.internet.interfaces import IAddress, IProtocol
from twisted.internet.protocol import ClientFactory

from echod.net.reactor import ReactorWrapper

SO_BINDTODEVICE = 25
"""
Python names it on Linux only.  The value is that of Linux (asm-generic/socket.h).
"""

TYPE_OF_SERVICE = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TOS),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
}

TIME_TO_LIVE = {
    socket.AF_INET: (socket.IPPROTO_IP, socket.IP_TTL),
    socket.AF_INET6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
}


class SocketOptions(NamedTuple):
    """
    @ivar source: The address or the network interface to send from; empty for the choice
        of the kernel.

    @ivar typeOfService: The DSCP and ECN bits (RFC 2474), 0 to 255.

    @ivar timeToLive: The hop limit, 1 to 255.
    """

    source: str = ""
    typeOfService: int | None = None
    timeToLive: int | None = None

    @property
    def address(self) -> str:
        """
        The address to send from; empty if it is the kernel's choice.
        """
        try:
            ip_address(self.source)
        except ValueError:
            return ""
        return self.source

    def apply(self, skt: socket.socket) -> None:
        """
        Set the options of a new socket.

        @raise OSError: if there is no such interface.
        """
        if self.source and not self.address:
            interface = os.fsencode(self.source) + b"\0"
            skt.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface)
        if self.typeOfService is not None:
            skt.setsockopt(*TYPE_OF_SERVICE[skt.family], self.typeOfService)
        if self.timeToLive is not None:
            skt.setsockopt(*TIME_TO_LIVE[skt.family], self.timeToLive)


class _Client(tcp.Client):
    # Twisted's 64 KiB take four times the calls.
    bufferSize = 1 << 18

    def __init__(self, options: SocketOptions, *arguments: Any) -> None:
        self._options = options
        super().__init__(*arguments)

    def createInternetSocket(self) -> socket.socket:
        skt: socket.socket = super().createInternetSocket()
        self._options.apply(skt)
        return skt


class _Connector(tcp.Connector):
    def __init__(
        self, options: SocketOptions, connected: Callable[[int], object], *arguments: Any
    ) -> None:
        self._options = options
        self._connected = connected
        self._began = monotonic_ns()
        super().__init__(*arguments)

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        self._connected(monotonic_ns() - self._began)
        return super().buildProtocol(addr)

    def _makeTransport(self) -> tcp.Client:
        return _Client(
            self._options, self.host, self.port, self.bindAddress, self, self.reactor
        )


class OptionsReactor(ReactorWrapper):
    """
    A reactor whose TCP connections have socket options.  Endpoints of all kinds connect with
    it.
    """

    def __init__(
        self,
        reactor: Any,
        options: SocketOptions,
        connected: Callable[[int], object],
    ) -> None:
        """
        @param connected: Called with the nanoseconds that connecting took, when a connection
            is made, just before its protocol is built.
        """
        self._connected = connected
        super().__init__(reactor)
        self._options = options

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: ClientFactory[Any],
        timeout: float = 30,
        bindAddress: tuple[str, int] | None = None,
    ) -> tcp.Connector:
        """
        Connect.
        """
        if bindAddress is None and self._options.address:
            bindAddress = (self._options.address, 0)
        connector = _Connector(
            self._options,
            self._connected,
            host,
            port,
            factory,
            timeout,
            bindAddress,
            self._reactor,
        )
        connector.connect()
        return connector
