"""
Find the IP addresses that a port alone or a host name stands for.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address

from twisted.logger import Logger

from echod.config.addresses import Address
from echod.net.addresses import LOOPBACK, LOOPBACK6
from echod.net.hostnames import lookUp

_log = Logger(namespace="echod.config")

SEPARATOR = "."
"""
Between the name of a service and the number of one of its sockets, as in C{tcp0.1}.
"""

Hosts = Callable[[str, Address], dict[str, str]]
"""
Takes the name of a service and its address; returns the name of each socket, with the
literal address to listen on.

May raise C{ValueError}: the address has no such socket.
"""


def socketNames(service: str, hosts: list[str]) -> dict[str, str]:
    """
    Name the sockets of a service: C{tcp0}, C{tcp0.1}, C{tcp0.2}.
    """
    return {
        f"{service}{SEPARATOR}{number}" if number else service: host
        for number, host in enumerate(hosts)
    }


def serviceName(name: str) -> str:
    """
    @return: The name of the service that a socket belongs to.
    """
    return name.partition(SEPARATOR)[0]


def hostsByName(
    lookUp: Callable[[str], list[str]] = lookUp,
    ownName: Callable[[], str] = socket.gethostname,
) -> Hosts:
    """
    @return: A function that looks up each host name once.
    """
    found = cache(lookUp)

    @cache
    def ofThisMachine() -> list[str]:
        own = ownName()
        try:
            extra = found(own)
        except OSError as error:
            _log.info("{own}, the name of this machine, {why}", own=own, why=error)
            extra = []
        # Link-local addresses mean nothing without an interface.
        extra = [host for host in extra if not ip_address(host).is_link_local]
        return list(dict.fromkeys([LOOPBACK, LOOPBACK6, *extra]))

    def hosts(service: str, address: Address) -> dict[str, str]:
        if address.thisMachine:
            return socketNames(service, ofThisMachine())
        assert address.host is not None
        try:
            literals = found(address.host)
        except OSError as error:
            raise ValueError(f"{address.host} {error}") from None
        if not literals:
            raise ValueError(f"{address.host} stands for no single machine")
        return socketNames(service, literals)

    return hosts
