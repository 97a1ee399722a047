"""
Doubles for the tests of services: a port, an endpoint and a server in memory, and services
of them.
"""

from __future__ import annotations

from typing import Any

from twisted.application.service import MultiService
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort
from zope.interface import implementer

from echod.service.listening import ListeningService


@implementer(IListeningPort)
class Port:
    """
    A listening port in memory.
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
        Stop listening.
        """
        self.listening = False


class Endpoint:
    """
    An endpoint in memory.

    @ivar ports: All ports that were ever opened.

    @ivar result: The result of the next C{listen}, or L{None} for a new port.
    """

    def __init__(self) -> None:
        self.ports: list[Port] = []
        self.result: Deferred[Any] | None = None

    def listen(self, server: object) -> Deferred[Any]:
        """
        Open a new port, or return the result that was set.
        """
        if self.result is not None:
            return self.result
        self.ports.append(Port())
        return succeed(self.ports[-1])


class Server:
    """
    A server that serves nobody.

    @ivar drained: The result of C{drain}.

    @ivar cuts: How often C{abort} was called.

    @ivar sessions: Its open sessions.
    """

    service = "echo"
    sessions: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.drained: Deferred[None] = succeed(None)
        self.cuts = 0

    def drain(self) -> Deferred[None]:
        """
        Return the result that was set.
        """
        return self.drained

    def abort(self) -> None:
        """
        Count the call.
        """
        self.cuts += 1


def listenFor(parent: MultiService, *servers: Any, endpoint: Endpoint | None = None) -> None:
    """
    Add a service for each server to a parent.
    """
    for server in servers:
        service = ListeningService("127.0.0.1:0", endpoint or Endpoint(), server)
        service.setServiceParent(parent)
