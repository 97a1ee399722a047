"""
Tests for L{echod.limits.ratelimit}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.ratelimit import METERED_SOURCES, RateLimit


class RateLimitTests(SynchronousTestCase):
    """
    Tests for L{RateLimit}.
    """

    def served(self, rate: RateLimit, number: int, now: float, source: str = "a") -> int:
        """
        @return: How many of a number of requests are within the rate.
        """
        return sum(not rate.exceeded(source, now) for _ in range(number))

    def test_burst(self) -> None:
        """
        A source that was quiet for a second is served once a second's worth, and no more.
        """
        rate = RateLimit(100)
        for now in (1000.0, 2000.0):
            self.assertEqual(self.served(rate, 1000, now), 100)

    def test_rounding(self) -> None:
        """
        The burst is complete, though the sum of its intervals is rounded, at any time.
        """
        for number in (1, 3, 7, 10, 100, 1000):
            for now in (0.1, 1000.0, 1000.1, 1e6 + 0.3, 1e9):
                rate = RateLimit(number)
                self.assertEqual(self.served(rate, 2 * number, now), number, (number, now))

    def test_rate(self) -> None:
        """
        After the burst a source is served at its rate.
        """
        rate = RateLimit(100)
        self.served(rate, 100, 1000)
        self.assertEqual(self.served(rate, 1000, 1000.1), 10)
        self.assertEqual(sum(self.served(rate, 9, 1001 + n / 10) for n in range(100)), 900)

    def test_sources(self) -> None:
        """
        Each source has a rate of its own.
        """
        rate = RateLimit(1)
        self.assertEqual(self.served(rate, 2, 1000, "a"), 1)
        self.assertEqual(self.served(rate, 2, 1000, "b"), 1)

    def test_memory(self) -> None:
        """
        Any number of sources takes bounded memory, and the latest ones are remembered.
        """
        rate = RateLimit(1)
        self.served(rate, 1, 1000, "known")
        for number in range(METERED_SOURCES + 10):
            rate.exceeded(str(number), 1000)
            if number % 1000 == 0:
                self.assertTrue(rate.exceeded("known", 1000))
        self.assertTrue(rate.exceeded("known", 1000))
        self.assertEqual(rate.sources, METERED_SOURCES)
