"""
Statistics of round-trip times.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from math import ceil, sqrt

MICROSECOND = 1000

JITTER_GAIN = 16
"""
The jitter moves by this fraction of each difference (RFC 3550, 6.4.1).
"""


class RoundTrips:
    """
    Round-trip times, in nanoseconds.

    Percentiles are kept to the microsecond, so that a run of days needs no more memory
    than a run of an hour.  All other statistics are exact.

    @ivar last: The last one.

    @ivar jitter: The smoothed difference between one round trip and the next (RFC 3550,
        6.4.1).
    """

    def __init__(self) -> None:
        self.count = 0
        self.min = 0
        self.max = 0
        self.jitter = 0.0
        self._sum = 0
        self._squares = 0
        self.last = 0
        self._microseconds: Counter[int] = Counter()

    def add(self, nanoseconds: int) -> None:
        """
        Add a round-trip time.
        """
        if self.count:
            self.jitter += (abs(nanoseconds - self.last) - self.jitter) / JITTER_GAIN
        self.min = min(self.min, nanoseconds) if self.count else nanoseconds
        self.max = max(self.max, nanoseconds)
        self.count += 1
        self.last = nanoseconds
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
        The standard deviation, which ping calls mdev.
        """
        # The difference is of integers: with floats, the digits would cancel out.
        return sqrt(self.count * self._squares - self._sum**2) / self.count

    def percentile(self, percent: float) -> int:
        """
        @return: The nearest-rank percentile.
        """
        # The fraction of 99.9 as written, not of the float next to it.
        rank = ceil(self.count * Fraction(str(percent)) / 100)
        values = sorted(self._microseconds)
        ranks = list(accumulate(map(self._microseconds.__getitem__, values)))
        nearest = values[bisect_left(ranks, rank)] * MICROSECOND
        # Rounding to microseconds must not leave the range of the exact times.
        return min(max(nearest, self.min), self.max)

    def microseconds(self, percents: Sequence[float]) -> dict[str, float]:
        """
        @return: All statistics by name, in microseconds.
        """
        values = (
            self.min,
            self.average,
            *map(self.percentile, percents),
            self.max,
            self.deviation,
            self.jitter,
        )
        return {
            name: round(value / MICROSECOND, 3)
            for name, value in zip(names(percents), values, strict=True)
        }

    def distribution(self) -> Iterator[tuple[int, int, float]]:
        """
        @return: For each round-trip time that has occurred: the time in microseconds, how
            often it has occurred, and the fraction of round trips that took no longer.
        """
        below = 0
        for value, count in sorted(self._microseconds.items()):
            below += count
            yield value, count, below / self.count


def names(percents: Sequence[float]) -> tuple[str, ...]:
    """
    @return: The names of all statistics.
    """
    return ("min", "avg", *map(percentileName, percents), "max", "mdev", "jitter")


def percentileName(percent: float) -> str:
    """
    @return: The name of a percentile, without a point: C{p999} for 99.9.
    """
    return "p" + f"{percent:.12g}".replace(".", "")
