"""
The socket options of UDP echo.

Some systems lack some of them (gVisor, some containers).  echod then serves without
them, and says so once.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from typing import Any

from twisted.logger import Logger

from echod.net.addresses import parsed
from echod.udp.guard import ANSWER_TTL

_log = Logger(namespace="echod.udp")

LINUX = sys.platform == "linux"

IP_PKTINFO = 8
"""
Python has the names of some options of Linux only since 3.12 or not at all.
"""

Option = tuple[str, int, int, int]
"""
The name of a socket option, its level, its number, and its value.
"""

_SENT: dict[int, list[Option]] = {
    socket.AF_INET: [("IP_TTL", socket.IPPROTO_IP, socket.IP_TTL, ANSWER_TTL)],
    socket.AF_INET6: [
        ("IPV6_UNICAST_HOPS", socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ANSWER_TTL)
    ],
}

# The last option of each list is IP_PMTUDISC_DONT or IPV6_PMTUDISC_DONT.  A router with a
# small MTU then cuts an IPv4 answer into fragments, and does not need to tell us.
_LINUX: dict[int, list[Option]] = {
    socket.AF_INET: [
        ("IP_RECVTTL", socket.IPPROTO_IP, 12, 1),
        ("IP_MTU_DISCOVER", socket.IPPROTO_IP, 10, 0),
    ],
    socket.AF_INET6: [
        ("IPV6_RECVHOPLIMIT", socket.IPPROTO_IPV6, 51, 1),
        ("IPV6_MTU_DISCOVER", socket.IPPROTO_IPV6, 23, 0),
    ],
}

_DESTINATION: dict[int, Option] = {
    socket.AF_INET: ("IP_PKTINFO", socket.IPPROTO_IP, IP_PKTINFO, 1),
    socket.AF_INET6: ("IPV6_RECVPKTINFO", socket.IPPROTO_IPV6, 49, 1),
}


def setOptions(skt: Any, linux: bool = LINUX) -> list[str]:
    """
    Set the options of a bound socket.

    @param linux: L{False} to set only those of all systems.

    @return: The names of the options that the system lacks.
    """
    # An IPv6 socket may serve IPv4 as well.
    families = {skt.family, socket.AF_INET}
    options = [option for family in families for option in _SENT[family]]
    if linux:
        options += [option for family in families for option in _LINUX[family]]
        # A socket with one address is faster without its destination.
        if isWildcard(skt.getsockname()[0]):
            options.append(_DESTINATION[skt.family])
    return _refused(skt, options)


def asksForDestination(skt: Any) -> bool:
    """
    @return: True if the system tells the destination of each datagram.
    """
    _, level, number, _ = _DESTINATION[skt.family]
    try:
        return bool(skt.getsockopt(level, number))
    except OSError:
        return False


def serveIPv4(skt: Any) -> list[str]:
    """
    Let an IPv6 socket serve IPv4 as well when it is bound to C{[::]}, with any value of
    C{net.ipv6.bindv6only}.  Call this before the socket is bound.

    @return: The name of the option if the system lacks it.
    """
    return _refused(skt, [("IPV6_V6ONLY", socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)])


class MissingOptions:
    """
    The names of the options that the system lacks.
    """

    def __init__(self) -> None:
        self._names: set[str] = set()

    def report(self, *names: str) -> None:
        """
        Log names in one line: each name once, not again for each socket.
        """
        new = [name for name in dict.fromkeys(names) if name not in self._names]
        self._names.update(new)
        if new:
            _log.warn(
                "UDP echo: this system lacks {names}; echod serves without",
                names=", ".join(new),
            )


def isWildcard(host: str) -> bool:
    """
    @param host: A literal address; empty for all IPv4 addresses.

    @return: True if it stands for all addresses of this machine.
    """
    return not host or parsed(host).is_unspecified


def _refused(skt: Any, options: Iterable[Option]) -> list[str]:
    names = []
    for name, level, number, value in options:
        try:
            skt.setsockopt(level, number, value)
        except OSError:
            names.append(name)
    return names
