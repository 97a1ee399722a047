"""
One timer for many sessions.

Each session has several timeouts, and nearly all of them are cancelled.  A timer for each
would cost time and memory: Twisted's reactors keep a cancelled timer in memory, the
C{asyncio} reactor until another timer is due.

L{Deadlines} is for waits of one length that few sessions have at the same time.  The first
wait to begin is the first to end, so the waits are in a queue, with one timer for its head.  A
wait that is cancelled leaves the queue; the timer stays.

L{Sweep} is for checks that every session needs.  It keeps nothing for a session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

AT_ONCE = 100
"""
The most waits that end, or sessions that are checked, in one turn of the reactor.  To check
whether a session is idle takes some 5 us, so messages are delayed by half a millisecond with
any number of sessions.
"""

Waiter = TypeVar("Waiter")


class Deadlines(Generic[Waiter]):
    """
    Calls a function with each waiter, a fixed time after the waiter was added.
    """

    def __init__(
        self, reactor: IReactorTime, delay: float, due: Callable[[Waiter], None]
    ) -> None:
        """
        @param delay: The time, in seconds.

        @param due: Called with the waiter when its time is over.  The waiter is not in
            the queue any more, and may be added again.
        """
        self._reactor = reactor
        self._delay = delay
        self._due = due
        self._moments: OrderedDict[Waiter, float] = OrderedDict()
        self._timer: IDelayedCall | None = None
        self._started = False

    def start(self) -> None:
        """
        Keep the timer when the queue is empty: more waits will come.
        """
        self._started = True

    def stop(self) -> None:
        """
        Cancel the timer when the queue is empty.
        """
        self._started = False
        self._dropTimer()

    def add(self, waiter: Waiter) -> None:
        """
        Begin to wait.  A waiter that waits already begins again.
        """
        moments = self._moments
        moments.pop(waiter, None)
        moments[waiter] = self._reactor.seconds() + self._delay
        if self._timer is None:
            self._timer = self._reactor.callLater(self._delay, self._fire)

    def discard(self, waiter: Waiter) -> None:
        """
        Cancel the wait of a waiter, if there is one.
        """
        self._moments.pop(waiter, None)
        if not self._started:
            self._dropTimer()

    def _dropTimer(self) -> None:
        # A timer that fires is not active.
        if not self._moments and self._timer is not None and self._timer.active():
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        moments = self._moments
        now = self._reactor.seconds()
        try:
            for _ in range(AT_ONCE):
                if not moments or self._first() > now:
                    break
                waiter, _moment = moments.popitem(last=False)
                self._due(waiter)
        finally:
            # The others still wait, also after an error.
            self._timer = None
            if moments:
                delay = max(0.0, self._first() - now)
                self._timer = self._reactor.callLater(delay, self._fire)

    def _first(self) -> float:
        return next(iter(self._moments.values()))


class Sweep(Generic[Waiter]):
    """
    Calls a function with each member of a collection, again and again, until it is empty.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        interval: float,
        members: Collection[Waiter],
        check: Callable[[Waiter], None],
    ) -> None:
        """
        @param interval: The time between the end of one sweep and the start of the next, in
            seconds.  So the time between two calls with the same member is never shorter.
        """
        self._reactor = reactor
        self._interval = interval
        self._members = members
        self._check = check
        self._rest: list[Waiter] = []
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """
        Start, unless it has started.
        """
        if self._timer is None:
            self._timer = self._reactor.callLater(self._interval, self._fire)

    def stop(self) -> None:
        """
        Stop, if it has started.
        """
        timer, self._timer = self._timer, None
        # A timer that fires is not active.
        if timer is not None and timer.active():
            timer.cancel()
        self._rest = []

    def _fire(self) -> None:
        rest = self._rest
        if not rest:
            rest.extend(self._members)
        try:
            for _ in range(min(AT_ONCE, len(rest))):
                member = rest.pop()
                if member in self._members:
                    self._check(member)
        finally:
            # Go on, also after an error.
            if not self._members:
                self.stop()
            elif self._timer is None or not self._timer.active():
                delay = 0 if rest else self._interval
                self._timer = self._reactor.callLater(delay, self._fire)
