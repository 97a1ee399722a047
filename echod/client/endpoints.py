"""
From the target of a client to an endpoint or an address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
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
    IHostResolution,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from zope.interface import implementer

from echod.client.reactor import IClientReactor
from echod.client.target import WRONG_TARGET, Address, Family, Target
from echod.net.extras import needed
from echod.net.format import shortened
from echod.net.tlsfiles import WrongFile, checkClientFiles


def streamEndpoint(
    reactor: IClientReactor,
    target: Target,
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
        # A HostnameEndpoint asks a thread for each connection, also about an address.
        kind: Any = HostnameEndpoint
        if isIPv6Address(target.host):
            kind = TCP6ClientEndpoint
        elif isIPAddress(target.host):
            kind = TCP4ClientEndpoint
        endpoint: IStreamClientEndpoint = kind(reactor, target.host, target.port, patience)
        return endpoint
    try:
        checkClientFiles(target)
        return fromString(reactor, str(target))
    except (ImportError, NameError):
        # Without pyOpenSSL, Twisted uses names that it has not imported.
        raise ValueError(needed("tls")) from None
    except WrongFile:
        raise
    except Exception as error:
        # A parser of endpoint descriptions, which may be a plugin, raises anything.
        raise ValueError(f"{WRONG_TARGET} ({shortened(str(error))})") from None


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


async def resolve(
    reactor: IClientReactor, target: Address, family: Family | None
) -> list[Address]:
    """
    Find the addresses of a host.

    IPv4 comes first, because echo servers listen on it by default.

    @param family: L{IPv4Address} or L{IPv6Address}, if the addresses must be of this kind.

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
    return [Address(address.host, target.port) for address in found]
