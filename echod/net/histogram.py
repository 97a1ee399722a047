"""
Histograms of durations.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate


class Histogram:
    """
    Counts values in buckets, and adds them up.

    @ivar counts: For each bound, how many values were at most that bound and more
        than the bound before it.  The last number counts the values above all bounds.

    @ivar sum: The sum of all values.
    """

    def __init__(self, bounds: Sequence[float]) -> None:
        """
        @param bounds: The upper bounds of the buckets, in ascending order.
        """
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self._bounds = bounds

    @property
    def total(self) -> int:
        """
        How many values were added.
        """
        return sum(self.counts)

    def add(self, value: float) -> None:
        """
        Count a value.
        """
        self.sum += value
        self.counts[bisect_left(self._bounds, value)] += 1


def buckets(bounds: Sequence[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """
    @param counts: For each bucket, the number of values in it; then the number above all
        bounds.

    @return: The buckets as Prometheus counts them: each includes all smaller ones.
    """
    return list(zip([*map(str, bounds), "+Inf"], accumulate(counts), strict=True))
