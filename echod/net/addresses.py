"""
Addresses and ports, as servers and clients agree on them.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

LOOPBACK = "127.0.0.1"
"""
The address that belongs to a port without an address.
"""

LOOPBACK6 = "::1"

LIMITED_BROADCAST = IPv4Address("255.255.255.255")

MAX_PORT = 65535


def parsed(host: str) -> IPv4Address | IPv6Address:
    """
    @param host: A literal address, with or without a scope.

    @return: The address.  An IPv4-mapped address (C{::ffff:192.0.2.1}), which is how a
        socket for both versions sees an IPv4 peer, is returned as the IPv4 address.

    @raise ValueError: if it is not an address.
    """
    address = ip_address(host)
    return getattr(address, "ipv4_mapped", None) or address
