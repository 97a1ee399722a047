"""
An HTTP status in memory, and a client for it.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.service.echoservice import EchoService
from echod.status.monitor import Monitor
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import PEER, UNTIMED, clock, lacking
from tests.support.service import listenFor


class Client:
    """
    An HTTP client in memory.
    """

    def __init__(self, server: Any) -> None:
        self.transport = StringTransport(peerAddress=PEER)
        self.channel = server.buildProtocol(PEER)
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """
        @return: The answer, as far as it comes at once.
        """
        self.transport.clear()
        self.channel.dataReceived(data)
        answer: bytes = self.transport.value()
        return answer

    def ask(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """
        @return: The status, the headers and the body of an answer.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: x"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head, body = (
            self.send("\r\n".join([*lines, "", ""]).encode()).decode().split("\r\n\r\n", 1)
        )
        status, *fields = head.split("\r\n")
        named = dict(field.split(": ", 1) for field in fields)
        return int(status.split()[1]), named, body

    def lose(self) -> None:
        """
        Close the connection.
        """
        self.channel.connectionLost(Failure(ConnectionDone()))


class StatusTests(SynchronousTestCase):
    """
    A TCP and a UDP echo in memory, with their HTTP status and a client of it.

    @cvar monitors: Makes the monitor.
    """

    monitors = Monitor

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        from echod.status.httpserver import StatusSite

        self.clock = clock()
        self.echo = EchoService(self.clock)
        self.tcp = EchoFactory(self.clock, limits=UNTIMED)
        self.udp = UDPEchoProtocol(self.clock)
        listenFor(self.echo, self.tcp, self.udp)
        self.monitor = self.monitors(self.clock, self.echo)
        self.monitor.setServiceParent(self.echo.observers)
        self.site = StatusSite(self.clock, self.monitor)
        self.echo.startService()
        self.site.startFactory()
        self.client = Client(self.site)
