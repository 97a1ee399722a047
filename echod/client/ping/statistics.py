"""
What there is to say about many round-trip times.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from fractions import Fraction
from itertools import accumulate
from math import ceil, sqrt

MICROSECOND = 1000

PERCENTILES = (50, 90, 99, 99.9)


class Figures:
    """
    Round-trip times, in nanoseconds.

    Percentiles are kept to the microsecond, so that days of measuring need no
    more room than an hour; everything else is exact.

    @ivar jitter: How much one differs from the one before it, smoothed as in
        RFC 3550, 6.4.1.
    """

    names = (
        "min",
        "avg",
        *(f"p{percent:g}" for percent in PERCENTILES),
        "max",
        "mdev",
        "jitter",
    )

    def __init__(self) -> None:
        self.count = 0
        self.min = 0
        self.max = 0
        self.jitter = 0.0
        self._sum = 0
        self._squares = 0
        self._last = 0
        self._microseconds: Counter[int] = Counter()

    def add(self, nanoseconds: int) -> None:
        """
        Take one more into account.
        """
        if self.count:
            self.jitter += (abs(nanoseconds - self._last) - self.jitter) / 16
        self.min = min(self.min, nanoseconds) if self.count else nanoseconds
        self.max = max(self.max, nanoseconds)
        self.count += 1
        self._last = nanoseconds
        self._sum += nanoseconds
        self._squares += nanoseconds * nanoseconds
        self._microseconds[round(nanoseconds / MICROSECOND)] += 1

    @property
    def average(self) -> float:
        """
        The arithmetic mean.
        """
        return self._sum / self.count

    @property
    def deviation(self) -> float:
        """
        The standard deviation; what ping calls mdev.
        """
        # In integers up to here, as floats would cancel out.
        return sqrt(self.count * self._squares - self._sum**2) / self.count

    def percentile(self, percent: float) -> int:
        """
        @return: What so many percent of them do not exceed (nearest rank).
        """
        # 99.9 as it is written, not the float next to it.
        rank = ceil(self.count * Fraction(str(percent)) / 100)
        values = sorted(self._microseconds)
        ranks = list(accumulate(map(self._microseconds.__getitem__, values)))
        nearest = values[bisect_left(ranks, rank)] * MICROSECOND
        return min(max(nearest, self.min), self.max)

    def microseconds(self) -> dict[str, float]:
        """
        @return: All figures, named, in microseconds.
        """
        values = (
            self.min,
            self.average,
            *map(self.percentile, PERCENTILES),
            self.max,
            self.deviation,
            self.jitter,
        )
        return {
            name: round(value / MICROSECOND, 3)
            for name, value in zip(self.names, values, strict=True)
        }
