"""
Tests for L{echod.client.watch.options}.
"""

from __future__ import annotations

from typing import Any

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from echod.client.options import parseCommandLine
from echod.client.ping.plan import Plan
from echod.client.watch.options import MOST_PROBES, parsePlace


def parsed(*arguments: str) -> Any:
    """
    @return: The options of C{echoc watch} with these arguments.
    """
    name, options = parseCommandLine(["watch", "--metrics=9101", *arguments])
    assert name == "watch"
    return options


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{WatchOptions}.
    """

    def test_plan(self) -> None:
        """
        A run lasts a minute, sends each size at least once, and has a limited number of
        probes.
        """
        for arguments, count, interval, sizes in (
            ((), 60, 1.0, (64,)),
            (("-i", "0.5"), 120, 0.5, (64,)),
            (("-i", "100"), 1, 100.0, (64,)),
            (("-i", "50us"), MOST_PROBES, 0.00005, (64,)),
            (("--rate", "2", "-s", "1-200"), 200, 0.5, tuple(range(1, 201))),
        ):
            plan = parsed(*arguments, "-W", "3").plan
            self.assertEqual(plan, Plan(count, interval, sizes, 3.0))

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
