"""
The end of the time of a probe.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod.client.ping.events import Event
from echod.client.ping.timer import SECOND
from echod.client.ping.tracker import Tracker


class Expiry:
    """
    Settles the probes whose time is over.  Answers that have arrived in time are read
    before, however late this process reads them.
    """

    _call: IDelayedCall | None = None
    _stopped = False

    def __init__(
        self,
        reactor: IReactorTime,
        now: Callable[[], int],
        tracker: Tracker,
        unread: Callable[[], bool],
        lost: Callable[[Event], object],
    ) -> None:
        """
        @param now: Returns the time in nanoseconds.

        @param unread: Returns whether answers have arrived that were not read yet.

        @param lost: Called with the event of each lost probe.
        """
        self._reactor = reactor
        self._now = now
        self._tracker = tracker
        self._unread = unread
        self._lost = lost

    def expect(self) -> None:
        """
        Wait for the end of the time of the oldest probe.
        """
        deadline = self._tracker.deadline()
        if self._call is None and deadline is not None and not self._stopped:
            left = max(deadline - self._now(), 0) / SECOND
            self._call = self._reactor.callLater(left, self._readFirst)

    def stop(self) -> None:
        """
        Settle no more probes.
        """
        self._stopped = True
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _readFirst(self) -> None:
        # The reactor reads answers before the next delayed call.
        self._call = self._reactor.callLater(0, self._expire)

    def _expire(self) -> None:
        if self._unread():
            self._readFirst()
            return
        self._call = None
        for event in self._tracker.expire(self._now()):
            self._lost(event)
        self.expect()
