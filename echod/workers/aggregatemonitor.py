"""
What there is to see of all workers together.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from time import time
from typing import Any

from echod.service.listening import DRAINING
from echod.status.monitor import LAGS, Monitor
from echod.status.snapshot import Data
from echod.workers.aggregate import added, counts, impairments, rates, sessions
from echod.workers.service import WorkersService


class AggregateMonitor(Monitor):
    """
    Looks at what the workers report, and shows the sum.
    """

    def __init__(
        self, reactor: Any, echo: WorkersService, wallClock: Callable[[], float] = time
    ) -> None:
        super().__init__(reactor, echo, wallClock)
        self._pool = echo.pool

    @property
    def deaths(self) -> int:  # type: ignore[override]
        """
        How many of the workers have died.
        """
        return self._pool.deaths

    @property
    def workers(self) -> list[Data]:
        """
        The processes that serve.
        """
        return [
            {"worker": worker.label, "process": worker.pid, "serves": worker.ready}
            for worker in self._pool.workers.values()
        ]

    @property
    def services(self) -> list[Data]:
        """
        All there is to say about each service.
        """
        reports = self._pool.reports
        state = {"state": DRAINING} if self.draining and self.workers else {}
        return [
            {**own, **total, **state, "impairments": impairments(reports, number)}
            for number, (own, total) in enumerate(
                zip(super().services, self._total()["services"], strict=False)
            )
        ]

    @property
    def sessions(self) -> Data:
        """
        How many sessions there are, the busiest and the newest of them.
        """
        return sessions(self._pool.reports)

    @property
    def unready(self) -> list[str]:
        """
        Why no more peers should be sent here; empty if they may.
        """
        return super().unready + self._pool.unready

    def _total(self) -> Data:
        # What nobody has counted yet is there, too: this process serves nobody.
        nothing = {"services": super().services, "lags": [0] * (len(LAGS) + 1), "lagSeconds": 0}
        ended = added(counts(nothing), self._pool.past)
        return reduce(added, map(counts, self._pool.reports), ended)

    def _see(self, now: float) -> None:
        reports = self._pool.reports
        total = self._total()
        # Peers wait for the workers, and not for this process.
        self.lags.counts, self.lags.sum = total["lags"], total["lagSeconds"]
        self.lag = max((report["lag"] for report in reports), default=0.0)
        together = rates(reports)
        if together:
            self.history.enter(together, time=self._wallClock(), lag=self.lag)
