"""
Which datagrams are answered.

An echo server answers whoever a datagram says it is from, and anyone can say
anything.  Two servers that answer each other never stop (CVE-1999-0103,
CVE-2024-2169), an answer to a group is an attack on all of it, and answers
without number to one who never asked are an attack on him.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from ipaddress import IPv4Address

from echod.limits.capacity import RateLimit, onThisMachine
from echod.limits.networks import DENIED, KNOWN_HOSTS, Networks, parsed

RESERVED = 1024
"""
Ports below this are not what clients send from; echo, chargen, daytime and DNS
servers are found there.
"""

RESERVED_PORT = "reserved source port"
OWN_PORT = "own source port"
UNSPECIFIED = "unspecified source"
MULTICAST = "multicast source"
BROADCAST = "broadcast source"
TO_GROUP = "sent to a group"
OVER_RATE = "over the rate of its source"


class DatagramGuard:
    """
    Tells which datagrams must not be answered.  All UDP servers of a process
    share one, so that they do not answer each other either, and together keep
    to the rate.

    @ivar ownPorts: How many of them listen on each port, at one address or
        another.

    @ivar unmetered: Those about whom the answer was yes, in whatever words a
        server has for who asks whom, if nobody counts how often they ask.

    @ivar metered: The others about whom it was, and their hosts.
    """

    def __init__(self, networks: Networks | None = None, rate: RateLimit | None = None) -> None:
        """
        @param networks: Whom to serve; everyone unless given.

        @param rate: How often to answer one host other than this machine;
            any number of times unless given.
        """
        self.ownPorts: Counter[int] = Counter()
        self.unmetered: set[bytes] = set()
        self.metered: dict[bytes, str] = {}
        self._networks = networks or Networks()
        self._rate = rate

    def opened(self, port: int) -> None:
        """
        A server listens on a port.
        """
        self.ownPorts[port] += 1
        self.unmetered.clear()
        self.metered.clear()

    def closed(self, port: int) -> None:
        """
        A server does not listen on a port any more.
        """
        self.ownPorts[port] -= 1

    def remember(self, parties: bytes, host: str) -> None:
        """
        Remember who may be answered, as far as the rate allows.
        """
        if len(self.unmetered) + len(self.metered) >= KNOWN_HOSTS:
            self.unmetered.clear()
            self.metered.clear()
        if self._rate is not None and not parsed(host).is_loopback:
            self.metered[parties] = host
        else:
            self.unmetered.add(parties)

    def refusal(
        self, host: str, port: int, toGroup: bool = False, *, now: float = 0
    ) -> str | None:
        """
        @param host: The source's literal address.

        @param port: The source's port.

        @param toGroup: Whether the datagram was sent to a broadcast or multicast
            address.  There is no such address to answer from, and all others who
            hear it would answer as well.

        @param now: The time, in seconds.

        @return: Why not to answer, or L{None}.
        """
        if port < RESERVED:
            return RESERVED_PORT
        if self.ownPorts[port]:
            return OWN_PORT
        if toGroup:
            return TO_GROUP
        if not self._networks.serves(host):
            return DENIED
        return _hostRefusal(host) or self.rateRefusal(host, now)

    def rateRefusal(self, host: str, now: float) -> str | None:
        """
        @return: Why not to answer just now one who may be answered, or L{None}.
        """
        if self._rate is None or not self._rate.exceeded(host, now) or onThisMachine(host, now):
            return None
        return OVER_RATE


@lru_cache(KNOWN_HOSTS)
def _hostRefusal(host: str) -> str | None:
    address = parsed(host)
    if address.is_unspecified:
        return UNSPECIFIED
    if address.is_multicast:
        return MULTICAST
    # The broadcast address of a subnet looks like any other, but the system
    # refuses to send to it.
    if address == IPv4Address("255.255.255.255"):
        return BROADCAST
    return None
