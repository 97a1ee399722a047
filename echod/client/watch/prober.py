"""
Continuous probing of one target.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from math import ceil, floor
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall

from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.ping.schedule import LONGEST_DELAY
from echod.client.ping.tracking.moments import SECOND, Moment, now
from echod.client.target import Address
from echod.client.watch.results import Results

CHECK = 60.0
"""
The time between two checks of the socket, in seconds: as often as most names may change.
"""

SHORTEST_PAUSE = 1.0
"""
The shortest time between two attempts to open a socket, in seconds.  Each of them looks the
name up, and a server may close each connection at once.
"""

Measure = Callable[[Pinger], Coroutine[Any, Any, Result]]

LookUp = Callable[[], Awaitable[Sequence[Address]]]


class Prober:
    """
    Probes one target until it is stopped.

    A run keeps its socket as long as the socket works.  A run ends when its connection is
    lost, when nothing has come back between two checks, or when the name of the target has no
    longer the address of the socket.  The next run opens a new socket.
    """

    _running: Deferred[None] | None = None
    _waiting: IDelayedCall | None = None
    _stopped = False
    _failed = False
    # The probes are numbered by the time when they are due.  This one is due next.
    _next = 0

    def __init__(
        self,
        reactor: IReactorTime,
        plan: Plan,
        results: Results,
        measure: Measure,
        lookUp: LookUp | None,
        now: Callable[[], Moment] = now,
    ) -> None:
        """
        @param measure: Measures the target with a pinger.

        @param lookUp: Finds the addresses of the target, if it has a name.
        """
        self._reactor = reactor
        self._plan = plan
        self._results = results
        self._measure = measure
        self._lookUp = lookUp
        self._now = now

    def start(self, delay: float) -> None:
        """
        Start the first run.

        @param delay: After how many seconds.
        """
        self._first = self._reactor.seconds() + delay
        self._waiting = self._reactor.callLater(delay, self._begin)

    def stop(self) -> None:
        """
        Stop at once.
        """
        self._stopped = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._running is not None:
            self._running.cancel()

    def _begin(self) -> None:
        assert self._waiting is not None
        late = self._reactor.seconds() - self._waiting.getTime()
        if late > LONGEST_DELAY / SECOND:
            self._skip(int(late / self._plan.interval))
        self._waiting = None
        self._running = Deferred.fromCoroutine(self._run())

    async def _run(self) -> None:
        began = self._reactor.seconds()
        pinger = Pinger(self._reactor, self._plan, self._results.observe, now=self._now)
        pinger.opened = partial(self._opened, pinger)
        pinger.skipped = self._skip
        checks = LoopingCall(self._check, pinger)
        checks.clock = self._reactor
        # In this time, at least one answer is due.
        checks.start(max(CHECK, 2 * self._plan.interval + self._plan.timeout), now=False)
        problem: BaseException | None
        try:
            problem = (await self._measure(pinger)).lost
        except Exception as error:
            problem = error
        finally:
            checks.stop()
            pinger.end()
            self._running = None
        if self._stopped:
            return
        self._results.ended(problem)
        self._failed = problem is not None
        self._next += pinger.tracker.attempted
        earliest = max(began + SHORTEST_PAUSE, self._reactor.seconds())
        due = ceil(self._probesAt(earliest))
        if self._failed:
            self._miss(due)
        self._next = due
        left = self._first + due * self._plan.interval - self._reactor.seconds()
        self._waiting = self._reactor.callLater(max(left, 0.0), self._begin)

    def _opened(self, pinger: Pinger) -> None:
        # A lost connection ends the run: the reason is counted, and the next run connects.
        pinger.reopen = None
        if not pinger.started:
            self._results.reconnected += pinger.connected and self._failed
            self._miss(floor(self._probesAt(self._reactor.seconds())))

    def _probesAt(self, time: float) -> float:
        """
        @return: How many intervals there are from the first probe to a time.
        """
        return (time - self._first) / self._plan.interval

    def _miss(self, due: int) -> None:
        """
        Count the probes up to one that is due as lost: there was no socket for them.
        """
        self._results.miss(max(due - self._next, 0))
        self._next = max(due, self._next)

    def _skip(self, number: int) -> None:
        self._results.skipped += number
        self._next += number

    async def _check(self, pinger: Pinger) -> None:
        """
        End a run whose socket brings no answers, or is connected to an old address.  A socket
        can stop working without an error: its source address may be gone, or a router may
        have forgotten it.
        """
        if not pinger.started:
            return
        isSilent = not pinger.tracker.total.returned
        self._results.failed(pinger.result().lost)
        pinger.forget()
        if isSilent or await self._hasMoved(pinger):
            pinger.interrupt()

    async def _hasMoved(self, pinger: Pinger) -> bool:
        """
        @return: True if the target has addresses, but not that of the socket.
        """
        if self._lookUp is None or pinger.addresses is None:
            return False
        try:
            found = await self._lookUp()
        except Exception as error:
            # A socket that works does not need the name.
            self._results.failed(error)
            return False
        # The scope of a link can be a number or a name.
        peer = re.sub("%[^]]*", "", pinger.addresses.peer)
        return peer not in [re.sub("%[^]]*", "", str(each)) for each in found]


def startAll(probers: Sequence[Prober], interval: float) -> None:
    """
    Start probers so that their probes are spread over an interval.
    """
    for number, prober in enumerate(probers):
        prober.start(number * interval / len(probers))
