"""
How late the reactor is.
"""

from __future__ import annotations

from bisect import bisect_left

LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""
The lags that are told apart, in seconds: from what nobody notices to what breaks
connections.
"""


class Lag:
    """
    By how much timers have fired too late: everybody who is served at that
    moment has waited as long.

    @ivar counts: How many times it was no more than each of L{LAGS} and more
        than the one before; and, last, how many times it was more than all.

    @ivar seconds: All of it together.

    @ivar last: The latest one, in seconds.
    """

    def __init__(self) -> None:
        self.counts = [0] * (len(LAGS) + 1)
        self.seconds = 0.0
        self.last = 0.0

    def add(self, seconds: float) -> None:
        """
        A timer has fired so much too late.
        """
        self.last = seconds
        self.seconds += seconds
        self.counts[bisect_left(LAGS, seconds)] += 1
