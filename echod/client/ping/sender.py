"""
Sending a probe, and the errors: of sending, and those that come back by ICMP.
"""

from __future__ import annotations

import errno
from collections.abc import Callable

from echod.client.exitstatus import NOTHING_LISTENS
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.moments import Moment
from echod.client.ping.tracking.tracker import Tracker

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


class Sender:
    """
    @ivar reason: The text of the last error that is not a refusal.
    """

    reason = ""
    _droppedSince: int | None = None

    def __init__(self, tracker: Tracker, now: Callable[[], Moment]) -> None:
        self._tracker = tracker
        self._now = now

    def send(self, size: int, write: Callable[[bytes], object]) -> Event | None:
        """
        Send the next probe.

        @return: The event; L{None} if the same probe is to be sent a moment later.
        """
        probe = self._tracker.probe(size)
        moment = self._now()
        try:
            write(probe)
        except OSError as error:
            if self._canRetry(error, moment.monotonic):
                return None
            event = self._tracker.sendFailed(size, moment, self.kind(error, size))
        else:
            event = self._tracker.sent(size, moment)
        self._droppedSince = None
        return event

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

    def _canRetry(self, error: OSError, now: int) -> bool:
        if not isinstance(error, BlockingIOError):
            return False
        if error.errno != errno.ENOBUFS:
            return True
        if self._droppedSince is None:
            self._droppedSince = now
        return now - self._droppedSince < DROPPED
