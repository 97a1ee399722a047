"""
What has become of the sessions that are over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

LENGTHS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86400.0)
"""
The lengths of sessions that are told apart, in seconds: from those of a health
check to those that last for days.
"""


class SessionStatistics:
    """
    The sums over the sessions of one service that have ended.  Those which have
    not are asked when somebody wants to know, so that counting costs a message
    nothing.

    @ivar outcomes: How many there were, by how they ended.

    @ivar received: How many bytes their peers had sent.

    @ivar returned: How many bytes were written to their peers.

    @ivar seconds: How long they lasted, together.

    @ivar lengths: How many lasted no longer than each of L{LENGTHS} and longer
        than the one before; and, last, how many lasted longer than all.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.received = 0
        self.returned = 0
        self.seconds = 0.0
        self.lengths = [0] * (len(LENGTHS) + 1)

    @property
    def sessions(self) -> int:
        """
        How many there were.
        """
        return sum(self.lengths)

    def add(self, outcome: str, received: int, returned: int, seconds: float) -> None:
        """
        A session has ended.
        """
        self.outcomes[outcome] += 1
        self.received += received
        self.returned += returned
        self.seconds += seconds
        self.lengths[bisect_left(LENGTHS, seconds)] += 1
