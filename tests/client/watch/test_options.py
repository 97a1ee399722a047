"""
Tests for L{echod.client.watch.options}.
"""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from echod.client.options import parseCommandLine
from echod.client.ping.plan import Plan
from echod.client.watch.options import FEWEST, MOST, parsePlace


def parsed(*arguments: str) -> Any:
    """
    @return: The options of C{echoc watch} with these arguments.
    """
    return parseCommandLine(["watch", "--metrics=9101", *arguments])


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{WatchOptions}.
    """

    def test_plan(self) -> None:
        """
        The probes of a minute are remembered, within limits; only the loss of a TCP connection
        ends a run.
        """
        for arguments, interval, sizes, persistent, remembered in (
            ((), 1.0, (64,), True, FEWEST),
            (("-i", "0.5", "--tcp"), 0.5, (64,), False, 120),
            (("-i", "50us", "--tcp", "--anew"), 0.00005, (64,), True, MOST),
            (("--rate", "2", "-s", "1-3"), 0.5, (1, 2, 3), True, 120),
        ):
            expected = Plan(
                interval=interval,
                sizes=sizes,
                timeout=3.0,
                persistent=persistent,
                remembered=remembered,
            )
            self.assertEqual(parsed(*arguments, "-W", "3").plan, expected)

    def test_places(self) -> None:
        """
        A port alone is for this machine; an address with a port is that address.
        """
        for text, hosts, port in (
            ("9101", ("127.0.0.1", "::1"), 9101),
            ("0", ("127.0.0.1", "::1"), 0),
            ("0.0.0.0:9101", ("0.0.0.0",), 9101),
            ("[::]:9101", ("::",), 9101),
            ("[fe80::1%eth0]:9101", ("fe80::1%eth0",), 9101),
        ):
            self.assertEqual(parsePlace(text), (hosts, port))

    def test_badPlaces(self) -> None:
        """
        Every other text is refused, in a message with examples.
        """
        for text in ("", "x", "65536", ":9101", "example.org:9101", "::1:9101", "[1.2.3.4]:9"):
            problem = self.assertRaises(UsageError, parsePlace, text)
            self.assertIn("0.0.0.0:9101", str(problem))

    def test_withoutMetrics(self) -> None:
        """
        Without C{--metrics}, one line says what to give.
        """
        problem = self.assertRaises(UsageError, parseCommandLine, ["watch"])
        self.assertIn("--metrics with a port", str(problem))

    def test_twice(self) -> None:
        """
        A target that is given twice is refused: its metrics could not be told apart.
        """
        problem = self.assertRaises(UsageError, parsed, "7", "8", "127.0.0.1:7")
        self.assertEqual(str(problem), "127.0.0.1:7 is given twice")
