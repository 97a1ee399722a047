"""
Tests for L{echod.impair.spec} and L{echod.impair.items}.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.impair.items import ITEMS, read, seed
from echod.impair.spec import (
    SEEDS,
    ConnectionImpairments,
    DatagramImpairments,
    Impairments,
)
from echod.net.quantities import duration, rate, share, size
from tests.support import NO_NUMBERS

DATAGRAMS = (
    "delay=50ms,jitter=10ms,drop=1%,duplicate=2%,reorder=3%,corrupt=0.1%,truncate=4%,seed=7"
)

CONNECTIONS = (
    "delay=50ms,jitter=10ms,rate=1000000B/s,pieces=1-7,"
    "close-after=3B,reset-after=2B,stall-after=4B,refuse=10%,seed=7"
)


class ImpairmentTests(SynchronousTestCase):
    """
    Tests for L{Impairments} and its subclasses.
    """

    def test_everyValue(self) -> None:
        """
        Every item is parsed, and is written as it was read.
        """
        both = {"delay": 0.05, "jitter": 0.01, "seed": 7}
        shares = {"drop": 0.01, "duplicate": 0.02, "reorder": 0.03, "corrupt": 0.001}
        ends = {"closeAfter": 3, "resetAfter": 2, "stallAfter": 4, "refuse": 0.1}
        cases: tuple[tuple[type[Impairments], str, dict[str, Any]], ...] = (
            (DatagramImpairments, DATAGRAMS, {**both, **shares, "truncate": 0.04}),
            (
                ConnectionImpairments,
                CONNECTIONS,
                {**both, "rate": 1e6, "pieces": (1, 7), **ends},
            ),
        )
        for kind, specification, values in cases:
            self.assertEqual(kind.parse(specification), kind(**values))
            self.assertEqual(str(kind.parse(specification)), specification)

    def test_writtenOnlyWhatThereIs(self) -> None:
        """
        Probabilities of 0 are not written; an end after 0 bytes is.
        """
        self.assertEqual(str(DatagramImpairments.parse("drop=0%,seed=0")), "seed=0")
        self.assertEqual(
            str(ConnectionImpairments.parse("stall-after=0,seed=0")), "stall-after=0B,seed=0"
        )

    def test_spaces(self) -> None:
        """
        There may be spaces between items.
        """
        self.assertEqual(read("pieces=5, seed=7"), {"pieces": (5, 5), "seed": 7})

    def test_seed(self) -> None:
        """
        Without a seed, a new one is drawn each time.
        """
        seeds = {DatagramImpairments.parse("drop=1%").seed for _ in range(10)}
        self.assertTrue(all(0 <= seed < SEEDS for seed in seeds))
        self.assertTrue(len(seeds) > 1)

    def test_firstEnd(self) -> None:
        """
        Of several ends, the one after the fewest bytes counts.
        """
        self.assertEqual(ConnectionImpairments.parse(CONNECTIONS).end, (2, "reset-after"))
        self.assertEqual(ConnectionImpairments(closeAfter=0).end, (0, "close-after"))
        self.assertIsNone(ConnectionImpairments().end)

    def test_everyItem(self) -> None:
        """
        Every item fits datagrams or connections.
        """
        fitting = {*DatagramImpairments.items(), *ConnectionImpairments.items()}
        self.assertEqual(fitting, set(ITEMS))
        self.assertEqual(Impairments.items(), ["delay", "jitter", "seed"])

    def nonsense(self, specification: str, kind: type[Impairments] = Impairments) -> str:
        """
        @return: The error message for an invalid specification.
        """
        problem = str(self.assertRaises(ValueError, kind.parse, specification))
        self.assertNotIn("\n", problem)
        return problem

    def test_nonsense(self) -> None:
        """
        An invalid specification is refused with the item and the right form.
        """
        for specification, problem in (
            ("", "nothing is no impairment: delay, jitter, "),
            ("lose=1%", "lose is no impairment: delay, jitter, "),
            ("delay", "delay: a duration is written as 600 (seconds), 50ms, "),
            ("delay=1s,drop=1", "drop=1: a share is written as 1% "),
            ("pieces=7-1", "pieces=7-1: pieces are written as 5, 1-7 or 1kB-2kB, "),
            ("pieces=0-3", "pieces=0-3: pieces are written as 5, 1-7 or 1kB-2kB, "),
            ("pieces=few", "pieces=few: pieces are written as 5, 1-7 or 1kB-2kB, "),
            ("seed=x", "seed=x: a seed is a whole number"),
            ("delay=1s,delay=2s", "delay is given twice"),
        ):
            said = self.nonsense(specification)
            self.assertTrue(said.startswith(problem), said)

    def test_badNumbers(self) -> None:
        """
        An invalid number is refused in one short line, for every item.
        """
        units: dict[Callable[[str], Any], str] = {
            duration: "s",
            share: "%",
            size: "B",
            rate: "B/s",
        }
        for item, kind in ITEMS.items():
            # Spaces around an item are allowed.
            for number in (text for text in NO_NUMBERS if text == text.strip()):
                said = self.nonsense(f"{item}={number}{units.get(kind, '')}")
                self.assertTrue(said.startswith(f"{item}={number[:50]}".strip()), said)
                self.assertIn("written as" if kind is not seed else "whole number", said)
                self.assertLess(len(said), 300)
        for number in ("1-", "-1", "1-2-3", f"1-{10**400}"):
            self.assertIn("pieces are written as", self.nonsense(f"pieces={number}"))
        self.assertLess(len(self.nonsense("9" * 5000)), 300)

    def test_wrongSubject(self) -> None:
        """
        Items for connections are refused for datagrams, and the other way round.
        """
        self.assertIn(
            "pieces is not for datagrams: delay, ",
            self.nonsense("pieces=1-3", DatagramImpairments),
        )
        self.assertIn(
            "drop is not for connections: delay, ",
            self.nonsense("drop=1%", ConnectionImpairments),
        )
        self.assertIn("drop is not for both", self.nonsense("drop=1%"))

    def test_moreThanAll(self) -> None:
        """
        Probabilities that exclude each other may not exceed 100% together.
        """
        self.assertIn(
            "more than 100%", self.nonsense("drop=60%,corrupt=41%", DatagramImpairments)
        )
        self.assertEqual(DatagramImpairments.parse("drop=60%,corrupt=40%").drop, 0.6)

    def test_rounding(self) -> None:
        """
        Probabilities of 100% together are accepted, although the sum of the floats is
        more.
        """
        impairments = DatagramImpairments.parse("drop=33%,duplicate=56%,reorder=11%")
        total = impairments.drop + impairments.duplicate + impairments.reorder
        self.assertGreater(total, 1)
