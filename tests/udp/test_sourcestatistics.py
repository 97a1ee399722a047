"""
Tests for L{echod.udp.sourcestatistics}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.net.statistics import Traffic
from echod.udp.sourcestatistics import OTHERS, SOURCES, SourceStatistics


class SourceStatisticsTests(SynchronousTestCase):
    """
    Tests for L{SourceStatistics}.
    """

    def test_take(self) -> None:
        """
        The traffic of each source is counted from one call to the next.
        """
        statistics = SourceStatistics()
        for port, answered in ((40000, True), (40000, True), (7, False)):
            statistics.add(("192.0.2.1", port), 5, answered)
        self.assertEqual(
            statistics.take(),
            {"192.0.2.1:40000": Traffic(2, 2, 10, 10), "192.0.2.1:7": Traffic(1, 0, 5, 0)},
        )
        self.assertEqual(statistics.take(), {})

    def test_memory(self) -> None:
        """
        When there are too many sources, the later ones are counted together.
        """
        statistics = SourceStatistics()
        for port in range(SOURCES + 10):
            for _ in range(2):
                statistics.add(("192.0.2.1", 2000 + port), 1, True)
        taken = statistics.take()
        self.assertEqual(len(taken), SOURCES + 1)
        self.assertEqual(taken["192.0.2.1:2000"], Traffic(2, 2, 2, 2))
        self.assertEqual(taken[OTHERS], Traffic(20, 20, 20, 20))
