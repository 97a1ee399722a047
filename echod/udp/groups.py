"""
Addresses of groups of hosts: multicast and broadcast.
"""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address

from echod.limits.thismachine import ANY_PORT
from echod.net.addresses import LIMITED_BROADCAST, parsed


def groupKind(host: str) -> str | None:
    """
    @param host: A literal address.

    @return: C{multicast} or C{broadcast}; L{None} for the address of one host, and for
        all addresses of this machine.
    """
    address = parsed(host)
    if address.is_multicast:
        return "multicast"
    if isinstance(address, IPv4Address) and (
        address == LIMITED_BROADCAST or _isBroadcast(address)
    ):
        return "broadcast"
    return None


def _isBroadcast(address: IPv4Address) -> bool:
    """
    @return: True if it is the broadcast address of a network of this machine.
    """
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # This sends nothing.  For a broadcast address the system asks for SO_BROADCAST.
            probe.connect((str(address), ANY_PORT))
    except OSError as error:
        return error.errno == errno.EACCES
    return False
