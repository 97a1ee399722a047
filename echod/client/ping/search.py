"""
A binary search for the largest datagram that the path carries.
"""

from __future__ import annotations

from collections.abc import Callable

from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.probe import MAX_SIZE

FIRST_SIZE = 64
"""
The size to begin with, in bytes.  Every path carries it.  If no probe of this size comes
back, the server does not answer.
"""

RETURNED = (Kind.ANSWERED, Kind.LATE)


class Search:
    """
    @ivar largest: The largest size that has come back intact; L{None} if there is none.

    @ivar hint: Returns the largest size that fits the path MTU of the kernel.  It is tried
        first, and never believed: ICMP errors may be missing or wrong.
    """

    def __init__(self) -> None:
        self.largest: int | None = None
        self.hint: Callable[[], int | None] = lambda: None
        self._tooBig = {MAX_SIZE + 1}

    @property
    def next(self) -> int | None:
        """
        The size to try next; L{None} if the search is over.
        """
        if self.finished:
            return None
        if self.largest is None:
            return FIRST_SIZE
        hint, limit = self.hint(), self._limit()
        if hint is not None and self.largest < hint < limit:
            return hint
        return (self.largest + limit) // 2

    @property
    def finished(self) -> bool:
        """
        True if the size above the largest one is too big.
        """
        return self._limit() == (FIRST_SIZE if self.largest is None else self.largest + 1)

    def _limit(self) -> int:
        return min(size for size in self._tooBig if size > (self.largest or 0))

    def observe(self, event: Event) -> None:
        """
        Learn from the result of a probe.
        """
        if event.kind in RETURNED:
            self.largest = max(self.largest or 0, event.size)
        elif event.kind is Kind.TOO_BIG and event.sequence is not None:
            self.exclude(event.size)

    def exclude(self, size: int) -> None:
        """
        Take a size as too big.
        """
        self._tooBig.add(size)
