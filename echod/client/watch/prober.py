"""
Continuous probing of one target.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from math import ceil
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod.client.ping.moments import Moment, now
from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.watch.results import Results

SHORTEST_RUN = 1.0
"""
The shortest time from the beginning of one run to that of the next, in seconds, although
a refusal ends a run at once.  Each run looks the name up.
"""

Measure = Callable[[Pinger], Coroutine[Any, Any, Result]]


class Prober:
    """
    Probes one target in one run after another, until it is stopped.  Each run looks the
    name up, opens a socket, and forgets its probes at the end, so the memory is bounded.
    """

    _running: Deferred[None] | None = None
    _waiting: IDelayedCall | None = None
    _stopped = False

    def __init__(
        self,
        reactor: IReactorTime,
        plan: Plan,
        results: Results,
        measure: Measure,
        now: Callable[[], Moment] = now,
    ) -> None:
        """
        @param plan: The plan of one run.

        @param measure: Measures the target with a pinger.
        """
        self._reactor = reactor
        self._plan = plan
        self._results = results
        self._measure = measure
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
        self._waiting = None
        self._running = Deferred.fromCoroutine(self._run())

    async def _run(self) -> None:
        began = self._reactor.seconds()
        pinger = Pinger(self._reactor, self._plan, self._results.observe, now=self._now)
        problem: BaseException | None
        try:
            problem = (await self._measure(pinger)).lost
        except Exception as error:
            problem = error
        finally:
            pinger.end()
            self._running = None
        if self._stopped:
            return
        self._results.reconnected += pinger.openings.again
        self._results.ended(problem, pinger.started)
        self._wait(max(began + SHORTEST_RUN, self._reactor.seconds()))

    def _wait(self, earliest: float) -> None:
        """
        Start the next run when a probe is due.

        @param earliest: The earliest time.
        """
        intervals = ceil((earliest - self._first) / self._plan.interval)
        due = self._first + intervals * self._plan.interval
        left = max(due - self._reactor.seconds(), 0.0)
        self._waiting = self._reactor.callLater(left, self._begin)


def startAll(probers: Sequence[Prober], interval: float) -> None:
    """
    Start probers so that their probes are spread over an interval.
    """
    for number, prober in enumerate(probers):
        prober.start(number * interval / len(probers))
