"""
The target of a client: from the text on the command line to an endpoint or an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    clientFromString,
)
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from zope.interface import implementer

from echod.client.reactor import IClientReactor
from echod.net.addresses import LOOPBACK, MAX_PORT
from echod.net.descriptions import CLIENT_ARGUMENTS, checkNumbers
from echod.net.format import hostPort, shortened
from echod.net.quantities import wholeNumber

LOOPBACK6 = "::1"
"""
The host of a target that is a port alone, with C{--ipv6}.
"""

Family = type[IPv4Address] | type[IPv6Address]

WRONG_TARGET = "neither HOST, HOST:PORT, [V6]:PORT nor a client endpoint description"

_PORT = re.compile(r"[0-9]+")

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<name>[^:/\s]+))(?::(?P<port>[0-9]+))?")
"""
C{HOST}, C{HOST:PORT}, C{[V6]} or C{[V6]:PORT}.
"""


class Address(NamedTuple):
    """
    A host, as a name or a literal address, and a port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return hostPort(*self)


class Description(str):
    """
    A Twisted client endpoint description: C{tls:host:8443}.
    """


def parseTarget(text: str, port: int, loopback: str = LOOPBACK) -> Address | Description:
    """
    Parse a target.

    @param port: The port of a target that names none.

    @param loopback: The host of a target that is a port alone.

    @raise ValueError: if the text is neither an address nor an endpoint description.
    """
    if _PORT.fullmatch(text):
        return Address(loopback, _port(text))
    if text.count(":") > 1 and _isLiteral(text):
        return Address(text, port)
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        if not re.match("[a-z0-9]+:", text):
            raise ValueError(WRONG_TARGET)
        checkNumbers(text, CLIENT_ARGUMENTS)
        return Description(text)
    if match["v6"] is not None and not _isLiteral(match["v6"]):
        raise ValueError(f"{shortened(match['v6'])!r} is not an IPv6 address")
    if match["name"] and not _isName(match["name"]):
        raise ValueError(f"{shortened(match['name'])!a} is not a host name")
    return Address(
        match["v6"] or match["name"], _port(match["port"]) if match["port"] else port
    )


def _port(text: str) -> int:
    try:
        return wholeNumber(text, 1, MAX_PORT)
    except ValueError:
        raise ValueError(
            f"{shortened(text)} is not a port; ports are 1 to {MAX_PORT}"
        ) from None


def _isLiteral(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _isName(text: str) -> bool:
    # With a name that cannot be encoded, Twisted's resolver never answers.
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    # A number in digits of another script is a port that was mistyped.
    return text.isascii() or not text.isdigit()


def streamEndpoint(
    reactor: IClientReactor,
    target: Address | Description,
    patience: float,
    fromString: Callable[[IClientReactor, str], IStreamClientEndpoint] = clientFromString,
) -> IStreamClientEndpoint:
    """
    @param patience: How long connecting may take, in seconds.  An endpoint description
        has its own timeout.

    @param fromString: Parses an endpoint description.

    @return: The endpoint of the target.  If the target is a name, all its addresses are
        tried, IPv6 and IPv4 (RFC 8305).

    @raise ValueError: if the description is wrong.
    """
    if isinstance(target, Address):
        endpoint: IStreamClientEndpoint = HostnameEndpoint(
            reactor, target.host, target.port, timeout=patience
        )
        return endpoint
    try:
        return fromString(reactor, str(target))
    except ImportError as error:
        raise ValueError(f"needs the tls extra of txechod ({error})") from None
    except Exception as error:
        # A parser of endpoint descriptions, which may be a plugin, raises anything.
        raise ValueError(f"{WRONG_TARGET} ({shortened(str(error))})") from None


async def streamEndpointOf(
    reactor: IClientReactor, target: Address, patience: float, family: Family
) -> IStreamClientEndpoint:
    """
    @param family: L{IPv4Address} or L{IPv6Address}.

    @return: The endpoint of the target, by one family only.
    """
    host, port = await resolve(reactor, target, family)
    kind = TCP6ClientEndpoint if family is IPv6Address else TCP4ClientEndpoint
    endpoint: IStreamClientEndpoint = kind(reactor, host, port, patience)
    return endpoint


@implementer(IResolutionReceiver)
class _Addresses:
    def __init__(self) -> None:
        self.found: list[IPv4Address | IPv6Address] = []
        self.complete: Deferred[None] = Deferred()

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        pass

    def addressResolved(self, address: IAddress) -> None:
        assert isinstance(address, (IPv4Address, IPv6Address))
        self.found.append(address)

    def resolutionComplete(self) -> None:
        self.complete.callback(None)


async def resolve(reactor: IClientReactor, target: Address, family: Family | None) -> Address:
    """
    Find one address of a host.

    IPv4 is preferred, because echo servers listen on it by default.

    @param family: L{IPv4Address} or L{IPv6Address}, if the address must be of this kind.

    @raise DNSLookupError: if there is no such address.
    """
    addresses = _Addresses()
    kinds = [IPv4Address, IPv6Address] if family is None else [family]
    reactor.nameResolver.resolveHostName(
        addresses, target.host, target.port, kinds, transportSemantics="UDP"
    )
    await addresses.complete
    # Some resolvers also return other kinds than those asked for.
    found = sorted(
        (address for address in addresses.found if isinstance(address, tuple(kinds))),
        key=lambda address: kinds.index(type(address)),
    )
    if not found:
        of = {None: "", IPv4Address: "IPv4 ", IPv6Address: "IPv6 "}[family]
        raise DNSLookupError(f"{target.host} has no {of}address")
    return Address(scoped(found[0]).host, target.port)


def scoped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """
    @return: The address with its scope in the host (C{fe80::1%2}).  A link-local address
        is valid only together with its link.
    """
    if isinstance(address, IPv4Address) or not address.scopeID or "%" in address.host:
        return address
    host = f"{address.host}%{address.scopeID}"
    return IPv6Address(address.type, host, address.port, address.flowInfo, address.scopeID)


class ScopedResolver:
    """
    A name resolver that keeps the scope of addresses.  Twisted's endpoints drop it.
    """

    def __init__(self, resolver: IHostnameResolver) -> None:
        self._resolver = resolver

    def resolveHostName(
        self, receiver: IResolutionReceiver, *arguments: Any, **keywords: Any
    ) -> IHostResolution:
        """
        Resolve a name.
        """
        return self._resolver.resolveHostName(_ScopedReceiver(receiver), *arguments, **keywords)


@implementer(IResolutionReceiver)
class _ScopedReceiver:
    def __init__(self, receiver: IResolutionReceiver) -> None:
        self.resolutionBegan = receiver.resolutionBegan
        self.resolutionComplete = receiver.resolutionComplete
        self._receiver = receiver

    def addressResolved(self, address: IAddress) -> None:
        assert isinstance(address, (IPv4Address, IPv6Address))
        self._receiver.addressResolved(scoped(address))
