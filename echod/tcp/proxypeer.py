"""
The peer of a session behind a proxy: which address is logged, and which one the limits
apply to.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IAddress
from zope.interface import implementer

from echod.net.addresses import parsed
from echod.net.format import addressName
from echod.tcp.proxyheader import Header


@implementer(IAddress)
@dataclass(frozen=True)
class UnnamedPeer:
    """
    The peer of a session whose header names no internet address, or the proxy's own.

    @ivar name: The peer as the log shows it.

    @ivar host: The proxy's IP address: allowed networks and limits for each source apply
        to it.  L{None} if they do not apply.

    @ivar isCheck: True if the connection is the proxy's own: a health check.
    """

    name: str
    host: str | None
    isCheck: bool = False

    def __str__(self) -> str:
        return self.name


def sessionAddress(header: Header, proxy: IAddress, trusted: bool) -> IAddress:
    """
    Choose the address of a session.  Networks and limits for each source apply to its
    C{host}.

    A header cannot bypass them: where it names no internet address, the proxy's own
    address counts.  Only a trusted proxy's own connections are free of them.  HAProxy's
    health checks are C{LOCAL} in version 2, and name HAProxy's own address in version 1.

    @param proxy: The address that the connection comes from.

    @param trusted: True if only known proxies may send headers.
    """
    source = header.source
    host = getattr(proxy, "host", None)
    host = host and str(parsed(host))
    if header.local or (trusted and host and host == getattr(source, "host", None)):
        return UnnamedPeer(addressName(proxy), None if trusted else host, isCheck=True)
    if isinstance(source, UNIXAddress):
        return UnnamedPeer(f"{addressName(source)} via {addressName(proxy)}", host)
    return source or proxy
