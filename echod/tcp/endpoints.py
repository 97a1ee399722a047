"""
Endpoints for streams, with echod's own layers between a connection and its session: the
PROXY header and TLS.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from twisted.internet import endpoints
from twisted.internet.interfaces import (
    IStreamServerEndpoint,
    IStreamServerEndpointStringParser,
)
from twisted.internet.protocol import Factory
from twisted.plugin import getPlugins

from echod.limits.networks import Networks
from echod.net.reactor import ReactorWrapper
from echod.tcp.listeningsocket import ListeningReactor
from echod.tcp.proxyprotocol import ProxyFactory
from echod.tcp.thismachine import ThisMachineFactory

# Now, because it cannot be loaded after chroot.
with suppress(ImportError):
    from echod.tcp.tls import useTransport

PROXY = "haproxy:"
"""
The prefix of the description of an endpoint that expects PROXY headers.
"""

PROXIED = ("tcp", "tcp6", "ssl", "tls", "unix", "systemd")
"""
The kinds of endpoints that can expect them.
"""


BUILT_IN = ("tcp", "ssl", "unix")
"""
The kinds of endpoints that Twisted knows without a plugin.
"""


class LayeredReactor(ReactorWrapper):
    """
    A reactor that adds layers to each factory that listens on it.

    Only the reactor is below everything that endpoints add.  The PROXY header has to be
    there: HAProxy sends it before TLS.
    """

    def __init__(
        self,
        reactor: Any,
        proxied: bool = False,
        proxies: Networks | None = None,
        onlyThisMachine: bool = False,
    ) -> None:
        """
        @param proxied: True if connections start with a PROXY header.

        @param proxies: The addresses that may send it; L{None} for all.

        @param onlyThisMachine: True to refuse peers on other machines.
        """
        super().__init__(reactor)
        self._proxied = proxied
        self._proxies = proxies
        self._onlyThisMachine = onlyThisMachine

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
        # TLSMemoryBIOFactory exists, because there is a contextFactory.
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
        Listen on a socket that already listens.
        """
        return self._reactor.adoptStreamPort(descriptor, family, self._layered(factory))

    def _layered(self, factory: Factory) -> Factory:
        # None if pyOpenSSL is missing.
        kind = endpoints.TLSMemoryBIOFactory
        if kind is not None and isinstance(factory, kind):
            useTransport(factory, self._reactor)
        if self._proxied:
            factory = ProxyFactory(self._reactor, factory, self._proxies)
        if self._onlyThisMachine:
            factory = ThisMachineFactory(self._reactor, factory)
        return factory


def layered(
    reactor: Any,
    description: str,
    proxies: Networks | None = None,
    onlyThisMachine: bool = False,
) -> tuple[LayeredReactor, str]:
    """
    @param proxies: The addresses that may send PROXY headers; L{None} for all.

    @param onlyThisMachine: True to refuse peers on other machines.

    @return: The reactor that the endpoint of a description must listen on, and the
        description for it, without C{haproxy:}.

    @raise ValueError: if such an endpoint cannot expect PROXY headers.
    """
    if not expectsHeader(description):
        return LayeredReactor(reactor, onlyThisMachine=onlyThisMachine), description
    inner = description[len(PROXY) :]
    kind, colon, _ = inner.partition(":")
    if colon and isKind(kind) and kind.lower() not in PROXIED:
        raise ValueError(f"{PROXY} goes with {', '.join(PROXIED)}, not with {kind}")
    return LayeredReactor(reactor, True, proxies, onlyThisMachine), inner


def isKind(word: str) -> bool:
    """
    @return: True if a word is a kind of endpoint, so that it cannot be a host name.
    """
    plugins = getPlugins(IStreamServerEndpointStringParser)
    return word.lower() in {*BUILT_IN, *(plugin.prefix.lower() for plugin in plugins)}


def expectsHeader(description: str) -> bool:
    """
    @return: True if the connections of an endpoint start with a PROXY header.
    """
    return description.lower().startswith(PROXY)


def serverFromString(
    reactor: Any, description: str, proxies: Networks | None = None
) -> IStreamServerEndpoint:
    """
    Make an endpoint as Twisted's function of this name does, with echod's layers.
    """
    where, inner = layered(ListeningReactor(reactor), description, proxies)
    endpoint: IStreamServerEndpoint = endpoints.serverFromString(where, inner)
    return endpoint
