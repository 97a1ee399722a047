"""
The limits of a server for connections: how many, for how long, from which networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv6Network
from math import inf

from echod.limits.networks import Networks
from echod.limits.ratelimit import RateLimit
from echod.net.addresses import parsed

try:
    import resource
except ImportError:  # pragma: no cover (Windows)
    resource = None  # type: ignore[assignment]

RESERVE = 32
"""
How many file descriptors are left for other than connections: Twisted and its
log have a dozen, and each address that is listened on has one.
"""

FD_SETSIZE = 1024
"""
How many descriptors C{select} can watch.
"""

STATUS_CONNECTIONS = 64
"""
How many connections there may be to one HTTP status: a few people, and the
monitors of a few more.
"""

IDLE_TIMEOUT = 600.0
"""
How long a session may last in which nothing comes or goes, in seconds.  Longer
than a person is away from the keyboard for, and than the NAT boxes between
remember (RFC 5382: two hours at best, a few minutes in practice).
"""

DRAIN_TIMEOUT = 5.0
"""
How long a stop waits for sessions to have back what they have sent, in seconds:
well below what systemd (90) and Kubernetes (30) wait for.
"""

HOST_NETWORK = 64
"""
The network that one IPv6 subscriber has at the least (RFC 6177), and can take
any address of.
"""


NO_ROOM = "too many connections"


class Capacity:
    """
    Room for connections.  Services that share the file descriptors of a process
    can share one.

    @ivar most: How many there may be; 0 for any number.
    """

    def __init__(self, most: int = 0, within: Capacity | None = None) -> None:
        """
        @param within: The room that this is a part of.
        """
        self.most = most
        self._within = within
        self._taken = 0

    @classmethod
    def ofProcess(cls, most: float = inf, others: int = 0) -> Capacity:
        """
        @param most: How many descriptors the reactor can watch.

        @param others: How many to leave for what else there is.

        @return: What the limit of open files leaves room for.
        """
        if resource is None:  # pragma: no cover (Windows)
            return cls()
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(most, inf if limit == resource.RLIM_INFINITY else limit)
        return cls() if most == inf else cls(max(1, int(most) - RESERVE - others))

    @property
    def full(self) -> bool:
        """
        Whether there is no room left.
        """
        return 0 < self.most <= self._taken or (self._within is not None and self._within.full)

    @property
    def taken(self) -> int:
        """
        How many there are.
        """
        return self._taken

    @taken.setter
    def taken(self, number: int) -> None:
        if self._within is not None:
            self._within.taken += number - self._taken
        self._taken = number


@dataclass(frozen=True)
class Limits:
    """
    What a service for connections bears.

    @ivar capacity: Room for connections.

    @ivar maxPerSource: How many connections there may be from one IPv4 address
        or one IPv6 /64; 0 for any number.

    @ivar connectRate: The rate of new connections from one IPv4 address or one IPv6 /64;
        L{None} for any rate.

    @ivar idleTimeout: How long nothing may come or go, in seconds; 0 for ever.

    @ivar drainTimeout: How long a stop waits for sessions to end, in seconds.

    @ivar networks: Whom to serve.
    """

    capacity: Capacity = field(default_factory=Capacity)
    maxPerSource: int = 0
    connectRate: RateLimit | None = None
    idleTimeout: float = IDLE_TIMEOUT
    drainTimeout: float = DRAIN_TIMEOUT
    networks: Networks = field(default_factory=Networks)


def sourceOf(host: str) -> str:
    """
    @param host: A literal address.

    @return: What is one source of connections: an IPv4 address, or the network
        of an IPv6 address.
    """
    address = parsed(host)
    if address.version == 4:
        return str(address)
    return str(IPv6Network((int(address), HOST_NETWORK), strict=False))
