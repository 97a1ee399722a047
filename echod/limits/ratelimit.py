"""
Rate limits: how many datagrams, connections or log lines a second one source may have.
"""

from __future__ import annotations

from collections import OrderedDict

UDP_RATE = 10000
"""
How many datagrams of one source are answered in a second: far more than measuring needs, and
too few small ones to fill a link of 10 Mbit/s.
"""

BURST = 1.0
"""
The time for which a source may save the unused part of its rate, in seconds.
"""

METERED_SOURCES = 1 << 16
"""
How many sources one limit remembers: they take at most 20 MB of memory.
"""


class RateLimit:
    """
    A rate for each source: a token bucket, in the form of the generic cell rate algorithm
    (ITU-T I.371), which needs one number for each source.

    It remembers the sources that it has seen last.  Any other source has its full burst.
    """

    def __init__(self, rate: float, burst: float = BURST) -> None:
        """
        @param rate: How many a second.

        @param burst: The time for which a source may save the unused part, in seconds.
        """
        self._interval = 1 / rate
        # Half an interval more, because sums of intervals are rounded.
        self._burst = max(burst, self._interval) + self._interval / 2
        # For each source, the time until which its requests would last if they came evenly
        # spaced.
        self._reach: OrderedDict[str, float] = OrderedDict()

    @property
    def sources(self) -> int:
        """
        The number of sources that are remembered.
        """
        return len(self._reach)

    def exceeded(self, source: str, now: float) -> bool:
        """
        Count a request of a source, unless it exceeds the rate.

        @param now: The time, in seconds.

        @return: True if the request exceeds the rate.
        """
        reaches = self._reach
        before = reaches.get(source, 0.0)
        reach = (before if before > now else now) + self._interval
        if exceeded := reach > now + self._burst:
            reach = before
        reaches[source] = reach
        reaches.move_to_end(source)
        if not before and len(reaches) > METERED_SOURCES:
            reaches.popitem(last=False)
        return exceeded
