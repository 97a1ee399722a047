"""
Tests for L{echod.impair.model}.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import sqrt

from twisted.trial.unittest import SynchronousTestCase

from echod.impair.items import DATAGRAM_KINDS
from echod.impair.model import DatagramFaults, DelayLine, Pieces, damage, generator
from echod.impair.spec import DatagramImpairments, Impairments

MANY = 100_000

DEVIATIONS = 5
"""
How far a number may be from the expected number, in standard deviations. By chance, one
number in a million is further away; with a given seed, the result is always the same.
"""


class DatagramFaultsTests(SynchronousTestCase):
    """
    Tests for L{DatagramFaults}.
    """

    impairments = DatagramImpairments.parse(
        "drop=1%,duplicate=2%,reorder=3%,corrupt=0.1%,truncate=4%,seed=7"
    )

    def test_shares(self) -> None:
        """
        The number of datagrams with each fault fits its probability.
        """
        faults = DatagramFaults(self.impairments)
        counts = Counter(faults.next()[0] for _ in range(MANY))
        for kind in DATAGRAM_KINDS:
            probability = getattr(self.impairments, kind)
            deviation = sqrt(MANY * probability * (1 - probability))
            self.assertApproximates(
                counts[kind], MANY * probability, DEVIATIONS * deviation, kind
            )

    def test_seed(self) -> None:
        """
        The same seed gives the same faults; another seed gives others.
        """

        def faults(seed: int) -> list[tuple[str | None, float]]:
            drawn = DatagramFaults(DatagramImpairments(drop=0.5, seed=seed))
            return [drawn.next() for _ in range(100)]

        self.assertEqual(faults(7), faults(7))
        self.assertNotEqual(faults(7), faults(8))

    def test_sameForAll(self) -> None:
        """
        A seed gives the same faults with every version of Python.
        """
        faults = DatagramFaults(DatagramImpairments(drop=0.3, duplicate=0.3, seed=7))
        self.assertEqual(
            [faults.next()[0] for _ in range(8)],
            ["drop", "drop", "drop", None, None, "drop", None, "duplicate"],
        )

    def test_all(self) -> None:
        """
        A probability of 100% gives every datagram the fault.
        """
        faults = DatagramFaults(DatagramImpairments(truncate=1))
        self.assertEqual({faults.next()[0] for _ in range(1000)}, {"truncate"})


class DamageTests(SynchronousTestCase):
    """
    Tests for L{damage}.
    """

    places = (0.0, 0.25, 0.999)

    def test_corrupt(self) -> None:
        """
        One bit is changed; the place decides which.
        """
        for place, result in zip(self.places, (b"A@@@", b"@A@@", b"@@@\xc0"), strict=True):
            self.assertEqual(damage(b"@@@@", "corrupt", place), result)

    def test_truncate(self) -> None:
        """
        At least the last byte is missing.
        """
        results = [damage(b"abcd", "truncate", place) for place in self.places]
        self.assertEqual(results, [b"", b"a", b"abc"])

    def test_nothingToDamage(self) -> None:
        """
        An empty datagram cannot be damaged.
        """
        self.assertEqual(damage(b"", "corrupt", 0.5), b"")
        self.assertEqual(damage(b"", "truncate", 0.5), b"")

    def test_otherwise(self) -> None:
        """
        Faults that concern the whole datagram do not change its bytes.
        """
        for kind in ("drop", "duplicate", "reorder", None):
            self.assertEqual(damage(b"abcd", kind, 0.5), b"abcd")


class DelayLineTests(SynchronousTestCase):
    """
    Tests for L{DelayLine}.
    """

    def line(self, specification: str) -> DelayLine[int]:
        """
        @return: A new delay line.
        """
        impairments = Impairments.parse(specification)
        return DelayLine(impairments, generator(impairments))

    def test_delay(self) -> None:
        """
        Each item waits for the delay, and the items come out in order.
        """
        line = self.line("delay=50ms")
        self.assertTrue(line.delays)
        line.add(1, 10, 1.0)
        line.add(2, 20, 1.5)
        self.assertEqual(line.size, 30)
        self.assertEqual((line.due, line.take()), (1.05, 1))
        self.assertEqual((line.due, line.take()), (1.55, 2))
        self.assertEqual((bool(line), line.size), (False, 0))

    def test_jitter(self) -> None:
        """
        Jitter makes the delay longer or shorter, and does not change the order.
        """
        line = self.line("delay=50ms,jitter=10ms,seed=7")
        for number in range(1000):
            line.add(number, 1, 0.0)
        last = 0.0
        for number in range(1000):
            self.assertTrue(max(last, 0.04) <= line.due <= 0.06)
            last = line.due
            self.assertEqual(line.take(), number)
        delays = set()
        for now in range(100):
            line.add(now, 1, now)
            delays.add(round(line.due - now, 3))
            line.take()
        self.assertTrue(min(delays) < 0.043 and max(delays) > 0.057, delays)

    def test_jitterAlone(self) -> None:
        """
        With jitter alone, no item comes out before it was added.
        """
        line = self.line("jitter=10ms")
        self.assertTrue(line.delays)
        for now in range(100):
            line.add(now, 1, now)
            self.assertTrue(now <= line.due <= now + 0.01)
            line.take()

    def test_none(self) -> None:
        """
        Without delay and jitter, the line does not delay.
        """
        self.assertFalse(self.line("seed=7").delays)

    def test_clear(self) -> None:
        """
        Clearing the line drops the waiting items.
        """
        line = self.line("delay=1s")
        line.add(1, 10, 0.0)
        line.clear()
        self.assertEqual((bool(line), line.size), (False, 0))


class PiecesTests(SynchronousTestCase):
    """
    Tests for L{Pieces}.
    """

    def cut(self, seed: int, *segments: int) -> list[int]:
        """
        @return: The places at which segments of these sizes are cut.
        """
        pieces = Pieces(1, 7, generator(Impairments(seed=seed)))
        places, place = [], 0
        for segment in segments:
            end = place + segment
            while place < end:
                place += pieces.cut(end - place)
                places.append(place)
        return places

    def test_sizes(self) -> None:
        """
        All sizes between the least and the most occur, and no other.
        """
        places = [0, *self.cut(7, 10000)]
        sizes = {after - before for before, after in pairwise(places[:-1])}
        self.assertEqual(sizes, set(range(1, 8)))

    def test_seed(self) -> None:
        """
        The same seed gives the same pieces; another seed gives others.
        """
        self.assertEqual(self.cut(7, 1000), self.cut(7, 1000))
        self.assertNotEqual(self.cut(7, 1000), self.cut(8, 1000))

    def test_arrival(self) -> None:
        """
        The ends of segments add cuts, and change no other cut.
        """
        whole = self.cut(7, 1000)
        self.assertEqual(set(self.cut(7, 3, 500, 497)), {*whole, 3, 503})


class GeneratorTests(SynchronousTestCase):
    """
    Tests for L{generator}.
    """

    def test_purposes(self) -> None:
        """
        Each purpose has its own numbers, which differ from those of the next seed too.
        """
        drawn = {
            generator(Impairments(seed=seed), *purpose).random()
            for seed in (7, 8)
            for purpose in ((), ("a",), ("b",), (1, "a"), (2, "a"))
        }
        self.assertEqual(len(drawn), 10)
