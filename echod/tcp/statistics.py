"""
What has become of the sessions that are over.
"""

from __future__ import annotations

from collections import Counter

from echod.net.histogram import Histogram
from echod.net.statistics import LENGTHS


class SessionStatistics:
    """
    The sums over the sessions of one service that have ended.  Those which have
    not are asked when somebody wants to know, so that counting costs a message
    nothing.

    @ivar outcomes: How many there were, by how they ended.

    @ivar received: How many bytes their peers had sent.

    @ivar returned: How many bytes were written to their peers.

    @ivar lengths: How long they lasted, in seconds.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.received = 0
        self.returned = 0
        self.lengths = Histogram(LENGTHS)

    @property
    def sessions(self) -> int:
        """
        How many there were.
        """
        return self.lengths.total

    def add(self, outcome: str, received: int, returned: int, seconds: float) -> None:
        """
        A session has ended.
        """
        self.outcomes[outcome] += 1
        self.received += received
        self.returned += returned
        self.lengths.add(seconds)
