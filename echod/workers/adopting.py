"""
How a worker listens: its endpoints listen on the L{AdoptingReactor}, which takes over a
socket that the parent has bound (L{echod.workers.socketpassing}).
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.interfaces import IReactorTCP, IReactorTime, IReactorUDP, IReactorUNIX
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.reactor import ReactorWrapper
from echod.tcp.promptconnection import sendPromptly
from echod.udp.endpoint import adoptDatagrams


class GuestPort(unix.Port):
    """
    A UNIX socket of the parent.  Its file is neither changed nor removed.
    """

    # A shutdown would end the listening of the other workers as well.
    _shouldShutdown = False
    numberAccepts = 100

    def startListening(self) -> None:
        """
        Listen on the socket that was bound.
        """
        port: Any = self
        port.socket, port._preexistingSocket = port._preexistingSocket, None
        port.fileno = port.socket.fileno
        port.connected = True
        port.factory.doStart()
        port.startReading()

    def connectionLost(self, reason: Failure) -> None:
        """
        Close the socket, and leave its file.
        """
        tcp.Port.connectionLost(self, reason)


@implementer(IReactorTCP, IReactorUDP, IReactorUNIX, IReactorTime)
class AdoptingReactor(ReactorWrapper):
    """
    A reactor that listens on a socket of the parent, and ignores the address of the call.
    """

    def __init__(self, reactor: Any, descriptor: int, family: socket.AddressFamily) -> None:
        super().__init__(reactor)
        self._descriptor = descriptor
        self._family = family

    def listenTCP(self, port: int, factory: Factory, *arguments: Any, **more: Any) -> Any:
        """
        Listen on TCP, also with the positional arguments of C{listenSSL}.
        """
        port = self._reactor.adoptStreamPort(self._descriptor, self._family, factory)
        return self._adopted(sendPromptly(port))

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
        # The port has a duplicate, and closes it when it stops listening.
        os.close(self._descriptor)
        return port
