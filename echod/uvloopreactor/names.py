"""
The names and addresses of a connection.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import address, tcp
from twisted.python import context, log


class NamedServer(tcp.Server):
    """
    A server's connection that computes its names.  The attributes of Twisted, and the objects
    that its constructors make, would take more memory.

    @ivar logName: The name of the first protocol in the log.

    @ivar protocol: The application.
    """

    protocol: Any

    def __init__(
        self,
        sock: socket.socket,
        protocol: Any,
        client: tuple[Any, ...],
        server: Any,
        reactor: Any,
    ) -> None:
        self.socket = sock
        self.protocol = protocol
        self.server = server
        self.reactor = reactor
        self.logName = self._getLogPrefix(protocol)
        if len(client) != 2:
            self._addressType = address.IPv6Address
        self._peer: Any = server.newestPeer if server else self._addressType("TCP", *client)

    def __repr__(self) -> str:
        """
        @return: The name of the protocol, the port of the peer, and the port of the server.
        """
        if self.server is None:
            return self.repstr
        return f"<{self.logName} #{self.sessionno} on {self.server._realPortNumber}>"

    def __getitem__(self, key: Any) -> dict[Any, Any]:
        """
        Make the connection the logging context of its protocol.  A dictionary for each
        connection would take more memory than all its other attributes.

        @raise KeyError: if something else than the logging context is asked for.
        """
        if key is not log.ILogContext:
            raise KeyError(key)
        return {**context.defaultContextDict[key], "system": self.logPrefix()}

    @property
    def client(self) -> tuple[Any, ...]:  # type: ignore[override]
        """
        The address of the peer, as Python's sockets have it.
        """
        peer = self._peer
        if self._addressType is address.IPv6Address:
            return (peer.host, peer.port, peer.flowInfo, peer.scopeID)
        return (peer.host, peer.port)

    @property
    def hostname(self) -> str:  # type: ignore[override]
        """
        The host of the peer.
        """
        return str(self._peer.host)

    @property
    def sessionno(self) -> int:  # type: ignore[override]
        """
        The port of the peer: a number that repeats.  A counter would take more memory.
        """
        return int(self._peer.port)

    @property
    def logstr(self) -> str:  # type: ignore[override]
        """
        The name of the connection in the log.
        """
        return f"{self.logName},{self.sessionno},{self.hostname}"

    def getPeer(self) -> Any:
        """
        @return: The address of the peer.
        """
        return self._peer
