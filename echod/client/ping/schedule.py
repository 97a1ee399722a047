"""
A schedule: call a function at exact intervals.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from echod.client.ping.timer import RESOLUTION, Timer, makeTimer

BURST = 64
"""
How many overdue actions happen before the reactor serves other descriptors.
"""

SLIP = 100_000
"""
How late an action is a slip, in nanoseconds: several times as late as it is on an idle
machine.
"""


class Slips:
    """
    @ivar count: How many actions happened late.

    @ivar longest: How late the latest one happened, in nanoseconds.
    """

    count = 0
    longest = 0


class Schedule:
    """
    Performs the nth action n intervals after the start.  Overdue actions are made up
    for, so delays do not add up.

    @ivar slips: The actions that happened late.
    """

    _stopped = False

    def __init__(
        self,
        reactor: IReactorTime,
        now: Callable[[], int],
        interval: int,
        count: int | None,
        act: Callable[[], bool],
        done: Callable[[], object],
    ) -> None:
        """
        @param now: Returns the time in nanoseconds.

        @param interval: In nanoseconds; 0 means as fast as possible.

        @param count: How many actions; L{None} means until it is stopped.

        @param act: Performs the action, and returns whether this was possible.  If not,
            it is tried again.

        @param done: Called after the last action.
        """
        self._timer: Timer = makeTimer(reactor, self._turn)
        self._now = now
        self._interval = interval
        self._count = count
        self._act = act
        self._done = done
        self._next = 0
        self.slips = Slips()

    def start(self) -> None:
        """
        Perform the first action now.
        """
        self._start = self._now()
        self._turn()

    def stop(self) -> None:
        """
        Perform no more actions.
        """
        self._stopped = True
        self._timer.stop()

    def _turn(self) -> None:
        for _ in range(BURST):
            left = self._left()
            if self._next == self._count or self._stopped or left > 0:
                break
            if not self._act():
                # Give the full buffer time to drain.
                left = 2 * RESOLUTION
                break
            self._next += 1
            if -left > SLIP and self._interval:
                self.slips.count += 1
                self.slips.longest = max(self.slips.longest, -left)
        if self._stopped:
            return
        if self._next == self._count:
            self._timer.stop()
            self._done()
        else:
            self._timer.set(left)

    def _left(self) -> int:
        return self._start + self._next * self._interval - self._now()
