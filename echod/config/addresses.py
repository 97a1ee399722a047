"""
The addresses of a command line: their text is read without a reactor, and what
listens on them is made with one.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any

from twisted.internet.endpoints import (
    StandardIOEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    serverFromString,
)

from echod.limits.networks import Networks
from echod.net.addresses import LOOPBACK, MAX_PORT
from echod.net.descriptions import checkNumbers
from echod.net.format import hostPort, shortened
from echod.net.quantities import wholeNumber
from echod.service.inherited import PREFIX, InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.service.listening import Endpoint
from echod.tcp.endpoints import layered
from echod.udp.endpoint import UDPServerEndpoint

BACKLOG = 4096
"""
How many connections may wait to be accepted.  The system reduces it to its own limit
(C{net.core.somaxconn}, 4096 on Linux).  With Twisted's default of 50, clients of a busy
server wait a second for their next attempt.
"""

_LITERAL = re.compile(r"(?:\[(?P<v6>[^]]+)\]:|(?P<v4>[0-9.]*\.[0-9.]*):)?(?P<port>[0-9]+)")
"""
A port, or a literal address with a port.
"""

Finder = Callable[[str, socket.SocketKind], tuple[int, socket.AddressFamily]]
"""
Returns the inherited socket for a description, as
L{inherited<echod.service.inherited.inherited>} does.
"""


@dataclass(frozen=True)
class Address:
    """
    An address to listen on.
    """

    text: str
    """
    The whole address, as the log shows it.
    """

    host: str | None = None
    """
    The literal IP address; L{None} if C{text} is an endpoint description.
    """

    port: int = 0


def streamAddress(value: str) -> Address:
    """
    Read an address for connections.

    @raise ValueError: if it is wrong, as far as its text shows.
    """
    _, description = layered(None, value)
    if _LITERAL.fullmatch(description):
        return _literal(description, value[: -len(description)])
    checkNumbers(description)
    return Address(value)


def statusAddress(value: str) -> Address:
    """
    Read an address for the status page.

    @raise ValueError: if it is wrong, or if the page needs a package that is missing.
    """
    if find_spec("prometheus_client") is None:
        raise ValueError("needs the status extra of txechod (prometheus_client)")
    return streamAddress(value)


def datagramAddress(value: str) -> Address:
    """
    Read an address for datagrams.

    @raise ValueError: if it is wrong.
    """
    if value.startswith(PREFIX):
        return Address(value)
    if not _LITERAL.fullmatch(value):
        raise ValueError(
            "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
            "nor a socket that was handed over (systemd:domain=INET:name=NAME)"
        )
    return _literal(value)


def _literal(value: str, prefix: str = "") -> Address:
    match = _LITERAL.fullmatch(value)
    assert match is not None
    try:
        port = wholeNumber(match["port"], 0, MAX_PORT)
    except ValueError:
        raise ValueError(
            f"{shortened(match['port'])} is not a port; ports are 0 to {MAX_PORT}"
        ) from None
    host = match["v6"] or match["v4"] or LOOPBACK
    ip_address(host)
    return Address(prefix + hostPort(host, port), host, port)


def streamEndpoint(
    address: Address, listener: Any, find: Finder, proxies: Networks | None = None
) -> Endpoint:
    """
    Make the endpoint of an address for connections.

    @param listener: The reactor to listen on.

    @param proxies: The addresses that may send PROXY headers; L{None} for all.

    @raise ValueError: if the endpoint cannot be made.
    """
    reactor, description = layered(listener, address.text, proxies)
    if address.host is not None:
        kind = TCP6ServerEndpoint if ":" in address.host else TCP4ServerEndpoint
        return kind(reactor, address.port, BACKLOG, address.host)
    if description.startswith(PREFIX):
        return InheritedStreamEndpoint(reactor, *find(description, socket.SOCK_STREAM))
    try:
        endpoint: Endpoint = serverFromString(reactor, description)
    except ImportError as error:
        raise ValueError(f"needs the tls extra of txechod ({error})") from None
    except Exception as error:
        # Each parser of endpoint descriptions may raise its own kind of exception.
        raise ValueError(
            "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
            f"nor an endpoint description ({shortened(str(error))})"
        ) from None
    if isinstance(endpoint, StandardIOEndpoint):
        raise ValueError(
            "standard input is not an address to listen on; a port (8080) or "
            "unix:/run/echod.sock is"
        )
    return endpoint


def datagramEndpoint(address: Address, reactor: Any, find: Finder) -> Endpoint:
    """
    Make the endpoint of an address for datagrams.

    @raise ValueError: if the inherited socket cannot be used.
    """
    if address.host is None:
        return InheritedUDPEndpoint(reactor, *find(address.text, socket.SOCK_DGRAM))
    return UDPServerEndpoint(reactor, address.port, address.host)
