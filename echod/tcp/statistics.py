"""
The counters of the sessions that have ended.
"""

from __future__ import annotations

from collections import Counter

from echod.net.histogram import Histogram
from echod.net.statistics import LENGTHS


class SessionStatistics:
    """
    The sums over the sessions of one service that have ended.  Open sessions have
    counters of their own, so a message costs nothing here.

    @ivar outcomes: How many sessions have ended, by outcome.

    @ivar received: How many bytes their peers sent.

    @ivar returned: How many bytes were written to their peers.

    @ivar lengths: The lengths of the sessions, in seconds.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.received = 0
        self.returned = 0
        self.lengths = Histogram(LENGTHS)

    @property
    def sessions(self) -> int:
        """
        How many sessions have ended.
        """
        return self.lengths.total

    def add(self, outcome: str, received: int, returned: int, seconds: float) -> None:
        """
        Count a session that has ended.
        """
        self.outcomes[outcome] += 1
        self.received += received
        self.returned += returned
        self.lengths.add(seconds)
