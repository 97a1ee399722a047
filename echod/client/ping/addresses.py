"""
The addresses of the two ends of a measurement.
"""

from __future__ import annotations

import socket
from typing import NamedTuple, Protocol

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from echod.net.format import hostPort


class Addresses(NamedTuple):
    """
    The addresses of a socket.

    @ivar peer: The address of the server, with its port: C{[fe80::1%eth0]:8080}.

    @ivar source: The address of this machine, without a port.
    """

    peer: str
    source: str


class Connected(Protocol):
    """
    A transport that has a peer.
    """

    def getPeer(self) -> IAddress: ...

    def getHost(self) -> IAddress: ...


def addressesOf(transport: Connected) -> Addresses | None:
    """
    @return: The addresses of a transport; L{None} for a UNIX socket.
    """
    peer, source = transport.getPeer(), transport.getHost()
    if not isinstance(peer, (IPv4Address, IPv6Address)):
        return None
    assert isinstance(source, (IPv4Address, IPv6Address))
    return Addresses(hostPort(_host(peer), peer.port), _host(source))


def title(target: str, address: str | None) -> str:
    """
    @return: The target with its address, if that says more: C{localhost (127.0.0.1:8080)}.
    """
    if address is None or address == target:
        return target
    _, colon, port = address.rpartition(":")
    return f"{target.removesuffix(colon + port)} ({address})"


def _host(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address) or not address.scopeID:
        return address.host
    bare = address.host.partition("%")[0]
    # The name of the interface, not its number.
    host, _ = socket.getnameinfo(
        (bare, address.port, address.flowInfo, int(address.scopeID)),
        socket.NI_NUMERICHOST | socket.NI_NUMERICSERV,
    )
    return host
