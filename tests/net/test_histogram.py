"""
Tests for L{echod.net.histogram}.
"""

from twisted.trial.unittest import SynchronousTestCase

from echod.net.histogram import Histogram


class HistogramTests(SynchronousTestCase):
    """
    Tests for L{Histogram}.
    """

    def test_buckets(self) -> None:
        """
        A value counts for the smallest bound that it does not exceed, or as more than
        all bounds.
        """
        histogram = Histogram((1, 2.5, 10))
        for value in (0, 1, 2.5, 3, 10, 10.5, 400):
            histogram.add(value)
        self.assertEqual(histogram.counts, [2, 1, 2, 2])
        self.assertEqual((histogram.total, histogram.sum), (7, 427))
