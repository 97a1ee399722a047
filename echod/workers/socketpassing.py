"""
How the parent of workers listens: endpoints bind their sockets on the L{BindingReactor},
which accepts nothing.  The workers take the sockets over (L{echod.workers.adopting}).

Endpoints know how to listen, and they listen on a reactor.  So no code here has to
understand the description of an endpoint.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from twisted.internet.abstract import isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    IReactorSocket,
    IReactorTCP,
    IReactorTime,
    IReactorUDP,
    IReactorUNIX,
)
from twisted.internet.protocol import DatagramProtocol, Factory
from zope.interface import implementer

from echod.net.reactor import ReactorWrapper
from echod.net.sockets import keepMore
from echod.tcp.listeningsocket import setStreamOptions
from echod.udp.options import serveIPv4


def bound(
    kind: socket.SocketKind, port: int, interface: str, count: int
) -> list[socket.socket]:
    """
    Bind several sockets to one address.  The system spreads peers over the sockets, each
    peer always to the same one (C{SO_REUSEPORT}, see socket(7)).

    @param port: 0 for a free port.

    @param interface: A literal address; empty for all IPv4 addresses.

    @param count: The number of sockets.

    @raise OSError: if the address cannot be bound, or if another process uses it, even if
        with C{SO_REUSEPORT}: it would silently lose a part of its peers.
    """
    family = socket.AF_INET6 if isIPv6Address(interface) else socket.AF_INET
    # With the scope of an IPv6 address.
    ((*_, address), *_) = socket.getaddrinfo(interface or "0.0.0.0", port, family, kind)
    with ExitStack() as kept, _socketOf(family, kind) as first:
        first.bind(address)
        place = (address[0], first.getsockname()[1], *address[2:])
        # Only now: the first bind fails if another process uses the address.
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sockets = []
        for _ in range(count):
            skt = kept.enter_context(_socketOf(family, kind))
            skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if kind == socket.SOCK_DGRAM:
                # The first datagrams come before the first worker.
                keepMore(skt)
            skt.bind(place)
            sockets.append(skt)
        kept.pop_all()
    return sockets


def _socketOf(family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    skt = socket.socket(family, kind)
    skt.setblocking(False)
    if kind == socket.SOCK_STREAM:
        # Ended connections do not keep the address in use.
        skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        setStreamOptions(skt)
    elif family == socket.AF_INET6:
        serveIPv4(skt)
    return skt


@implementer(IListeningPort)
class BoundPort:
    """
    A port whose connections other processes accept.
    """

    def __init__(self, host: IAddress, stop: Callable[[], Any]) -> None:
        """
        @param stop: Closes the sockets.
        """
        self._host = host
        self._stop = stop

    def startListening(self) -> None:
        """
        Do nothing: the sockets listen from the start.
        """

    def stopListening(self) -> Deferred[None]:
        """
        Close the sockets.  Workers may still have them open.
        """
        return maybeDeferred(self._stop)

    def getHost(self) -> IAddress:
        """
        @return: The address.
        """
        return self._host


@implementer(IReactorTCP, IReactorUDP, IReactorUNIX, IReactorSocket, IReactorTime)
class BindingReactor(ReactorWrapper):
    """
    A reactor that binds sockets, for workers to serve.

    It does not provide C{IReactorFDSet}, so no endpoint tries to watch the sockets.
    """

    def __init__(self, reactor: Any, count: int, sockets: list[socket.socket]) -> None:
        """
        @param count: The number of workers.

        @param sockets: The list to fill with the bound sockets: one for each worker, or
            one for all workers.
        """
        super().__init__(reactor)
        self._count = count
        self._sockets = sockets

    def listenTCP(
        self, port: int, factory: Factory, backlog: int = 50, interface: str = ""
    ) -> BoundPort:
        """
        Bind sockets for TCP.
        """
        return self._bind(socket.SOCK_STREAM, port, interface, backlog)

    def listenUDP(
        self,
        port: int,
        protocol: DatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
    ) -> BoundPort:
        """
        Bind sockets for datagrams.
        """
        return self._bind(socket.SOCK_DGRAM, port, interface)

    def listenUNIX(  # type: ignore[override]
        self, address: str, factory: Factory, **more: Any
    ) -> BoundPort:
        """
        Bind one UNIX socket for all workers.
        """
        port = self._reactor.listenUNIX(address, factory, **more)
        port.stopReading()
        handed = self.adoptStreamPort(port.fileno())

        def stop() -> Any:
            handed.stopListening()
            return port.stopListening()

        return BoundPort(port.getHost(), stop)

    def adoptStreamPort(self, descriptor: int, *_: object) -> BoundPort:
        """
        Take a socket that is bound already, for all workers.
        """
        return self._handed([socket.socket(fileno=os.dup(descriptor))])

    adoptDatagramPort = adoptStreamPort

    def _bind(
        self, kind: socket.SocketKind, port: int, interface: str, backlog: int | None = None
    ) -> BoundPort:
        try:
            sockets = bound(kind, port, interface, self._count)
            if backlog is not None:
                for skt in sockets:
                    skt.listen(backlog)
        except OSError as error:
            raise CannotListenError(interface, port, error) from None
        return self._handed(sockets)

    def _handed(self, sockets: Sequence[socket.socket]) -> BoundPort:
        self._sockets[:] = sockets

        def stop() -> None:
            while self._sockets:
                self._sockets.pop().close()

        return BoundPort(_addressOf(sockets[0]), stop)


def _addressOf(skt: socket.socket) -> IAddress:
    name = skt.getsockname()
    if skt.family == socket.AF_UNIX:
        return UNIXAddress(name)
    address = IPv6Address if skt.family == socket.AF_INET6 else IPv4Address
    return address("TCP" if skt.type == socket.SOCK_STREAM else "UDP", *name)
