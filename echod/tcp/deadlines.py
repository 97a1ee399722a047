"""
Waits of one length, with one timer for all of them.

Each session waits for several moments: it may be idle for so long, its peer may
stay silent for so long.  Nearly all of these waits end early.  A timer for each
would cost much, and more than its time: Twisted's reactors keep a cancelled timer
in memory, the C{asyncio} reactor until another timer is due.

As all waits of one kind are equally long, the first to begin is the first to be
over: they stand in a queue, and the only timer is that of its head.  A wait that
ends early leaves the queue, and the timer alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from twisted.internet.interfaces import IDelayedCall, IReactorTime

AT_ONCE = 100
"""
How many waits may be over in one turn of the reactor.  To look whether a session
is idle takes some 5 us, so that messages are held up for half a millisecond, even
if ten thousand sessions began at the same time.
"""

Waiter = TypeVar("Waiter")


class Deadlines(Generic[Waiter]):
    """
    Calls a function with each waiter, a fixed time after it was added.
    """

    def __init__(
        self, reactor: IReactorTime, delay: float, due: Callable[[Waiter], None]
    ) -> None:
        """
        @param delay: How long each waits, in seconds.

        @param due: Called with a waiter whose time is over.  It is not waiting
            any more, and may be added again.
        """
        self._reactor = reactor
        self._delay = delay
        self._due = due
        self._moments: OrderedDict[Waiter, float] = OrderedDict()
        self._timer: IDelayedCall | None = None
        self._started = False

    def start(self) -> None:
        """
        Keep the timer when nothing waits: more will come.
        """
        self._started = True

    def stop(self) -> None:
        """
        Leave no timer in the reactor when nothing waits.
        """
        self._started = False
        self._dropTimer()

    def add(self, waiter: Waiter) -> None:
        """
        Begin to wait; from the beginning, if it waits already.
        """
        moments = self._moments
        moments.pop(waiter, None)
        moments[waiter] = self._reactor.seconds() + self._delay
        if self._timer is None:
            self._timer = self._reactor.callLater(self._delay, self._fire)

    def discard(self, waiter: Waiter) -> None:
        """
        Wait no more, if it waits.
        """
        self._moments.pop(waiter, None)
        if not self._started:
            self._dropTimer()

    def _dropTimer(self) -> None:
        # The timer is not active while it fires.
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
            # After an error, too, the others are still waiting.
            self._timer = None
            if moments:
                delay = max(0.0, self._first() - now)
                self._timer = self._reactor.callLater(delay, self._fire)

    def _first(self) -> float:
        return next(iter(self._moments.values()))
