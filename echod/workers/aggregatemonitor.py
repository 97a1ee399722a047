"""
The monitor of the parent: it shows all workers together.
"""

from __future__ import annotations

from functools import reduce

from echod.service.listening import DRAINING
from echod.status.monitor import LAGS, Monitor
from echod.status.snapshot import Data
from echod.workers.aggregate import added, counts, impairments, left, rates, sessions
from echod.workers.service import WorkersService


class AggregateMonitor(Monitor):
    """
    Shows the sum of the workers' reports.
    """

    _echo: WorkersService

    @property
    def deaths(self) -> int:  # type: ignore[override]
        """
        The number of workers that have died.
        """
        return self._echo.pool.deaths

    @property
    def workers(self) -> list[Data]:
        """
        The worker processes.
        """
        return [
            {"worker": worker.label, "process": worker.pid, "serves": worker.ready}
            for worker in self._echo.pool.workers.values()
        ]

    @property
    def services(self) -> list[Data]:
        """
        The statistics of each service.
        """
        reports = self._echo.pool.reports
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
        The number of sessions, and the busiest and the newest sessions.
        """
        return sessions(self._echo.pool.reports)

    @property
    def unready(self) -> list[str]:
        """
        The reasons why echod is not ready for new peers; empty if it is.
        """
        return super().unready + self._echo.pool.unready

    def _total(self) -> Data:
        # The parent serves no peers: its own services are all zeros.
        nothing = {
            "services": super().services,
            "lag_buckets": [0] * (len(LAGS) + 1),
            "lag_sum_s": 0,
        }
        ended = added(left(nothing), self._echo.pool.past)
        return reduce(added, map(counts, self._echo.pool.reports), ended)

    def _see(self, now: float) -> None:
        reports = self._echo.pool.reports
        total = self._total()
        # Peers wait for the workers, not for the parent.
        self.lags.counts, self.lags.sum = total["lag_buckets"], total["lag_sum_s"]
        self.lag = max((report["lag_s"] for report in reports), default=0.0)
        together = rates(reports)
        if together:
            self.history.enter(together, time=self._wallClock(), lag=self.lag)
