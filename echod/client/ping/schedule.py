"""
Doing something again and again, on time.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

RESOLUTION = 1_000_000
"""
How much later than asked for a reactor may wake up, in nanoseconds: epoll counts
in milliseconds, rounded up.  For that long it is not put to sleep, but asked again
and again.
"""

BURST = 64
"""
How often something is done that is overdue before the reactor has its turn.
"""

SECOND = 1_000_000_000


class Schedule:
    """
    Does the nth thing at the start plus n intervals, however long things take:
    what is late is made up for, and no lateness adds up.
    """

    _call: IDelayedCall | None = None
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
        @param now: Tells the time, in nanoseconds.

        @param interval: In nanoseconds; 0 for as fast as possible.

        @param count: How often; L{None} for until it is stopped.

        @param act: Does it, and returns whether that was possible; if not, it is
            tried again.

        @param done: Is called when it was done so often.
        """
        self._reactor = reactor
        self._now = now
        self._interval = interval
        self._count = count
        self._act = act
        self._done = done
        self._next = 0

    def start(self) -> None:
        """
        Do it for the first time.
        """
        self._start = self._now()
        self._turn()

    def stop(self) -> None:
        """
        Do it no more.
        """
        self._stopped = True
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _turn(self) -> None:
        self._call = None
        for _ in range(BURST):
            left = self._left()
            if self._next == self._count or self._stopped or left > 0:
                break
            if not self._act():
                # What is full is given time to empty.
                left = 2 * RESOLUTION
                break
            self._next += 1
        if self._stopped:
            return
        if self._next == self._count:
            self._done()
        else:
            self._call = self._reactor.callLater(max(left - RESOLUTION, 0) / SECOND, self._turn)

    def _left(self) -> int:
        return self._start + self._next * self._interval - self._now()
