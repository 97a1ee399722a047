"""
Tests for L{echod.tcp.statistics}.
"""

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.statistics import LENGTHS, SessionStatistics


class TallyTests(SynchronousTestCase):
    """
    Tests for L{SessionStatistics}.
    """

    def test_sums(self) -> None:
        """
        Sessions that have ended are summed up.
        """
        tally = SessionStatistics()
        tally.add("goodbye", 10, 6, 2)
        tally.add("goodbye", 20, 16, 3)
        tally.add("lost", 1, 1, 1)
        self.assertEqual(tally.outcomes, {"goodbye": 2, "lost": 1})
        self.assertEqual((tally.received, tally.returned, tally.seconds), (31, 23, 6))
        self.assertEqual(tally.sessions, 3)

    def test_lengths(self) -> None:
        """
        A session counts for the shortest of the lengths that it does not exceed,
        or as longer than all.
        """
        tally = SessionStatistics()
        for length in (0, *LENGTHS, LENGTHS[-1] + 1):
            tally.add("lost", 0, 0, length)
        self.assertEqual(tally.lengths, [2] + [1] * len(LENGTHS))
