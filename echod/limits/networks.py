"""
Whom to serve: allowed and denied networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

KNOWN_HOSTS = 4096
"""
How many hosts are remembered with what was decided on them: enough for those
who talk at one time, and an end to what forged sources can fill.
"""

DENIED = "denied address"

MAPPED = 96
"""
After how many bits of an IPv6 address an IPv4 address can stand.
"""

Network = IPv4Network | IPv6Network


def parsed(host: str) -> IPv4Address | IPv6Address:
    """
    @param host: A literal address, with a scope or without.

    @return: The address; IPv4 as such, also where a socket for both versions
        sees it as C{::ffff:a.b.c.d}.
    """
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address


def _unmapped(network: Network) -> Network:
    """
    @return: The network of IPv4 addresses that is written as one of IPv6.
    """
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return IPv4Network((int(mapped), network.prefixlen - MAPPED))


class Networks:
    """
    Decides by address whom to serve.  The most specific network that an address
    is in counts.  Who is in none of them is served, unless there are networks
    that are allowed: then only these are.
    """

    def __init__(self, allowed: Iterable[Network] = (), denied: Iterable[Network] = ()) -> None:
        """
        @raise ValueError: if a network is both allowed and denied.
        """
        allowed, denied = set(map(_unmapped, allowed)), set(map(_unmapped, denied))
        for network in allowed & denied:
            raise ValueError(f"{network} is both allowed and denied")
        self._served = {network: network in allowed for network in allowed | denied}
        self._specificFirst = sorted(self._served, key=lambda network: -network.prefixlen)
        self._otherwise = not allowed
        self.serves = lru_cache(KNOWN_HOSTS)(self._serves)

    def _serves(self, host: str) -> bool:
        address = parsed(host)
        for network in self._specificFirst:
            if address in network:
                return self._served[network]
        return self._otherwise
