"""
Addresses on the command line: read their text, without a reactor and without a network,
and make endpoints from them, with a reactor.
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
from echod.net.extras import needed
from echod.net.format import hostPort, shortened
from echod.net.quantities import wholeNumber
from echod.net.tlsfiles import WrongFile, checkServerFiles
from echod.service.inherited import PREFIX, InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.service.interfaces import Endpoint
from echod.tcp.endpoints import isKind, layered
from echod.udp.endpoint import UDPServerEndpoint

BACKLOG = 4096
"""
How many connections may wait to be accepted.  The system reduces it to its own limit
(C{net.core.somaxconn}, 4096 on Linux).  With Twisted's default of 50, clients of a busy
server wait a second for their next attempt.
"""

_HOST_PORT = re.compile(
    r"(?:\[(?P<v6>[^]]+)\]:|(?P<v4>[0-9.]*\.[0-9.]*):|"
    r"(?P<name>(?=.*[A-Za-z].*:)[A-Za-z0-9_][A-Za-z0-9_.-]*):)?"
    r"(?P<port>[0-9]+)"
)
"""
A port alone, or with a literal address or a host name.
"""

NO_ADDRESS = (
    "neither a port (8080), nor a host with a port (0.0.0.0:8080, [::]:8080, localhost:8080)"
)

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
    The literal IP address or the host name; L{None} if C{text} is an endpoint
    description.
    """

    port: int = 0

    thisMachine: bool = False
    """
    True for a port alone: it means all names of this machine, and only peers on this
    machine.
    """

    isName: bool = False
    """
    True if C{host} is a host name.
    """


def streamAddress(value: str) -> Address:
    """
    Read an address for connections.

    @raise ValueError: if its text is invalid.
    """
    _, description = layered(None, value)
    address = _hostPort(description, value[: -len(description)])
    if address is not None:
        return address
    if description.startswith(":"):
        raise ValueError("no address before the colon; all addresses are [::], as in [::]:8080")
    checkNumbers(description)
    return Address(value)


def statusAddress(value: str, findPackage: Callable[[str], object] = find_spec) -> Address:
    """
    Read an address for the status page.

    @raise ValueError: if it is wrong, or if the page needs a package that is missing.
    """
    if findPackage("prometheus_client") is None:
        raise ValueError(needed("status"))
    return streamAddress(value)


def datagramAddress(value: str) -> Address:
    """
    Read an address for datagrams.

    @raise ValueError: if it is wrong.
    """
    if value.startswith(PREFIX):
        return Address(value)
    address = _hostPort(value)
    if address is None:
        raise ValueError(
            f"{NO_ADDRESS}, nor a socket that was handed over (systemd:domain=INET:name=NAME)"
        )
    return address


def _hostPort(value: str, prefix: str = "") -> Address | None:
    """
    @return: The address, or L{None} if the value has another form.
    """
    match = _HOST_PORT.fullmatch(value)
    if match is None or (match["name"] and isKind(match["name"])):
        return None
    try:
        port = wholeNumber(match["port"], 0, MAX_PORT)
    except ValueError:
        raise ValueError(
            f"{shortened(match['port'])} is not a port; ports are 0 to {MAX_PORT}"
        ) from None
    name, literal = match["name"], match["v6"] or match["v4"]
    if literal:
        ip_address(literal)
    host = name or literal or LOOPBACK
    text = prefix + hostPort(host, port)
    return Address(text, host, port, thisMachine=value == match["port"], isName=bool(name))


def streamEndpoint(
    address: Address,
    reactor: Any,
    find: Finder,
    proxies: Networks | None = None,
    parse: Callable[[Any, str], Any] = serverFromString,
) -> Endpoint:
    """
    Make the endpoint of an address for connections.

    @param address: Not with a host name.

    @param proxies: The addresses that may send PROXY headers; L{None} for all.

    @param parse: Makes an endpoint from its description.

    @raise ValueError: if the endpoint cannot be made.
    """
    if address.host is not None:
        isV6 = ":" in address.host
        restricted = address.thisMachine and not ip_address(address.host).is_loopback
        listener, _ = layered(reactor, address.text, proxies, onlyThisMachine=restricted)
        kind = TCP6ServerEndpoint if isV6 else TCP4ServerEndpoint
        return kind(listener, address.port, BACKLOG, address.host)
    listener, description = layered(reactor, address.text, proxies)
    if description.startswith(PREFIX):
        return InheritedStreamEndpoint(listener, *find(description, socket.SOCK_STREAM))
    try:
        checkServerFiles(description)
        endpoint: Endpoint = parse(listener, description)
    except ImportError:
        raise ValueError(needed("tls")) from None
    except WrongFile:
        raise
    except Exception as error:
        # Each parser of endpoint descriptions may raise its own kind of exception.  Some of
        # the messages are about the parser: "_parseTCP() got an unexpected keyword argument".
        isMalformed = isinstance(error, (LookupError, RuntimeError))
        why = "malformed" if isMalformed else re.sub(r"^\w+\(\) ", "", str(error))
        raise ValueError(
            f"{NO_ADDRESS}, nor an endpoint description ({shortened(why)})"
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

    @param address: Not with a host name.

    @raise ValueError: if the inherited socket cannot be used.
    """
    if address.host is None:
        return InheritedUDPEndpoint(reactor, *find(address.text, socket.SOCK_DGRAM))
    return UDPServerEndpoint(reactor, address.port, address.host)
