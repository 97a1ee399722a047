"""
Tests for L{echod.tcp.statistics}.
"""

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.statistics import SessionStatistics


class SessionStatisticsTests(SynchronousTestCase):
    """
    Tests for L{SessionStatistics}.
    """

    def test_sums(self) -> None:
        """
        Sessions that have ended are summed up.
        """
        ended = SessionStatistics()
        ended.add("goodbye", 10, 6, 2)
        ended.add("goodbye", 20, 16, 3)
        ended.add("lost", 1, 1, 1)
        self.assertEqual(ended.outcomes, {"goodbye": 2, "lost": 1})
        self.assertEqual((ended.received, ended.returned, ended.lengths.sum), (31, 23, 6))
        self.assertEqual(ended.sessions, 3)
