"""
Tests for the parts of C{benchmarks/} that measure nothing.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.contents import CONTENTS, SIZE
from benchmarks.measure import TICK, busy
from benchmarks.report import overview, picture, table
from benchmarks.results import (
    QUIET,
    TARGETS,
    Results,
    Round,
    Target,
    comparison,
    disturbed,
    isBeyondRange,
    loaded,
    ratio,
    saved,
    targets,
)
from benchmarks.works import Work, works


def rounds(*costs: float, others: float = 0.0) -> list[Round]:
    """
    @return: One round for each cost.
    """
    return [Round(cost, 1000.0, others) for cost in costs]


class ResultsTests(SynchronousTestCase):
    """
    Tests for L{benchmarks.results}.
    """

    def test_json(self) -> None:
        """
        A run that was saved is loaded unchanged.
        """
        run = {"work": {"C": rounds(1, 2), "echod": rounds(3, 4, others=0.5)}}
        self.assertEqual(loaded(saved("a machine", run)), run)

    def test_ratio(self) -> None:
        """
        The ratio of two servers is the median of the ratios of each round, so a round that
        is slow for both does not change it.
        """
        self.assertEqual(ratio(rounds(10, 200, 12), rounds(5, 100, 6)), 2)

    def test_disturbed(self) -> None:
        """
        A row is disturbed if other programs used the machine in most of its rounds.
        """
        busyRound, quietRound = rounds(1, others=QUIET + 0.1), rounds(1, others=QUIET)
        self.assertFalse(disturbed(quietRound * 2 + busyRound))
        self.assertTrue(disturbed(quietRound + busyRound * 2))

    def test_range(self) -> None:
        """
        Two runs differ by more than their range if their ranges do not overlap.
        """
        before = rounds(10, 12)
        for now, beyond in (((12, 13), False), ((13, 14), True), ((8, 9), True)):
            self.assertEqual((now, isBeyondRange(before, rounds(*now))), (now, beyond))

    def test_comparison(self) -> None:
        """
        The comparison shows previous, now and ratio of each row that both runs have.
        """
        before = {"work": {"C": rounds(2), "echod": rounds(4), "Go": rounds(1)}}
        now = {"work": {"C": rounds(2), "echod": rounds(8)}, "new": {"C": rounds(1)}}
        lines = [line.split() for line in comparison(before, now)]
        self.assertEqual(
            lines,
            [
                ["server", "previous", "now", "ratio"],
                ["work", "C", "2.00", "2.00", "1.00"],
                ["work", "echod", "4.00", "8.00", "2.00", "larger", "than", "the", "range"],
            ],
        )

    def test_targets(self) -> None:
        """
        A target is met or missed by one run, as an absolute figure or as a factor to another
        server; more runs show a range.  A target whose row was not measured is left out.
        """
        run = {
            "work": {"C": rounds(2), "echod": rounds(5, others=1)},
            "other": {"C": rounds(1)},
        }
        more = [{"work": {"C": rounds(2), "echod": rounds(each)}} for each in (5, 4, 6)]
        aims = [
            Target("work", "echod", 5),
            Target("work", "echod", 2, "C"),
            Target("work", "echod", 2, "Go"),
            Target("other", "echod", 2),
            Target("unknown", "echod", 2),
        ]
        self.assertEqual(
            list(targets(run, more, aims)),
            [
                "work: at most 5; 5.00 (4.00 to 6.00 in 3 more runs): met (disturbed)",
                "work: at most 2 x C; 2.50 (2.00 to 3.00 in 3 more runs): missed (disturbed)",
            ],
        )

    def test_rows(self) -> None:
        """
        Each target belongs to a row that the benchmark has.
        """
        rows = {(work.name, server) for work in works("") for server in work.servers}
        for aim in TARGETS:
            self.assertIn((aim.work, aim.server), rows)
            self.assertIn((aim.work, aim.base or aim.server), rows)


class ReportTests(SynchronousTestCase):
    """
    Tests for L{benchmarks.report}.
    """

    work = Work("work", ["tcp"], {"C": [], "echod": [], "ncat": []})
    results: Results = {"C": rounds(2, 4), "echod": rounds(3, 6, others=0.5)}

    def test_table(self) -> None:
        """
        A table has the median, the ratio, the range, the mark of a disturbed row, and an
        empty row for a server that could not do the work.
        """
        lines = [line.split() for line in table(self.work, self.results).splitlines()]
        self.assertIn(["echod", "4.50", "1.50", "3.00", "6.00", "50%*", "1000"], lines)
        self.assertIn(["C", "3.00", "1.00", "2.00", "4.00", "0%", "1000"], lines)
        self.assertIn(["ncat"], lines)

    def test_overview(self) -> None:
        """
        The table of the targets has one run and the range of more runs, as far as there are
        more.
        """
        work, server = TARGETS[0].work, TARGETS[0].server
        run, *more = ({work: {"C": rounds(1), server: rounds(each)}} for each in (3, 2, 4))
        lines = overview(run, more).splitlines()
        self.assertIn(f"{work:45} {server:20} {'3.00':>9} {'2.00 to 4.00':>20}", lines)
        self.assertIn(
            f"- {work}: at most 3 x C; 3.00 (2.00 to 4.00 in 2 more runs): met", lines
        )
        self.assertIn(f"- {work}: at most 3 x C; 3.00: met", overview(run, []).splitlines())

    def test_picture(self) -> None:
        """
        The chart has a bar for each server, with its figure and its ratio.
        """
        chart = picture({"work": self.results})
        self.assertIn("4.50 µs", chart)
        self.assertEqual(chart.count("<rect x="), 4)


class MeasureTests(SynchronousTestCase):
    """
    Tests for L{benchmarks.measure} and L{benchmarks.contents}.
    """

    def test_busy(self) -> None:
        """
        Programs and stolen time count as work, idle time and interrupts do not.
        """
        stat = "cpu  100 20 30 9999 999 99 99 50 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"
        self.assertEqual(busy(stat), 200 / TICK)

    def test_contents(self) -> None:
        """
        Each content of the goodbye rule fills a read.
        """
        self.assertEqual({len(content) for content in CONTENTS.values()}, {SIZE})
