"""
How sockets come from the parent to its workers.

Endpoints know how to listen, and they listen on a reactor.  So there are two that
are none: with the L{BindingReactor} the same endpoints bind and do not accept,
and with the L{AdoptingReactor}, in a worker, they take what was bound for them.
Neither has to know what a description means.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from twisted.internet import tcp, unix
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
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.sockets import keepMore
from echod.tcp.listeningsocket import setStreamOptions
from echod.udp.endpoint import adoptDatagrams
from echod.udp.options import serveIPv4


def bound(
    kind: socket.SocketKind, port: int, interface: str, count: int
) -> list[socket.socket]:
    """
    Bind to one address several times: the system spreads what comes over all of
    them, each peer always to the same (C{SO_REUSEPORT}, see socket(7)).

    @param port: 0 for any that is free.

    @param interface: A literal address; empty for all of IPv4.

    @raise OSError: if that cannot be, or if anybody has the address already: who
        has it in the same way would otherwise be robbed of a part, in silence.
    """
    family = socket.AF_INET6 if isIPv6Address(interface) else socket.AF_INET
    # With its scope, if it has one.
    ((*_, address), *_) = socket.getaddrinfo(interface or "0.0.0.0", port, family, kind)
    with ExitStack() as kept, _socketOf(family, kind) as first:
        first.bind(address)
        place = (address[0], first.getsockname()[1], *address[2:])
        # Now for the others to come in.
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
        # As any server does: connections that are long over hold no address.
        skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        setStreamOptions(skt)
    elif family == socket.AF_INET6:
        serveIPv4(skt)
    return skt


@implementer(IListeningPort)
class BoundPort:
    """
    What listens, for others to accept.
    """

    def __init__(self, host: IAddress, stop: Callable[[], Any]) -> None:
        """
        @param stop: Gives the sockets up.
        """
        self._host = host
        self._stop = stop

    def startListening(self) -> None:
        """
        It does already.
        """

    def stopListening(self) -> Deferred[None]:
        """
        Give the sockets up.  Workers may have them still.
        """
        return maybeDeferred(self._stop)

    def getHost(self) -> IAddress:
        """
        @return: What is listened on.
        """
        return self._host


@implementer(IReactorTCP, IReactorUDP, IReactorUNIX, IReactorSocket, IReactorTime)
class BindingReactor:
    """
    Binds, and leaves it to workers to serve.

    It cannot watch descriptors (C{IReactorFDSet}), so that nobody tries to have
    it watch what is bound.
    """

    def __init__(self, reactor: Any, count: int, sockets: list[socket.socket]) -> None:
        """
        @param count: How many workers there are.

        @param sockets: Where to leave what is bound: one for each of them, or one
            for all.
        """
        self._reactor = reactor
        self._count = count
        self._sockets = sockets

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(
        self, port: int, factory: Factory, backlog: int = 50, interface: str = ""
    ) -> BoundPort:
        """
        Listen on TCP.
        """
        try:
            sockets = bound(socket.SOCK_STREAM, port, interface, self._count)
            for skt in sockets:
                skt.listen(backlog)
        except OSError as error:
            raise CannotListenError(interface, port, error) from None
        return self._handed(sockets)

    def listenUDP(
        self,
        port: int,
        protocol: DatagramProtocol,
        interface: str = "",
        maxPacketSize: int = 8192,
    ) -> BoundPort:
        """
        Listen for datagrams.
        """
        try:
            sockets = bound(socket.SOCK_DGRAM, port, interface, self._count)
        except OSError as error:
            raise CannotListenError(interface, port, error) from None
        return self._handed(sockets)

    def listenUNIX(  # type: ignore[override]
        self, address: str, factory: Factory, **more: Any
    ) -> BoundPort:
        """
        Listen on a UNIX socket, which there is one of.
        """
        port = self._reactor.listenUNIX(address, factory, **more)
        port.stopReading()
        handed = self._handed([socket.socket(fileno=os.dup(port.fileno()))])

        def stop() -> Any:
            handed.stopListening()
            return port.stopListening()

        return BoundPort(port.getHost(), stop)

    def adoptStreamPort(self, descriptor: int, family: int, factory: Factory) -> BoundPort:
        """
        Listen on a socket that listens already.
        """
        return self._handed([socket.socket(fileno=os.dup(descriptor))])

    def adoptDatagramPort(
        self, descriptor: int, family: int, protocol: DatagramProtocol, maxPacketSize: int
    ) -> BoundPort:
        """
        Listen for datagrams on a socket that is bound already.
        """
        return self._handed([socket.socket(fileno=os.dup(descriptor))])

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


class GuestPort(unix.Port):
    """
    Listens on a UNIX socket whose file belongs to somebody else, and is neither
    changed nor removed.
    """

    # Closing it must not end the listening of the others.
    _shouldShutdown = False
    numberAccepts = 100

    def startListening(self) -> None:
        """
        Listen.
        """
        port: Any = self
        port.socket, port._preexistingSocket = port._preexistingSocket, None
        port.fileno = port.socket.fileno
        port.connected = True
        port.factory.doStart()
        port.startReading()

    def connectionLost(self, reason: Failure) -> None:
        """
        Listening has ended.
        """
        tcp.Port.connectionLost(self, reason)


@implementer(IReactorTCP, IReactorUDP, IReactorUNIX, IReactorTime)
class AdoptingReactor:
    """
    Listens on a socket that the parent has bound, whatever it is told.
    """

    def __init__(self, reactor: Any, descriptor: int, family: socket.AddressFamily) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._family = family

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, port: int, factory: Factory, *arguments: Any, **more: Any) -> Any:
        """
        Listen on TCP, also with the positional arguments of C{listenSSL}.
        """
        return self._adopted(
            self._reactor.adoptStreamPort(self._descriptor, self._family, factory)
        )

    def listenUDP(self, port: int, protocol: DatagramProtocol, *arguments: Any) -> Any:
        """
        Listen for datagrams.
        """
        return self._adopted(
            adoptDatagrams(self._reactor, self._descriptor, self._family, protocol)
        )

    def listenUNIX(  # type: ignore[override]
        self, address: str, factory: Factory, **more: Any
    ) -> Any:
        """
        Listen on a UNIX socket.
        """
        port = GuestPort._fromListeningDescriptor(self._reactor, self._descriptor, factory)
        port.startListening()
        return self._adopted(port)

    def _adopted(self, port: Any) -> Any:
        # The port has its own, and is to be the only one that keeps it open.
        os.close(self._descriptor)
        return port
