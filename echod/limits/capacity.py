"""
How much there may be of what peers can cause: connections, silence, datagrams.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Network
from math import inf

from echod.limits.networks import KNOWN_HOSTS, Networks, parsed

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

UDP_RATE = 10000
"""
How many datagrams of one source are answered in a second: far more than who
measures needs, and less than a link of 10 Mbit/s carries of small ones.
"""

BURST = 1.0
"""
For how long a source may save what it does not use of its rate, in seconds.
"""

METERED_SOURCES = 1 << 16
"""
How many sources of datagrams are kept account of: 20 MB of memory at the most.
"""

ANY_PORT = 9
"""
Nothing is sent to it: the discard service's (RFC 863).
"""

ADDRESSES_AGE = 60.0
"""
How long it is taken for granted which addresses are of this machine, in seconds.
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

    @ivar idleTimeout: How long nothing may come or go, in seconds; 0 for ever.

    @ivar drainTimeout: How long a stop waits for sessions to end, in seconds.

    @ivar networks: Whom to serve.
    """

    capacity: Capacity = field(default_factory=Capacity)
    maxPerSource: int = 0
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


class RateLimit:
    """
    A rate for each source: a token bucket, in the form of the generic cell rate
    algorithm (ITU-T I.371), which needs one number for each source.  The sources
    that were seen last are kept account of; others start afresh.
    """

    def __init__(self, rate: float) -> None:
        """
        @param rate: How many a second.
        """
        self._interval = 1 / rate
        # With room for what is lost in rounding.
        self._burst = BURST + self._interval / 2
        # For each source, the time until which its datagrams, evenly spaced,
        # would reach.
        self._reach: OrderedDict[str, float] = OrderedDict()

    def exceeded(self, source: str, now: float) -> bool:
        """
        Take one of what a source may have.

        @param now: The time, in seconds.

        @return: Whether there was none left.
        """
        reaches = self._reach
        before = reaches.get(source, 0.0)
        reach = (before if before > now else now) + self._interval
        if exceeded := reach > now + self._burst:
            reach = before
        reaches[source] = reach
        reaches.move_to_end(source)
        if not before and len(reaches) > METERED_SOURCES:
            reaches.popitem(last=False)
        return exceeded


def onThisMachine(host: str, now: float) -> bool:
    """
    @param host: A literal address.

    @param now: The time, in seconds.

    @return: Whether it is an address of this machine.
    """
    try:
        return _onThisMachine(host, now // ADDRESSES_AGE)
    except OSError:
        # There is not even a socket to ask with.
        return False


@lru_cache(KNOWN_HOSTS)
def _onThisMachine(host: str, period: float) -> bool:
    """
    @param period: The time for which the answer is good.
    """
    address = parsed(host)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        # The way to an address of this machine starts there as well.  (To try to
        # bind to it is no proof: on machines which take over from others, what
        # is not there yet can be bound to as well.)
        with suppress(OSError):
            probe.connect((str(address), ANY_PORT))
        return bool(probe.getsockname()[0] == str(address))
