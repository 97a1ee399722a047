"""
A schedule: call a function at exact intervals.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod.client.ping.plan import Plan
from echod.client.ping.timer import RESOLUTION, DelayedTimer, TimerFD, makeTimer
from echod.client.ping.tracking.moments import SECOND, Moment

BURST = 64
"""
How many overdue actions happen before the reactor serves other descriptors.
"""

LONGEST_DELAY = SECOND
"""
How late an action is made up for, in nanoseconds.  A process that is later was stopped.  All
overdue probes at once would measure nothing, and could exceed a rate limit.
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
    for, so delays do not add up.  After a longer delay, overdue actions are left out, and the
    number of actions stays the same.

    @ivar slips: The actions that happened late.

    @ivar started: True after the start.

    @ivar isOver: True after the last action.
    """

    started = False
    isOver = False
    _timer: DelayedTimer | TimerFD
    _ending: IDelayedCall | None = None

    def __init__(
        self,
        reactor: IReactorTime,
        now: Callable[[], Moment],
        plan: Plan,
        act: Callable[[], bool],
        done: Callable[[], object],
        skipped: Callable[[int], object],
    ) -> None:
        """
        @param now: Returns the time.

        @param act: Performs the action, and returns whether this was possible.  If not,
            it is tried again.

        @param done: Called after the last action.

        @param skipped: Called with the number of actions that are left out.
        """
        self._reactor = reactor
        self._now = now
        self._sending = plan.sending
        self._interval = round(plan.interval * SECOND)
        self._count = plan.probes
        self._act = act
        self._done = done
        self._skipped = skipped
        self._acted = 0
        self.slips = Slips()

    def start(self) -> None:
        """
        Perform the first action now.
        """
        self.started = True
        self._due = self._now().monotonic
        if self._sending is not None:
            self._ending = self._reactor.callLater(self._sending, self.finish)
        self._timer = makeTimer(self._reactor, self._turn)
        self._turn()

    def stop(self) -> None:
        """
        Perform no more actions.
        """
        if self.started and not self.isOver:
            self._timer.stop()
        if self._ending is not None and self._ending.active():
            self._ending.cancel()
        self.isOver = True

    def finish(self) -> None:
        """
        Perform no more actions: the last one has happened.
        """
        self.stop()
        self._done()

    def _turn(self) -> None:
        for _ in range(BURST):
            left = self._due - self._now().monotonic
            if self._acted == self._count or self.isOver or left > 0:
                break
            if -left > LONGEST_DELAY and self._interval:
                overdue = -left // self._interval
                self._due += overdue * self._interval
                self._skipped(overdue)
            if not self._act():
                # Give the full buffer time to drain.
                left = 2 * RESOLUTION
                break
            self._acted += 1
            self._due += self._interval
            if -left > SLIP and self._interval:
                self.slips.count += 1
                self.slips.longest = max(self.slips.longest, -left)
        if self.isOver:
            return
        if self._acted == self._count:
            self.finish()
        else:
            self._timer.set(left)
