"""
Doubles for the tests of services: a port, an endpoint and a server in memory.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort
from zope.interface import implementer


@implementer(IListeningPort)
class Port:
    """
    What an endpoint listens with.
    """

    listening = True

    def startListening(self) -> None:
        """
        It listens from the start.
        """

    def getHost(self) -> IPv4Address:
        """
        @return: An address.
        """
        return IPv4Address("TCP", "127.0.0.1", 40000)

    def stopListening(self) -> None:
        """
        Listen no more.
        """
        self.listening = False


class Endpoint:
    """
    An endpoint in memory.

    @ivar ports: All that ever listened.

    @ivar result: What the next listening comes to, or L{None} for a new port.
    """

    def __init__(self) -> None:
        self.ports: list[Port] = []
        self.result: Deferred[Any] | None = None

    def listen(self, server: object) -> Deferred[Any]:
        """
        Listen, or whatever was asked for.
        """
        if self.result is not None:
            return self.result
        self.ports.append(Port())
        return succeed(self.ports[-1])


class Server:
    """
    A server in name only.

    @ivar drained: What its sessions are waited for by.

    @ivar cuts: How often its sessions were cut.

    @ivar sessions: Those that it would have.
    """

    service = "echo"
    sessions: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.drained: Deferred[None] = succeed(None)
        self.cuts = 0

    def drain(self) -> Deferred[None]:
        """
        Wait for the sessions that there are not.
        """
        return self.drained

    def abort(self) -> None:
        """
        Take note.
        """
        self.cuts += 1
