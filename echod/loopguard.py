"""
Which datagrams are answered.

An echo server answers whoever a datagram says it is from, and anyone can say
anything.  Two servers that answer each other never stop (CVE-1999-0103,
CVE-2024-2169), and an answer to a group is an attack on all of it.
"""

from collections import Counter
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

RESERVED = 1024
"""
Ports below this are not what clients send from; echo, chargen, daytime and DNS
servers are found there.
"""

KNOWN_HOSTS = 4096
"""
How many hosts' kinds are remembered: enough for those who talk at one time,
and an end to what forged sources can fill.
"""

RESERVED_PORT = "reserved source port"
OWN_PORT = "own source port"
UNSPECIFIED = "unspecified source"
MULTICAST = "multicast source"
BROADCAST = "broadcast source"
TO_GROUP = "sent to a group"


class LoopGuard:
    """
    Tells which datagrams must not be answered.  All UDP servers of a process
    share one, so that they do not answer each other either.

    @ivar ownPorts: How many of them listen on each port, at one address or
        another.

    @ivar answerable: Those about whom the answer was yes.
    """

    def __init__(self) -> None:
        self.ownPorts: Counter[int] = Counter()

        self.answerable: set[bytes] = set()

    def opened(self, port: int) -> None:
        """
        A server listens on a port.
        """
        self.ownPorts[port] += 1
        self.answerable.clear()

    def closed(self, port: int) -> None:
        """
        A server does not listen on a port any more.
        """
        self.ownPorts[port] -= 1

    def remember(self, parties: bytes) -> None:
        """
        Remember who may be answered, in whatever words a server has for that.
        """
        if len(self.answerable) >= KNOWN_HOSTS:
            self.answerable.clear()
        self.answerable.add(parties)

    def refusal(self, host: str, port: int, toGroup: bool = False) -> str | None:
        """
        @param host: The source's literal address.

        @param port: The source's port.

        @param toGroup: Whether the datagram was sent to a broadcast or multicast
            address.  There is no such address to answer from, and all others who
            hear it would answer as well.

        @return: Why not to answer, or L{None}.
        """
        if port < RESERVED:
            return RESERVED_PORT
        if self.ownPorts[port]:
            return OWN_PORT
        if toGroup:
            return TO_GROUP
        return _hostRefusal(host)


@lru_cache(KNOWN_HOSTS)
def _hostRefusal(host: str) -> str | None:
    address = ip_address(host)
    # A socket for both versions sees IPv4 as ::ffff:a.b.c.d.
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified:
        return UNSPECIFIED
    if address.is_multicast:
        return MULTICAST
    # The broadcast address of a subnet looks like any other, but the system
    # refuses to send to it.
    if address == IPv4Address("255.255.255.255"):
        return BROADCAST
    return None
