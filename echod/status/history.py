"""
The traffic of each service in the last five minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

REMEMBERED = 300
"""
The maximum number of entries: five minutes, one entry a second.
"""


class History:
    """
    The rates of each second, oldest first.

    @ivar entries: Each has its C{time_unix_s}, the C{lag_s} of the reactor at that time,
        and C{bytes_per_s}: for each service, the bytes received and returned per second
        since the entry before.
    """

    def __init__(self) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._totals: list[tuple[int, int]] | None = None
        self._when = 0.0

    def add(
        self, when: float, totals: Sequence[tuple[int, int]], *, time: float, lag: float
    ) -> None:
        """
        Add an entry for the time since the call before.

        @param when: The time by a monotonic clock.

        @param totals: For each service, how many bytes it has received and
            returned since its start.

        @param time: The time of day.
        """
        elapsed = when - self._when
        if self._totals is not None:
            if elapsed <= 0:
                # A service that starts again within one tick of the clock: the next
                # entry covers this time as well.
                return
            rates = [
                [round((now - then) / elapsed) for now, then in zip(new, old, strict=True)]
                for new, old in zip(totals, self._totals, strict=True)
            ]
            self.enter(rates, time=time, lag=lag)
        self._totals = list(totals)
        self._when = when

    def enter(self, rates: list[list[int]], *, time: float, lag: float) -> None:
        """
        Add an entry with rates that are known.
        """
        self.entries.append(
            {"time_unix_s": round(time, 3), "lag_s": round(lag, 6), "bytes_per_s": rates}
        )
