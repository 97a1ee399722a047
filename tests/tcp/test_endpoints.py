"""
Tests for L{echod.tcp.endpoints}.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.endpoints import AdoptedStreamServerEndpoint
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.endpoints import layered, serverFromString
from echod.tcp.proxyprotocol import ProxyFactory
from tests.support import PEER, lacking, temporaryDirectory
from tests.support.tls import makeCertificate


class AdoptingReactor(MemoryReactorClock):
    """
    A reactor in memory that takes note of what it adopts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[Any] = []

    def adoptStreamPort(self, *arguments: Any) -> None:
        """
        Take note.
        """
        self.adopted.append(arguments)


try:
    from twisted.protocols.tls import TLSMemoryBIOFactory

    from echod.tcp.tls import TLSTransport
except ImportError:
    TLSTransport = None  # type: ignore[assignment,misc]


class EndpointTests(SynchronousTestCase):
    """
    What lies below the endpoints of descriptions.
    """

    def setUp(self) -> None:
        self.reactor = AdoptingReactor()
        self.factory = Factory.forProtocol(Protocol)

    def listen(self, description: str) -> None:
        """
        Listen with the factory.
        """
        serverFromString(self.reactor, description).listen(self.factory)

    def test_tcp(self) -> None:
        """
        On TCP it is, where the description starts with C{haproxy:}, in any case
        of letters.
        """
        for prefix in ("haproxy:", "HAProxy:"):
            self.listen(f"{prefix}tcp:80:interface=192.0.2.1:backlog=5")
            port, factory, backlog, host = self.reactor.tcpServers.pop()
            self.assertEqual((port, backlog, host), (80, 5, "192.0.2.1"))
            assert isinstance(factory, ProxyFactory)
            self.assertIs(factory.wrapped, self.factory)

    def test_unix(self) -> None:
        """
        And on a UNIX socket.
        """
        self.listen("haproxy:unix:/run/echod.sock")
        ((path, factory, *_),) = self.reactor.unixServers
        self.assertEqual(path, "/run/echod.sock")
        self.assertIsInstance(factory, ProxyFactory)

    def test_adopted(self) -> None:
        """
        And on a socket which another process has opened.
        """
        reactor, _ = layered(self.reactor, "haproxy:systemd:index=0")
        server = socket.create_server(("127.0.0.1", 0))
        # Listening closes it.
        endpoint = AdoptedStreamServerEndpoint(reactor, server.detach(), socket.AF_INET)
        endpoint.listen(self.factory)
        ((_, family, factory),) = self.reactor.adopted
        self.assertEqual(family, socket.AF_INET)
        self.assertIsInstance(factory, ProxyFactory)

    def test_tls(self) -> None:
        """
        TLS is ours, and starts behind the header of the PROXY protocol.
        """
        if TLSTransport is None:
            lacking("pyopenssl")
        path = makeCertificate(temporaryDirectory(self) / "server.pem")
        for prefix in ("", "haproxy:"):
            self.listen(f"{prefix}ssl:443:privateKey={path}:interface=192.0.2.1:backlog=5")
            port, factory, backlog, host = self.reactor.tcpServers.pop()
            self.assertEqual((port, backlog, host), (443, 5, "192.0.2.1"))
            if prefix:
                assert isinstance(factory, ProxyFactory)
                factory = factory.wrapped
            assert isinstance(factory, TLSMemoryBIOFactory)
            self.assertIsInstance(factory.buildProtocol(PEER), TLSTransport)

    def test_notAsked(self) -> None:
        """
        Without the prefix it is not.
        """
        self.listen("tcp:80")
        self.assertIs(self.reactor.tcpServers[0][1], self.factory)

    def test_notSupported(self) -> None:
        """
        Where it could not be spoken it is refused, and not left out.
        """
        error = self.assertRaises(ValueError, layered, self.reactor, "haproxy:stdio:")
        self.assertIn("haproxy: goes with tcp, ", str(error))
        self.assertIn(", not with stdio", str(error))

    def test_reactor(self) -> None:
        """
        In all else the layered reactor is the reactor.
        """
        reactor, _ = layered(self.reactor, "tcp:80")
        self.assertTrue(IReactorTCP.providedBy(reactor))
        self.assertEqual(reactor.seconds(), self.reactor.seconds())
