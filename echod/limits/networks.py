"""
Allowed and denied networks.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network

from echod.net.addresses import parsed

KNOWN_HOSTS = 4096
"""
The number of addresses whose decision is cached: enough for all peers that are active at
one time, and a bound on the memory that forged sources can take.
"""

DENIED = "denied address"

MAPPED = 96
"""
The length of the prefix of IPv4-mapped IPv6 addresses, in bits.
"""

Network = IPv4Network | IPv6Network


def _unmapped(network: Network) -> Network:
    """
    @return: The IPv4 network, if a network is written as IPv4-mapped IPv6 addresses.
    """
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is None or network.prefixlen < MAPPED:
        return network
    return IPv4Network((int(mapped), network.prefixlen - MAPPED))


class Networks:
    """
    Decides which addresses are served.

    The most specific network that contains an address decides.  An address in no network
    is served, unless there are allowed networks: then only these are served.
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
