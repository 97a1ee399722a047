"""
The errors of sending, and those that come back by ICMP.
"""

from __future__ import annotations

import errno

from echod.client.exitstatus import NOTHING_LISTENS
from echod.client.ping.events import Kind
from echod.client.ping.tracker import Tracker

DROPPED = 100_000_000
"""
How long a probe that this machine drops is tried again, in nanoseconds.  A queue that is full
has room again much sooner.  An interface that never sends a probe, for example because the
other end of a virtual link has a smaller MTU, reports the same error.
"""

DROPS = (
    "this machine drops the packet: its queue is full, or the other end of a virtual link has "
    "a smaller MTU"
)


class Errors:
    """
    @ivar reason: The text of the last error that is not a refusal.
    """

    reason = ""
    _droppedSince: int | None = None

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def canRetry(self, error: OSError, now: int) -> bool:
        """
        @param now: The time on the monotonic clock.

        @return: Whether to send the same probe again a moment later.
        """
        if not isinstance(error, BlockingIOError):
            return False
        if error.errno != errno.ENOBUFS:
            return True
        if self._droppedSince is None:
            self._droppedSince = now
        return now - self._droppedSince < DROPPED

    def sent(self) -> None:
        """
        Learn that a probe was sent, or given up.
        """
        self._droppedSince = None

    def kind(self, error: OSError, size: int = 0) -> Kind:
        """
        @param size: The size of the probe, if it could not be sent.

        @return: The kind of event that an error is.
        """
        if error.errno in NOTHING_LISTENS:
            return Kind.REFUSED
        if error.errno == errno.EMSGSIZE:
            return Kind.TOO_BIG
        if error.errno == errno.ENOBUFS:
            sizes = self._tracker.bySize.items()
            if any(counts.returned for smaller, counts in sizes if smaller < size):
                return Kind.TOO_BIG
            self.reason = DROPS
        else:
            self.reason = error.strerror or str(error)
        return Kind.UNREACHABLE
