"""
The limits of a service for connections: how many, for how long, from which networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Network

from echod.limits.networks import KNOWN_HOSTS, Networks
from echod.limits.ratelimit import RateLimit
from echod.net.addresses import parsed

STATUS_CONNECTIONS = 64
"""
The most connections to one status page: enough for several people and their monitors.
"""

IDLE_TIMEOUT = 600.0
"""
How long a session may be idle, in seconds: longer than people pause, and longer than most
NAT boxes remember a connection (RFC 5382 asks for two hours; a few minutes are common).
"""

DRAIN_TIMEOUT = 5.0
"""
How long a stop waits until sessions have returned everything, in seconds: well below the
time after which systemd (90) and Kubernetes (30) kill the process.
"""

SESSION_LINES = 5
"""
How many lines about the sessions of one service are logged in a second: a person can read
them, and one client cannot fill a disk with them.
"""

HOST_NETWORK = 64
"""
The length of the prefix of the smallest IPv6 network that one subscriber gets (RFC 6177),
in bits.  The subscriber can use any address in it.
"""

NO_ROOM = "too many connections"


class Capacity:
    """
    The number of connections that one service, or several together, may have.

    @ivar most: The limit; 0 for no limit.

    @ivar taken: The number of connections.
    """

    def __init__(self, most: int = 0, within: Capacity | None = None) -> None:
        """
        @param within: The capacity that this one is a part of.
        """
        self.most = most
        self._within = within
        self.taken = 0

    @property
    def full(self) -> bool:
        """
        True if no connection has room.
        """
        return 0 < self.most <= self.taken or (self._within is not None and self._within.full)

    def take(self, number: int) -> None:
        """
        Count connections that have begun; or, with a negative number, that have ended.
        """
        self.taken += number
        if self._within is not None:
            self._within.take(number)


@dataclass(frozen=True)
class Limits:
    """
    The limits of one service for connections.

    @ivar capacity: The number of connections.

    @ivar maxPerSource: The number of connections from one IPv4 address or one IPv6 /64; 0
        for no limit.

    @ivar connectRate: The rate of new connections from one IPv4 address or one IPv6 /64;
        L{None} for any rate.

    @ivar idleTimeout: How long a session may be idle, in seconds; 0 for no limit.

    @ivar drainTimeout: How long a stop waits until sessions have ended, in seconds.

    @ivar networks: The allowed and denied networks.

    @ivar sessionLines: How many lines about single sessions are logged in a second;
        infinity for all of them.
    """

    capacity: Capacity = field(default_factory=Capacity)
    maxPerSource: int = 0
    connectRate: RateLimit | None = None
    idleTimeout: float = IDLE_TIMEOUT
    drainTimeout: float = DRAIN_TIMEOUT
    networks: Networks = field(default_factory=Networks)
    sessionLines: float = SESSION_LINES


@lru_cache(KNOWN_HOSTS)
def sourceOf(host: str) -> str:
    """
    @param host: A literal address.

    @return: The source that limits apply to: an IPv4 address, or the /64 of an IPv6 address.
    """
    address = parsed(host)
    if address.version == 4:
        return str(address)
    return str(IPv6Network((int(address), HOST_NETWORK), strict=False))
