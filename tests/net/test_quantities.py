"""
Tests for L{echod.net.quantities}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.net.quantities import MOST, decimal, duration, rate, share, size, wholeNumber
from tests.support import NO_NUMBERS


class QuantityTests(SynchronousTestCase):
    """
    Tests that quantities are read as people mean them, or are refused.
    """

    def test_durations(self) -> None:
        """
        A duration is in seconds, or has a unit, from microseconds to days.  The result is
        the nearest C{float}.
        """
        for text, seconds in (
            ("600", 600),
            (".5", 0.5),
            ("50us", 0.00005),
            ("250\N{MICRO SIGN}s", 0.00025),
            ("50ms", 0.05),
            ("10 ms", 0.01),
            ("0s", 0),
            ("1.5s", 1.5),
            ("5m", 300),
            ("2min", 120),
            ("1.5h", 5400),
            ("1d", 86400),
        ):
            self.assertEqual(duration(text), seconds, text)

    def test_sizes(self) -> None:
        """
        A size is in bytes, or in the units of thousands or of 1024.
        """
        texts = ("7", "7 B", "1.5kB", "1MB", "2GB", "1KiB", "1MiB", "0")
        self.assertEqual(
            [size(text) for text in texts],
            [7, 7, 1500, 10**6, 2 * 10**9, 1024, 1 << 20, 0],
        )

    def test_rates(self) -> None:
        """
        A rate is a size a second.
        """
        self.assertEqual([rate(text) for text in ("1MB/s", "500B/s")], [10**6, 500])

    def test_shares(self) -> None:
        """
        A share is in percent.
        """
        texts = ("1%", "0.1%", "100%", "0%")
        self.assertEqual([share(text) for text in texts], [0.01, 0.001, 1, 0])

    def test_nonsense(self) -> None:
        """
        Other texts are refused, with a message that says how to write the quantity.
        """
        for kind, texts, right in (
            (
                duration,
                ("", "-1s", "ms", "1H", "infs", "1e3s", "1ms ", "5 ", "5  s", "1h30m"),
                "50ms",
            ),
            (size, ("", "1mb", "-1", "1MB/s", "nan", "1.5", "1.5 B"), "64KiB"),
            (rate, ("1MB", "0B/s", "0.0MB/s", "x"), "1.5MB/s"),
            (share, ("1", "101%", "-1%", "%", "0.01"), "0.1%"),
        ):
            for text in texts:
                error = self.assertRaises(ValueError, kind, text)
                self.assertIn(right, str(error), text)

    def test_limits(self) -> None:
        """
        The largest value of each quantity is accepted, and nothing above it.
        """
        for kind, most, more in (
            (duration, "1000000000s", "1000000000.1s"),
            (size, "1000000GB", "1000001GB"),
            (rate, "1000000GB/s", "1000001GB/s"),
            (rate, "0.001B/s", "0.0009B/s"),
            (share, "100%", "100.1%"),
        ):
            kind(most)
            self.assertRaises(ValueError, kind, more)


class NumberTests(SynchronousTestCase):
    """
    Tests for L{wholeNumber} and L{decimal}.
    """

    def test_numbers(self) -> None:
        """
        A number is written in ASCII digits.
        """
        self.assertEqual([wholeNumber(text) for text in ("0", "007", "42")], [0, 7, 42])
        self.assertEqual(
            [decimal(text) for text in ("0", "1.50", ".5", "2.")], [0, 1.5, 0.5, 2]
        )
        self.assertEqual(wholeNumber(str(MOST)), MOST)

    def test_others(self) -> None:
        """
        Other texts are refused, even if Python reads them as numbers; the error shows the
        right form.
        """
        for text in NO_NUMBERS:
            for kind in (wholeNumber, decimal):
                error = self.assertRaises(ValueError, kind, text)
                self.assertIn("number from 0 to 1000000000000000", str(error), text)
        self.assertRaises(ValueError, wholeNumber, "1.5")

    def test_between(self) -> None:
        """
        Both limits are accepted.
        """
        self.assertEqual([wholeNumber(text, 1, 3) for text in ("1", "3")], [1, 3])
        for text in ("0", "4"):
            self.assertRaises(ValueError, wholeNumber, text, 1, 3)
            self.assertRaises(ValueError, decimal, text, 1, 3)
