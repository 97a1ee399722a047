"""
The types of endpoints and servers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort

from echod.net.statistics import (
    DatagramServerStatistics,
    ServedSession,
    SessionServerStatistics,
    Traffic,
)


class Endpoint(Protocol):
    """
    An address to listen on: an
    L{IStreamServerEndpoint<twisted.internet.interfaces.IStreamServerEndpoint>}, or
    the same for datagrams, such as
    L{UDPServerEndpoint<echod.udp.endpoint.UDPServerEndpoint>}.
    """

    def listen(self, server: Any, /) -> Deferred[IListeningPort]: ...


class Server(Protocol):
    """
    A factory or a datagram protocol that can listen.
    """

    service: str

    @property
    def sessions(self) -> Collection[object]: ...

    def drain(self) -> Deferred[None]: ...

    def abort(self) -> None: ...


class EchoServer(Server, Protocol):
    """
    One of echod's own servers.  The status page and the session log ask it for its
    state.

    @ivar onEnd: Called with each session that has ended.
    """

    onEnd: Callable[[ServedSession], None] | None

    @property
    def sessions(self) -> Collection[ServedSession]: ...

    def statistics(self) -> SessionServerStatistics | DatagramServerStatistics: ...

    def taken(self) -> Mapping[str | None, Traffic]:
        """
        @return: The datagrams since the last call, by source; L{None} stands for all
            sources that are not counted one by one.
        """
