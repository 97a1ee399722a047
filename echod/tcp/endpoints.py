"""
Endpoint descriptions, with what lies between a connection and its session done
our way: the header of the PROXY protocol, and TLS.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import endpoints
from twisted.internet.interfaces import IStreamServerEndpoint
from twisted.internet.protocol import Factory
from zope.interface import directlyProvides, providedBy

from echod.tcp.proxyprotocol import ProxyFactory

PROXY = "haproxy:"
"""
What a description starts with where the PROXY protocol is spoken.
"""

PROXIED = ("tcp", "tcp6", "ssl", "tls", "unix", "systemd")
"""
What it can be spoken on.
"""


class LayeredReactor:
    """
    A reactor that changes what lies below whatever listens on it.

    Endpoints know their reactor, and nothing else is below all that they add:
    the header stands in front of TLS, too, as HAProxy sends it.
    """

    def __init__(self, reactor: Any, proxied: bool) -> None:
        """
        @param proxied: Whether there is such a header.
        """
        self._reactor = reactor
        self._proxied = proxied
        directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)

    def listenTCP(self, port: int, factory: Factory, *arguments: Any, **more: Any) -> Any:
        """
        Listen on TCP.
        """
        return self._reactor.listenTCP(port, self._layered(factory), *arguments, **more)

    def listenSSL(
        self,
        port: int,
        factory: Factory,
        contextFactory: Any,
        backlog: int = 50,
        interface: str = "",
    ) -> Any:
        """
        Listen on TCP with TLS.
        """
        # There is one, or there would be no contextFactory.
        kind: Any = endpoints.TLSMemoryBIOFactory
        overTLS = kind(contextFactory, False, factory, self._reactor)
        return self.listenTCP(port, overTLS, backlog, interface)

    def listenUNIX(self, address: str, factory: Factory, *arguments: Any, **more: Any) -> Any:
        """
        Listen on a UNIX socket.
        """
        return self._reactor.listenUNIX(address, self._layered(factory), *arguments, **more)

    def adoptStreamPort(self, descriptor: int, family: int, factory: Factory) -> Any:
        """
        Listen on a socket that listens already.
        """
        return self._reactor.adoptStreamPort(descriptor, family, self._layered(factory))

    def _layered(self, factory: Factory) -> Factory:
        # None where there is no TLS.
        kind = endpoints.TLSMemoryBIOFactory
        if kind is not None and isinstance(factory, kind):
            from echod.tcp.tls import useTransport

            useTransport(factory, self._reactor)
        return ProxyFactory(self._reactor, factory) if self._proxied else factory


def layered(reactor: Any, description: str) -> tuple[LayeredReactor, str]:
    """
    @return: What the endpoint of a description is to listen on, and what there
        is to say about it to those who do not know of the PROXY protocol.

    @raise ValueError: if the PROXY protocol is not for such an endpoint.
    """
    proxied = description.lower().startswith(PROXY)
    if not proxied:
        return LayeredReactor(reactor, proxied), description
    inner = description[len(PROXY) :]
    kind, colon, _ = inner.partition(":")
    if colon and kind.isalpha() and kind.lower() not in PROXIED:
        raise ValueError(f"{PROXY} goes with {', '.join(PROXIED)}, not with {kind}")
    return LayeredReactor(reactor, proxied), inner


def serverFromString(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    Twisted's function of this name, with our layers.
    """
    endpoint: IStreamServerEndpoint = endpoints.serverFromString(*layered(reactor, description))
    return endpoint
