"""
A listening socket whose connections do their I/O inside libuv.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Any

from twisted.internet import tcp

from echod.uvloopreactor.connection import Connection

KNOWN_HOSTS = 256
"""
The number of hosts whose names are shared by their connections.
"""

_shared = lru_cache(KNOWN_HOSTS)(str)
"""
Return one string object for all connections of a host.
"""


class Listener(socket.socket):
    """
    A listening socket with numbers as its family and its type.  C{accept} passes both to each
    new connection, and Python would make an enumeration of each.
    """

    family: Any = None
    type: Any = None

    def __init__(self, family: int, type: int, proto: int, fileno: int) -> None:
        self.family, self.type = int(family), int(type)
        super().__init__(self.family, self.type, proto, fileno)
        self.setblocking(False)


class Port(tcp.Port):
    """
    A TCP port whose connections do their I/O inside libuv.

    @ivar newestPeer: The address of the peer whose connection was accepted last.  Its factory
        and its connection share it.
    """

    reactor: Any
    transport: type[tcp.Server] = Connection
    newestPeer: Any = None

    def startListening(self) -> None:
        """
        Listen, and let the reactor accept.
        """
        super().startListening()
        old = self.socket
        self.socket = Listener(old.family, old.type, old.proto, old.detach())
        self.fileno = self.socket.fileno  # type: ignore[method-assign]

    def doRead(self) -> None:
        """
        Accept connections, and start all of them at once.
        """
        accepted: list[Connection] = []
        self.reactor._toStart = accepted
        super().doRead()
        self.reactor._toStart = None
        for connection in accepted:
            connection._call(connection._start)

    def _buildAddr(self, address: Any) -> Any:
        host, *more = address
        self.newestPeer = super()._buildAddr((_shared(host), *more))
        return self.newestPeer
