"""
What has gone through each service in the last five minutes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

REMEMBERED = 300
"""
How many entries there are at the most: five minutes of one a second.
"""


class History:
    """
    The rates of each second, oldest first.

    @ivar entries: Each with its C{time}, the C{lag} of the reactor then, and
        under C{rates}, for each service, how many bytes a second were received
        and returned since the entry before.
    """

    def __init__(self) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._totals: list[tuple[int, int]] | None = None
        self._when = 0.0

    def add(
        self, when: float, totals: Sequence[tuple[int, int]], *, time: float, lag: float
    ) -> None:
        """
        Enter what there is now.

        @param when: The time, by a clock that nobody sets.

        @param totals: For each service, how many bytes it has received and
            returned ever since.

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
        Enter what somebody else has found out.
        """
        self.entries.append({"time": round(time, 3), "lag": round(lag, 6), "rates": rates})
