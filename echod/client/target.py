"""
What a client talks to: from the text that a person wrote to an endpoint.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Any, NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP6ClientEndpoint, clientFromString
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from echod.net.addresses import LOOPBACK, MAX_PORT
from echod.net.descriptions import CLIENT_ARGUMENTS, checkNumbers
from echod.net.format import hostPort, shortened
from echod.net.quantities import wholeNumber

LOOPBACK6 = "::1"
"""
What a port alone is a port of, where only IPv6 will do.
"""

_PORT = re.compile(r"[0-9]+")

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<name>[^:/\s]+))(?::(?P<port>[0-9]+))?")
"""
C{HOST}, C{HOST:PORT}, C{[V6]} or C{[V6]:PORT}.
"""


class Address(NamedTuple):
    """
    A host, by name or literally, and a port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return hostPort(*self)


class Description(str):
    """
    A Twisted client endpoint description: C{tls:host:8443}.
    """


def parse(text: str, port: int, loopback: str = LOOPBACK) -> Address | Description:
    """
    @param port: The one to take where the text has none.

    @param loopback: What a port alone is a port of.

    @raise ValueError: for what can be neither an address nor a description.
    """
    if _PORT.fullmatch(text):
        return Address(loopback, _port(text))
    if text.count(":") > 1 and _isLiteral(text):
        return Address(text, port)
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        if not re.match("[a-z0-9]+:", text):
            raise ValueError(
                "neither HOST, HOST:PORT, [V6]:PORT nor a client endpoint description"
            )
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
    # What cannot be encoded makes Twisted's resolver fail without an answer.
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    # A number in digits of another script is a port that was mistyped.
    return text.isascii() or not text.isdigit()


def streamEndpoint(reactor: Any, target: Address | Description, patience: float) -> Any:
    """
    @param patience: How long connecting may take, in seconds; a description
        says so itself.

    @return: Where to connect to.  A name is tried at all its addresses, IPv6 and
        IPv4 (RFC 8305).

    @raise ValueError: for a description that makes no sense.
    """
    if isinstance(target, Address):
        return HostnameEndpoint(reactor, target.host, target.port, timeout=patience)
    try:
        return clientFromString(reactor, str(target))
    except ImportError as error:
        raise ValueError(f"needs the tls extra of txechod ({error})") from None
    except Exception as error:
        # What a parser of endpoint descriptions raises is up to its author.
        raise ValueError(
            f"neither HOST, HOST:PORT, [V6]:PORT nor a client endpoint description "
            f"({shortened(str(error))})"
        ) from None


async def streamEndpoint6(reactor: Any, target: Address, patience: float) -> Any:
    """
    @return: Where to connect to, by IPv6 only.
    """
    host, port = await resolve(reactor, target, True)
    return TCP6ClientEndpoint(reactor, host, port, patience)


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


async def resolve(reactor: Any, target: Address, ipv6: bool) -> Address:
    """
    @return: The first address of a host: by IPv4 if it has one, as it is there
        that echo servers listen by default; or by IPv6 only.

    @raise DNSLookupError: if there is none.
    """
    addresses = _Addresses()
    kinds: list[type[IAddress]] = [IPv6Address] if ipv6 else [IPv4Address, IPv6Address]
    reactor.nameResolver.resolveHostName(
        addresses, target.host, target.port, kinds, transportSemantics="UDP"
    )
    await addresses.complete
    # Some resolvers have their own idea of what was asked for.
    found = sorted(
        (address for address in addresses.found if isinstance(address, tuple(kinds))),
        key=lambda address: kinds.index(type(address)),
    )
    if not found:
        raise DNSLookupError(f"{target.host} has no {'IPv6 ' if ipv6 else ''}address")
    # A link-local address means something on one of the links only.
    scope = getattr(found[0], "scopeID", 0)
    return Address(found[0].host + (f"%{scope}" if scope else ""), target.port)
