"""
Tests for L{echod.client.ping.tracking.probe}, L{echod.client.ping.tracking.tracker} and
L{echod.client.ping.tracking.statistics}.
"""

from __future__ import annotations

import statistics
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.moments import Moment
from echod.client.ping.tracking.probe import HEADER_SIZE, Probes
from echod.client.ping.tracking.statistics import RoundTrips
from echod.client.ping.tracking.tracker import Tracker

SECOND = 1_000_000_000


def at(seconds: float) -> Moment:
    """
    @return: A moment; the time of day is far from the monotonic clock.
    """
    nanoseconds = round(seconds * SECOND)
    return Moment(nanoseconds, nanoseconds + 1_700_000_000 * SECOND)


def flipped(data: bytes, place: int, bits: int = 1) -> bytes:
    """
    @return: The data with some bits of one byte flipped.
    """
    return data[:place] + bytes([data[place] ^ bits]) + data[place + 1 :]


class ProbesTests(SynchronousTestCase):
    """
    Tests for L{Probes}.
    """

    def setUp(self) -> None:
        self.probes = Probes(Random(1))

    def test_whole(self) -> None:
        """
        A probe tells its number, and has the size that was asked for.
        """
        for size in (HEADER_SIZE, 64, 65507):
            for number in (0, 10, 1 << 40):
                probe = self.probes.encode(number, size)
                self.assertEqual(len(probe), size)
                self.assertEqual(self.probes.decode(probe), number)

    def test_everyBit(self) -> None:
        """
        No bit can change, and nothing can be cut off or added, unnoticed.
        """
        probe = self.probes.encode(77, 24)
        for place in range(24):
            for bit in range(8):
                self.assertIsNone(self.probes.decode(flipped(probe, place, 1 << bit)))
        for size in range(24):
            self.assertIsNone(self.probes.decode(probe[:size]))
        self.assertIsNone(self.probes.decode(probe + b"x"))

    def test_otherRun(self) -> None:
        """
        A probe of another run is none of this.
        """
        self.assertIsNone(self.probes.decode(Probes(Random(2)).encode(1, 64)))

    def test_goodbye(self) -> None:
        """
        No newline stands where a goodbye could follow.
        """
        self.assertNotIn(b"\n", self.probes.encode(1, 65507)[12:])

    def test_small(self) -> None:
        """
        A probe without room for a checksum consists of the low bytes of the number.
        """
        self.assertEqual(self.probes.encode(0x1234, 0), b"")
        self.assertEqual(self.probes.encode(0x1234, 1), b"\x34")
        self.assertEqual(self.probes.encode(0x1234, 3), b"\x00\x12\x34")


class TrackerTests(SynchronousTestCase):
    """
    Tests for L{Tracker}.
    """

    def setUp(self) -> None:
        self.tracker = Tracker(Probes(Random(1)), SECOND)

    def send(self, count: int, size: int = 64) -> list[bytes]:
        """
        @return: Probes that were sent, one a second from 0.
        """
        sent = []
        for number in range(count):
            sent.append(self.tracker.probe(size))
            self.tracker.sent(size, at(number))
        return sent

    def check(self, lost: int, **counts: int) -> None:
        """
        The books say so, and every probe is in them once.
        """
        total = self.tracker.total
        kinds = (Kind.LATE, Kind.DUPLICATED, Kind.TRUNCATED, Kind.CORRUPTED, Kind.FOREIGN)
        said = {kind.value: total.kinds[kind] for kind in kinds if total.kinds[kind]}
        self.assertEqual((self.tracker.lost, said), (lost, counts))

    def test_answered(self) -> None:
        """
        An answer is known by its number, and its round trip was as long as the
        monotonic clock says.
        """
        one, two = self.send(2)
        self.assertEqual(
            self.tracker.received(two, at(1.25)), Event(Kind.ANSWERED, 1, 64, SECOND // 4)
        )
        self.assertEqual(
            self.tracker.received(one, at(0.5)), Event(Kind.ANSWERED, 0, 64, SECOND // 2, True)
        )
        self.assertEqual(self.tracker.reordered, 1)
        self.check(0)

    def test_reordered(self) -> None:
        """
        Every answer to a probe older than the newest answered one is reordered.
        """
        probes = self.send(3)
        for number, reordered in ((2, False), (0, True), (1, True)):
            event = self.tracker.received(probes[number], at(3))
            self.assertEqual(event.reordered, reordered)

    def test_kernelTime(self) -> None:
        """
        The kernel's time of arrival counts, unless the clock was set meanwhile.
        """
        for arrived, trip in ((0.25, 0.25), (-1.0, 0.5), (0.75, 0.5)):
            self.setUp()
            (probe,) = self.send(1)
            event = self.tracker.received(probe, at(0.5), at(arrived).realtime)
            self.assertEqual(event.roundTrip, round(trip * SECOND))

    def test_clockStep(self) -> None:
        """
        A step of the time of day that is smaller than the round trip is noticed; the slow
        correction of a clock is no step.
        """
        for step, trip in ((-0.1, 0.5), (0.1, 0.5), (0.0001, 0.2501)):
            self.setUp()
            (probe,) = self.send(1)
            stepped = Moment(at(0.5).monotonic, at(0.5 + step).realtime)
            event = self.tracker.received(probe, stepped, at(0.25 + step).realtime)
            self.assertEqual(event.roundTrip, round(trip * SECOND))

    def test_duplicated(self) -> None:
        """
        A second answer is a duplicate, and no second answer.
        """
        (probe,) = self.send(1)
        for kind in (Kind.ANSWERED, Kind.DUPLICATED, Kind.DUPLICATED):
            self.assertIs(self.tracker.received(probe, at(0.5)).kind, kind)
        self.check(0, duplicated=2)
        self.assertEqual(self.tracker.total.roundTrips.count, 1)

    def test_lost(self) -> None:
        """
        A probe that is not answered in time is lost; until then it is in flight.
        """
        self.send(2)
        self.assertEqual(list(self.tracker.expire(SECOND)), [])
        self.check(0)
        self.assertEqual(list(self.tracker.expire(SECOND + 1)), [Event(Kind.LOST, 0, 64)])
        self.assertEqual(self.tracker.inFlight, 1)
        self.check(1)

    def test_lateShort(self) -> None:
        """
        The bytes of short probes repeat.  An answer belongs to the oldest waiting probe with
        these bytes, then to the oldest lost one, and then it is a duplicate.
        """
        self.send(600, 1)
        lost = [event.sequence for event in self.tracker.expire(at(580.5).monotonic)]
        self.assertEqual(lost, list(range(580)))
        for byte, results in (
            (0x00, [(Kind.LATE, 0), (Kind.LATE, 256), (Kind.LATE, 512)]),
            (0x44, [(Kind.ANSWERED, 580), (Kind.LATE, 68), (Kind.LATE, 324)]),
        ):
            newest = max(sequence for _, sequence in results)
            for kind, sequence in [*results, (Kind.DUPLICATED, newest)]:
                event = self.tracker.received(bytes([byte]), at(580.5))
                self.assertEqual((event.kind, event.sequence), (kind, sequence))
        self.check(575, late=5, duplicated=2)

    def test_late(self) -> None:
        """
        A probe that is answered after its time is late and not lost, even if it counted as
        lost before.  Its round trip counts with its real length.
        """
        probes = self.send(2)
        self.assertIs(self.tracker.received(probes[1], at(2.5)).kind, Kind.LATE)
        list(self.tracker.expire(10 * SECOND))
        self.assertEqual(
            self.tracker.received(probes[0], at(10)),
            Event(Kind.LATE, 0, 64, 10 * SECOND, True),
        )
        self.assertIs(self.tracker.received(probes[0], at(11)).kind, Kind.DUPLICATED)
        self.check(0, late=2, duplicated=1)

    def test_readLate(self) -> None:
        """
        An answer that the kernel received in time is not late, even if it is read late.
        """
        (probe,) = self.send(1)
        list(self.tracker.expire(5 * SECOND))
        event = self.tracker.received(probe, at(5), at(0.5).realtime)
        self.assertIs(event.kind, Kind.ANSWERED)
        self.check(0)

    def test_corrupted(self) -> None:
        """
        A probe with any one changed byte is recognized, and the place of the byte is
        reported; a second answer to this probe is a duplicate.
        """
        for place in range(64):
            for bits in (1, 0x80, 0x5A):
                self.setUp()
                probes = self.send(20)
                event = self.tracker.received(flipped(probes[9], place, bits), at(20))
                self.assertEqual(event, Event(Kind.CORRUPTED, 9, 64, at=place))
        self.assertIs(self.tracker.received(probes[9], at(20)).kind, Kind.DUPLICATED)
        list(self.tracker.expire(100 * SECOND))
        self.check(19, corrupted=1, duplicated=1)

    def test_corruptedDuplicate(self) -> None:
        """
        A second answer that is corrupted is counted, and costs no other probe.
        """
        probes = self.send(3)
        self.tracker.received(probes[1], at(1))
        for place in (3, 40):
            event = self.tracker.received(flipped(probes[1], place), at(1))
            self.assertEqual((event.kind, event.sequence), (Kind.CORRUPTED, 1))
        list(self.tracker.expire(100 * SECOND))
        self.check(2, corrupted=2)

    def test_corruptedAndLate(self) -> None:
        """
        A probe that was given up and comes back corrupted is not lost.
        """
        (probe,) = self.send(1)
        list(self.tracker.expire(10 * SECOND))
        self.tracker.received(flipped(probe, 50), at(11))
        self.check(0, corrupted=1)

    def test_truncated(self) -> None:
        """
        An answer that is the beginning of its probe is truncated; one that goes on
        after its end is corrupted from there on.
        """
        for size in (0, 5, 14, 16, 40, 63):
            self.setUp()
            (probe,) = self.send(1)
            self.assertEqual(
                self.tracker.received(probe[:size], at(1)),
                Event(Kind.TRUNCATED, 0, size, at=size),
            )
            self.check(0, truncated=1)
        self.setUp()
        (probe,) = self.send(1)
        self.assertEqual(
            self.tracker.received(probe + b"x", at(1)), Event(Kind.CORRUPTED, 0, 65, at=64)
        )

    def test_foreign(self) -> None:
        """
        Data that resemble no probe are foreign, and so is a probe that was never sent.
        """
        other = Probes(Random(1))
        unsent = [other.encode(0, 64), other.encode(5, 64), other.encode(5, 3)]
        for data in (bytes(64), b"hello", *unsent):
            self.assertEqual(
                self.tracker.received(data, at(1)), Event(Kind.FOREIGN, None, len(data))
            )
        self.send(1)
        self.assertIs(self.tracker.received(b"\xff" * 64, at(1)).kind, Kind.FOREIGN)
        self.assertIs(self.tracker.received(b"hello", at(1)).kind, Kind.FOREIGN)
        self.assertIs(self.tracker.received(other.encode(500, 64), at(1)).kind, Kind.FOREIGN)
        self.check(0, foreign=8)

    def test_forgotten(self) -> None:
        """
        Only so many answers are remembered; one to a probe that is not any more
        came late, at least.
        """
        self.tracker = Tracker(Probes(Random(1)), SECOND, remembered=2)
        probes = self.send(3)
        for probe in probes:
            self.tracker.received(probe, at(1))
        self.assertIs(self.tracker.received(probes[2], at(1)).kind, Kind.DUPLICATED)
        self.assertEqual(self.tracker.received(probes[0], at(1)), Event(Kind.LATE, 0, 64))

    def test_small(self) -> None:
        """
        Probes that are too small for a checksum are known by what they have; an
        empty one is taken for the oldest.
        """
        for size in (0, 1, 15):
            self.setUp()
            probes = self.send(3, size)
            for number, probe in enumerate(probes):
                self.assertEqual(self.tracker.received(probe, at(number)).sequence, number)
            self.assertIs(self.tracker.received(probes[2], at(3)).kind, Kind.DUPLICATED)

    def test_smallCorrupted(self) -> None:
        """
        A small one that none can be is taken for the oldest.
        """
        self.send(3, 2)
        self.assertEqual(
            self.tracker.received(b"\xff\xff", at(1)), Event(Kind.CORRUPTED, 0, 2, at=0)
        )

    def test_failed(self) -> None:
        """
        An error costs the probe that it is about, if it says which.
        """
        probes = self.send(2)
        self.assertEqual(
            self.tracker.failed(Kind.REFUSED, probes[1]), Event(Kind.REFUSED, 1, len(probes[1]))
        )
        self.check(1)
        for data in (probes[1], b"", b"?"):
            self.assertEqual(
                self.tracker.failed(Kind.REFUSED, data), Event(Kind.REFUSED, None, 0)
            )
        self.assertEqual(self.tracker.total.kinds[Kind.REFUSED], 4)

    def test_unsent(self) -> None:
        """
        A probe that could not be sent does not count as sent.
        """
        event = self.tracker.sendFailed(9000, at(0), Kind.TOO_BIG)
        self.assertEqual(event, Event(Kind.TOO_BIG, 0, 9000))
        self.assertEqual(self.tracker.total.sent, 0)
        self.assertIsNone(self.tracker.interval)
        self.tracker.sent(64, at(3))
        self.assertEqual(self.tracker.interval, 3 * SECOND)


class RoundTripsTests(SynchronousTestCase):
    """
    Tests for L{RoundTrips}.
    """

    def test_rank(self) -> None:
        """
        The nearest rank is exact, also where floats are not.
        """
        figures = RoundTrips()
        for microseconds in range(41000):
            figures.add(microseconds * 1000)
        self.assertEqual(figures.percentile(99.9), 40958 * 1000)

    def figures(self, microseconds: list[int]) -> dict[str, float]:
        """
        @return: The figures of some round-trip times.
        """
        figures = RoundTrips()
        for one in microseconds:
            figures.add(one * 1000)
        return figures.microseconds((50, 90, 99, 99.9))

    def test_distribution(self) -> None:
        """
        The distribution counts each time, and how many round trips took no longer.
        """
        roundTrips = RoundTrips()
        for microseconds in (5, 7, 5, 9):
            roundTrips.add(microseconds * 1000)
        self.assertEqual(
            list(roundTrips.distribution()), [(5, 2, 0.5), (7, 1, 0.75), (9, 1, 1.0)]
        )

    def test_one(self) -> None:
        """
        With one round trip, all figures are its time.
        """
        said = self.figures([7])
        self.assertEqual((said.pop("mdev"), said.pop("jitter")), (0, 0))
        self.assertEqual(set(said.values()), {7})

    def test_range(self) -> None:
        """
        A percentile is never outside the range of the exact times.
        """
        for nanoseconds in (1400, 1600):
            trips = RoundTrips()
            trips.add(nanoseconds)
            self.assertEqual(trips.percentile(50), nanoseconds)

    def test_many(self) -> None:
        """
        The figures are those of the textbook.
        """
        trips = list(range(1, 1001))
        Random(1).shuffle(trips)
        said = self.figures(trips)
        self.assertEqual((said["min"], said["max"], said["avg"]), (1, 1000, 500.5))
        self.assertEqual(
            [said[f"p{percent}"] for percent in ("50", "90", "99", "999")],
            [500, 900, 990, 999],
        )
        self.assertAlmostEqual(said["mdev"], statistics.pstdev(trips), 3)

    def test_jitter(self) -> None:
        """
        Jitter is RFC 3550's: it moves by a sixteenth of what it is off.
        """
        self.assertEqual(self.figures([100, 116])["jitter"], 1)
        self.assertEqual(self.figures([100, 116, 100])["jitter"], 1.938)
