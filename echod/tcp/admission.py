"""
The decision which TCP peers are served.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.interfaces import IAddress

from echod.limits.capacity import NO_ROOM, Limits, sourceOf
from echod.limits.networks import DENIED

NO_ROOM_FOR_SOURCE = "too many connections from its address"
OVER_CONNECT_RATE = "too many new connections from its address"


class Admission:
    """
    Refuses the connections that exceed the limits of a service, and counts the others.

    @ivar fromSource: The number of sessions of each source, if it is limited.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.fromSource: Counter[str] = Counter()

    def refusal(self, address: IAddress | None, now: float) -> str | None:
        """
        @param now: The time in seconds.

        @return: Why the peer is refused; or L{None}.
        """
        limits = self._limits
        host = getattr(address, "host", None)
        if host is not None and not limits.networks.serves(host):
            return DENIED
        if limits.capacity.full:
            return NO_ROOM
        if host is None:
            return None
        source = sourceOf(host)
        if 0 < limits.maxPerSource <= self.fromSource[source]:
            return NO_ROOM_FOR_SOURCE
        # Last, because it counts the connection.
        if limits.connectRate is not None and limits.connectRate.exceeded(source, now):
            return OVER_CONNECT_RATE
        return None

    def count(self, address: IAddress | None, change: int) -> None:
        """
        Count a session.

        @param change: 1 if it has started, -1 if it has ended.
        """
        limits = self._limits
        limits.capacity.take(change)
        if limits.maxPerSource and (host := getattr(address, "host", None)) is not None:
            source = sourceOf(host)
            self.fromSource[source] += change
            if not self.fromSource[source]:
                del self.fromSource[source]
