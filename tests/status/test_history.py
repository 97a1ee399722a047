"""
Tests for L{echod.status.history}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.status.history import REMEMBERED, History


class HistoryTests(SynchronousTestCase):
    """
    Tests for L{History}.
    """

    def test_rates(self) -> None:
        """
        An entry has the bytes per second since the entry before.
        """
        history = History()
        history.add(10, [(100, 50), (0, 0)], time=1000, lag=0)
        self.assertEqual(list(history.entries), [])
        history.add(12, [(300, 50), (1, 1)], time=1002, lag=0.25)
        self.assertEqual(
            list(history.entries),
            [{"time_unix_s": 1002, "lag_s": 0.25, "bytes_per_s": [[100, 0], [0, 0]]}],
        )

    def test_oneTick(self) -> None:
        """
        Entries that are added within one tick of the clock become part of the next entry.
        """
        history = History()
        history.add(10, [(100, 50)], time=1000, lag=0)
        history.add(10, [(200, 50)], time=1000, lag=0)
        self.assertEqual(list(history.entries), [])
        history.add(12, [(300, 50)], time=1002, lag=0)
        self.assertEqual([entry["bytes_per_s"] for entry in history.entries], [[[100, 0]]])

    def test_memory(self) -> None:
        """
        Only the last five minutes are kept.
        """
        history = History()
        for second in range(REMEMBERED + 10):
            history.add(second, [], time=second, lag=0)
        self.assertEqual(len(history.entries), REMEMBERED)
        self.assertEqual(history.entries[0]["time_unix_s"], 10)
