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

from echod.limits.networks import Networks
from echod.tcp.endpoints import PROXIED, layered, serverFromString
from echod.tcp.proxyprotocol import ProxyFactory
from tests.support import PEER, lacking, temporaryDirectory
from tests.support.tls import makeCertificate

try:
    from twisted.protocols.tls import TLSMemoryBIOFactory

    from echod.tcp.tls import TLSTransport
except ImportError:
    TLSTransport = None  # type: ignore[assignment,misc]


class AdoptingReactor(MemoryReactorClock):
    """
    A reactor in memory that records what it adopts.
    """

    def __init__(self) -> None:
        super().__init__()
        self.adopted: list[Any] = []

    def adoptStreamPort(self, *arguments: Any) -> None:
        """
        Record the arguments.
        """
        self.adopted.append(arguments)


class EndpointTests(SynchronousTestCase):
    """
    Tests for L{serverFromString} and L{layered}.
    """

    def setUp(self) -> None:
        self.reactor = AdoptingReactor()
        self.factory = Factory.forProtocol(Protocol)

    def listen(self, description: str, proxies: Networks | None = None) -> None:
        """
        Listen with the factory.
        """
        serverFromString(self.reactor, description, proxies).listen(self.factory)

    def test_tcp(self) -> None:
        """
        A description that starts with C{haproxy:}, in any case of letters, expects PROXY
        headers.
        """
        for prefix in ("haproxy:", "HAProxy:"):
            self.listen(f"{prefix}tcp:80:interface=192.0.2.1:backlog=5")
            port, factory, backlog, host = self.reactor.tcpServers.pop()
            self.assertEqual((port, backlog, host), (80, 5, "192.0.2.1"))
            assert isinstance(factory, ProxyFactory)
            self.assertIs(factory.wrapped, self.factory)

    def test_proxies(self) -> None:
        """
        The factory knows which addresses may send PROXY headers.
        """
        for proxies in (None, Networks()):
            self.listen("haproxy:tcp:80", proxies)
            factory = self.reactor.tcpServers.pop()[1]
            assert isinstance(factory, ProxyFactory)
            self.assertIs(factory.proxies, proxies)

    def test_unix(self) -> None:
        """
        A UNIX socket can expect PROXY headers.
        """
        self.listen("haproxy:unix:/run/echod.sock")
        ((path, factory, *_),) = self.reactor.unixServers
        self.assertEqual(path, "/run/echod.sock")
        self.assertIsInstance(factory, ProxyFactory)

    def test_adopted(self) -> None:
        """
        A socket that another process has opened can expect PROXY headers.
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
        TLS is echod's, and starts after the PROXY header.
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

    def test_withoutPrefix(self) -> None:
        """
        Without C{haproxy:} no header is expected.
        """
        self.listen("tcp:80")
        self.assertIs(self.reactor.tcpServers[0][1], self.factory)

    def test_kinds(self) -> None:
        """
        The kind of the endpoint behind C{haproxy:} may be in any case of letters.
        """
        for kind in PROXIED:
            for written in (kind, kind.upper(), kind.title()):
                _, description = layered(self.reactor, f"haproxy:{written}:80")
                self.assertEqual(description, f"{written}:80")
        self.listen("haproxy:TCP6:80")
        self.assertIsInstance(self.reactor.tcpServers[0][1], ProxyFactory)

    def test_badKind(self) -> None:
        """
        C{haproxy:} in front of an endpoint that cannot expect a header is an error.
        """
        for kind in ("stdio", "STDIO"):
            error = self.assertRaises(ValueError, layered, self.reactor, f"haproxy:{kind}:")
            self.assertIn("haproxy: goes with tcp, ", str(error))
            self.assertIn(f", not with {kind}", str(error))

    def test_reactor(self) -> None:
        """
        In everything else the layered reactor is the reactor.
        """
        reactor, _ = layered(self.reactor, "tcp:80")
        self.assertTrue(IReactorTCP.providedBy(reactor))
        self.assertEqual(reactor.seconds(), self.reactor.seconds())
