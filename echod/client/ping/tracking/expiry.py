"""
The end of the time of the probes, and of the run.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod.client.ping.tracking.events import Event
from echod.client.ping.tracking.moments import SECOND, Moment
from echod.client.ping.tracking.tracker import Tracker


class Expiry:
    """
    Settles the probes whose time is over, and ends the run.

    A reactor performs overdue calls before it reads.  So if this process was stopped or
    busy, the time is longer: answers that have arrived are read first, and answers that the
    peer holds back because this process has not read can arrive.
    """

    _call: IDelayedCall | None = None
    _grace: IDelayedCall | None = None
    _deadline: IDelayedCall | None = None
    _stopped = False

    def __init__(
        self,
        reactor: IReactorTime,
        now: Callable[[], Moment],
        tracker: Tracker,
        unread: Callable[[], bool],
        lost: Callable[[Event], object],
        end: Callable[[], object],
    ) -> None:
        """
        @param now: Returns the time.

        @param unread: Returns True if answers have arrived that were not read yet.

        @param lost: Called with the event of each lost probe.

        @param end: Ends the run.
        """
        self._reactor = reactor
        self._now = now
        self._tracker = tracker
        self._unread = unread
        self._lost = lost
        self._end = end

    def start(self, deadline: float | None) -> None:
        """
        @param deadline: After how many seconds to end the run in any case.
        """
        if deadline is not None:
            self._deadline = self._reactor.callLater(deadline, self._end)

    def expect(self) -> None:
        """
        Wait for the end of the time of the oldest probe.
        """
        deadline = self._tracker.deadline()
        if self._call is None and deadline is not None and not self._stopped:
            left = max(deadline - self._now().monotonic, 0) / SECOND
            due = self._reactor.seconds() + left
            self._call = self._reactor.callLater(left, self._extend, due)

    def waitForLast(self) -> None:
        """
        When no probe is in flight any more, wait as long as late answers and duplicates
        may come.  Then end the run.
        """
        if self._grace is None:
            self._grace = self._reactor.callLater(self._lastWait() / SECOND, self._end)

    def stop(self) -> None:
        """
        Wait no more.
        """
        self._stopped = True
        for call in (self._call, self._grace, self._deadline):
            if call is not None and call.active():
                call.cancel()

    def _extend(self, due: float) -> None:
        """
        @param due: When this call was due, in seconds.
        """
        now = self._reactor.seconds()
        most = self._tracker.timeout / SECOND
        more = min(max(now - due, 0), most)
        self._call = self._reactor.callLater(more, self._expire, now + more + most)

    def _expire(self, latest: float) -> None:
        """
        @param latest: Until when data is read first, in seconds: a peer may send for ever.
        """
        if self._unread() and self._reactor.seconds() < latest:
            self._call = self._reactor.callLater(0, self._expire, latest)
            return
        self._call = None
        for event in self._tracker.expire(self._now().monotonic):
            self._lost(event)
        self.expect()

    def _lastWait(self) -> float:
        tracker = self._tracker
        duplicates = min(2 * tracker.total.roundTrips.max, tracker.timeout)
        if tracker.lost == tracker.failures:
            return duplicates
        return max(duplicates, tracker.timeout - (self._now().monotonic - tracker.lastAttempt))
