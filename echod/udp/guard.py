"""
The rules by which datagrams are not answered.

The source address of a datagram can be forged.  Two echo servers that answer each
other never stop (CVE-1999-0103, CVE-2024-2169).  An answer to a group reaches all its
members.  Unlimited answers to a forged source are an attack on it.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from echod.limits.capacity import sourceOf
from echod.limits.networks import DENIED, KNOWN_HOSTS, Networks
from echod.limits.ratelimit import RateLimit
from echod.limits.thismachine import onThisMachine
from echod.net.addresses import LIMITED_BROADCAST, parsed

RESERVED = 1024
"""
Clients do not send from ports below this.  Echo, chargen, daytime and DNS servers use
them.
"""

ANSWER_TTL = 224
"""
The TTL (IPv6: hop limit) of answers.

The answer to a datagram with the forged address of another echod, on any port, goes to that
echod.  It would take the answer for a question, and the two would answer each other for
ever.  Systems send questions with 30, 32, 64, 128 or 255.  Routers lower the TTL and never
raise it (RFC 1812, 5.3.1), so over 30 hops questions arrive with 1 to 64, 98 to 128, or
225 to 255.
"""

ANSWER_TTLS = range(193, ANSWER_TTL + 1)
"""
The TTLs with which an answer arrives over at most 31 hops.
"""

RESERVED_PORT = "reserved source port"
OWN_PORT = "own source port"
UNSPECIFIED = "unspecified source"
MULTICAST = "multicast source"
BROADCAST = "broadcast source"
ANSWER = "answer of another echod"
TO_GROUP = "sent to a group"
OVER_RATE = "over the rate of its source"


class DatagramGuard:
    """
    Decides whether a datagram is answered.  All UDP servers of a process share one
    guard: so they do not answer each other, and they share the rate limit.

    @ivar ownPorts: The ports on which servers of this process listen, each with the
        number of its sockets.

    @ivar version: Changes when a cached "may be answered" may be wrong.
    """

    def __init__(
        self,
        networks: Networks | None = None,
        rate: RateLimit | None = None,
        *,
        answerReservedPorts: bool = False,
    ) -> None:
        """
        @param networks: Which sources to serve; all unless given.

        @param rate: How often to answer one IPv4 address or one IPv6 /64 that is not this
            machine; no limit unless given.

        @param answerReservedPorts: True to answer source ports below L{RESERVED}.
        """
        self.ownPorts: Counter[int] = Counter()
        self.version = 0
        self._networks = networks or Networks()
        self._rate = rate
        # Nothing can be sent to port 0.
        self._lowestPort = 1 if answerReservedPorts else RESERVED
        self._known = lru_cache(KNOWN_HOSTS)(self._decide)

    def opened(self, port: int) -> None:
        """
        A server starts to listen on a port.
        """
        self.ownPorts[port] += 1
        self.version += 1

    def closed(self, port: int) -> None:
        """
        A server stops listening on a port.
        """
        self.ownPorts[port] -= 1
        if not self.ownPorts[port]:
            del self.ownPorts[port]

    def refusal(
        self, host: str, port: int, toGroup: bool = False, ttl: int = 0, *, now: float = 0
    ) -> str | None:
        """
        Decide about one datagram.  It counts for the rate of its source unless it is
        refused for another reason.

        @param host: The literal address of the source.

        @param port: The port of the source.

        @param toGroup: True if the datagram was sent to a broadcast or multicast
            address.  An answer cannot come from this address, and all other servers of
            the group would answer as well.

        @param ttl: The TTL (IPv6: hop limit) with which the datagram arrived; 0 if the
            system does not tell.

        @param now: The time, in seconds.

        @return: The reason not to answer, or L{None}.
        """
        if port < self._lowestPort:
            return RESERVED_PORT
        if port in self.ownPorts:
            return OWN_PORT
        if ttl in ANSWER_TTLS:
            return ANSWER
        if toGroup:
            return TO_GROUP
        reason, _ = self._known(host)
        return reason or self.overRate(host, now)

    def overRate(self, host: str, now: float) -> str | None:
        """
        Decide about one datagram of a source that was answered since C{version} changed.

        @param host: The literal address of the source.

        @param now: The time, in seconds.

        @return: The reason not to answer, or L{None}.
        """
        if self._rate is None:
            return None
        _, source = self._known(host)
        if not self._rate.exceeded(source, now) or _isLocal(host, now):
            return None
        return OVER_RATE

    def isLimited(self, host: str) -> bool:
        """
        @param host: The literal address of a source.

        @return: L{False} if no rate limit applies: once answered, the source is
            answered until C{version} changes.
        """
        return self._rate is not None and not parsed(host).is_loopback

    def _decide(self, host: str) -> tuple[str | None, str]:
        """
        @return: The reason not to answer a host, or L{None}; and the source that the rate
            applies to.
        """
        return self._refusalOfHost(host), sourceOf(host)

    def _refusalOfHost(self, host: str) -> str | None:
        if not self._networks.serves(host):
            return DENIED
        address = parsed(host)
        if address.is_unspecified:
            return UNSPECIFIED
        if address.is_multicast:
            return MULTICAST
        # The broadcast address of a subnet looks like any other address, but the
        # system refuses to send to it.
        if address == LIMITED_BROADCAST:
            return BROADCAST
        return None


def _isLocal(host: str, now: float) -> bool:
    """
    @return: True if only a program on this machine can send from a host.  Linux drops
        datagrams from outside with an IPv4 address of this machine, or with ::1, but not
        with another IPv6 address of this machine.
    """
    address = parsed(host)
    return address.is_loopback or (address.version == 4 and onThisMachine(host, now))
