"""
Tests for L{echod.client.ping.report}, L{echod.client.ping.summary}, L{echod.client.ping.plot}
and L{echod.client.ping.live}.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from io import StringIO
from random import Random
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import ClientError, Outcome
from echod.client.ping.events import Event, Kind, Moment
from echod.client.ping.live import MISSING, Plot, Progress, isLong
from echod.client.ping.pinger import Result
from echod.client.ping.plan import Plan
from echod.client.ping.plot import graph, histogram
from echod.client.ping.probe import Probes
from echod.client.ping.report import CSV, JSON, JSONLines, Quiet, Text, lines
from echod.client.ping.summary import summary
from echod.client.ping.tracker import Tracker
from tests.support import clock, lacking

EVENTS = [
    Event(Kind.SENT, 0, 64),
    Event(Kind.ANSWERED, 0, 64, 43_500),
    Event(Kind.ANSWERED, 2, 64, 43_500, True),
    Event(Kind.LATE, 3, 64, 1_043_500_000),
    Event(Kind.DUPLICATED, 0, 64),
    Event(Kind.TRUNCATED, 4, 12, at=12),
    Event(Kind.CORRUPTED, 5, 64, at=40),
    Event(Kind.FOREIGN, None, 5),
    Event(Kind.LOST, 6, 64),
    Event(Kind.REFUSED, 7, 0),
    Event(Kind.UNREACHABLE, None, 0),
    Event(Kind.TOO_BIG, 8, 9000),
]


def result(*sizes: int) -> Result:
    """
    @return: A run of one probe of each size, a second apart, all but the first of
        which came back after 250 microseconds.
    """
    tracker = Tracker(Probes(Random(1)), 10**9)
    for number, size in enumerate(sizes):
        moment = Moment(number * 10**9, 0)
        probe = tracker.probe(size)
        tracker.sent(size, moment)
        if number:
            tracker.received(probe, Moment(moment.monotonic + 250_000, 0))
    list(tracker.expire(10**12))
    return Result(tracker, float(len(sizes)), 0)


def summarised(*sizes: int) -> dict[str, Any]:
    """
    @return: The summary of L{result}.
    """
    return summary(result(*sizes), Outcome(1, "it: 1 did not come back in time"), "it")


class ReportTests(SynchronousTestCase):
    """
    Tests for the reports.
    """

    def setUp(self) -> None:
        self.lines: list[str] = []

    def report(self, kind: type[Quiet]) -> list[str]:
        """
        @return: The output of a report about a whole run.
        """
        self.lines.clear()
        report = kind(self.lines.append, now=lambda: 1_000_000_000.5)
        report.started("it", Plan(3, 0.5, (64, 128)), "UDP")
        for event in EVENTS:
            report.observe(event)
        report.finished(summarised(64, 64, 64))
        report.stop()
        return self.lines

    def test_text(self) -> None:
        """
        The report has a line for each event, and a summary.
        """
        self.assertEqual(
            self.report(Text),
            [
                "PING it by UDP: 64 to 128 bytes every 0.5 s",
                "64 bytes seq=0 time=0.043 ms",
                "64 bytes seq=2 time=0.043 ms reordered",
                "64 bytes seq=3 time=1043.500 ms late",
                "64 bytes seq=0 duplicate",
                "12 bytes seq=4 truncated after 12 bytes",
                "64 bytes seq=5 corrupted at byte 40",
                "5 bytes not one of ours",
                "64 bytes seq=6 no answer in time",
                "- seq=7 refused",
                "- unreachable",
                "9000 bytes seq=8 too big for the path",
                "\n--- it ---",
                "sent 3, received 2, lost 1 (33.333 %), late 0, duplicated 0, reordered 0, "
                "truncated 0, corrupted 0",
                "rtt min/avg/p50/p90/p99/p99.9/max/mdev = "
                "0.250/0.250/0.250/0.250/0.250/0.250/0.250/0.000 ms, jitter 0.000 ms",
                "one every 1000.000 ms for 3.000 s; came back: 1/s, 0.000 Mbit/s",
                "it: 1 did not come back in time",
            ],
        )

    def test_quiet(self) -> None:
        """
        A quiet report has only the summary.
        """
        self.assertEqual(len(self.report(Quiet)), 6)
        report = Quiet(self.lines.append)
        report.started("it", Plan(interval=0), "TCP")
        report.failed({})
        self.assertEqual(self.lines[6:], ["PING it by TCP: 64 bytes as fast as possible"])

    def test_sweep(self) -> None:
        """
        With several sizes, each has a line.
        """
        ofSizes = result(1472, 64)
        ofSizes.tracker.sendFailed(9000, Moment(2 * 10**9, 0), Kind.TOO_BIG)
        report = Quiet(self.lines.append)
        report.finished(summary(ofSizes, Outcome(1, ""), "it"))
        self.assertEqual(
            self.lines[2:5],
            [
                "    64 bytes: 1 of 1, rtt min/avg/max = 0.250/0.250/0.250 ms",
                "  1472 bytes: 0 of 1",
                "  9000 bytes: 0 of 0, too big for the path",
            ],
        )
        self.assertIn("too big 1", self.lines[1])

    def test_nothing(self) -> None:
        """
        A run without probes gives no figures and no error.
        """
        said = summary(Result(Tracker(Probes(Random(1)), 1), 0.0, 0), Outcome(4, "it"), "it")
        Quiet(self.lines.append).finished(said)
        self.assertEqual(
            self.lines[1:],
            [
                "sent 0, received 0, lost 0, late 0, duplicated 0, reordered 0, truncated 0, "
                "corrupted 0",
                "it",
            ],
        )
        self.assertIsNone(said["received_per_s"])

    def test_json(self) -> None:
        """
        A JSON report is one object, also for a run that could not start.
        """
        (line,) = self.report(JSON)
        said = json.loads(line)
        for name, value in {
            "event": "summary",
            "target": "it",
            "protocol": "UDP",
            "count": 3,
            "interval_s": 0.5,
            "sent": 3,
            "received": 2,
            "lost": 1,
            "loss_percent": 33.333,
            "rtt_p999_us": 250,
            "interval_mean_us": 1_000_000,
            "exit_status": 1,
        }.items():
            self.assertEqual(said[name], value, name)
        report = JSON(self.lines.append)
        report.started("it", Plan(), "UDP")
        report.failed(summarised())
        self.assertEqual(json.loads(self.lines[1])["sent"], 0)

    def test_jsonLines(self) -> None:
        """
        A report of JSON lines has an object for each event, and one at the end.
        """
        objects = [json.loads(line) for line in self.report(JSONLines)]
        self.assertEqual(
            [one["event"] for one in objects],
            [event.kind.value for event in EVENTS[1:]] + ["summary"],
        )
        self.assertEqual(
            objects[0],
            {
                "time": "2001-09-09T01:46:40.500000+00:00",
                "event": "answered",
                "sequence": 0,
                "size_bytes": 64,
                "rtt_us": 43.5,
                "ttl": None,
                "tos": None,
                "reordered": False,
                "first_wrong_byte": None,
            },
        )

    def test_csv(self) -> None:
        """
        A CSV report has a line for each event.
        """
        names, first, *_, last = self.report(CSV)
        self.assertEqual(
            names, "time,event,sequence,size_bytes,rtt_us,ttl,tos,reordered,first_wrong_byte"
        )
        self.assertEqual(first, "2001-09-09T01:46:40.500000+00:00,answered,0,64,43.5,,,False,")
        self.assertIn("too_big,8,9000,,,,False,", last)
        report = CSV(self.lines.append)
        report.interim(summarised(64))
        self.assertEqual(len(self.lines), len(EVENTS))

    def test_interim(self) -> None:
        """
        Statistics can be printed during the run, without a verdict.
        """
        report = Text(self.lines.append)
        report.interim(summarised(64))
        self.assertEqual(self.lines[0][:16], "so far: sent 1, ")
        self.assertNotIn("did not come back", "".join(self.lines))
        self.lines.clear()
        objects = JSONLines(self.lines.append, now=lambda: 0)
        objects.started("it", Plan(), "UDP")
        objects.interim(summarised(64))
        (line,) = self.lines
        said = json.loads(line)
        self.assertEqual((said["event"], said["sent"]), ("interim", 1))
        self.assertEqual(said["started"], "1970-01-01T00:00:00.000000+00:00")
        self.assertNotIn("exit_status", said)

    def test_timeOfDay(self) -> None:
        """
        Each line of an event can begin with the time of day, and shows the time to live and
        the type of service if they are known.
        """
        report = Text(self.lines.append, True, lambda: 1_000_000_000.5)
        report.observe(EVENTS[1]._replace(ttl=60, tos=184))
        self.assertEqual(
            self.lines, ["[1000000000.500000] 64 bytes seq=0 ttl=60 tos=0xb8 time=0.043 ms"]
        )

    def test_percentiles(self) -> None:
        """
        The percentiles can be chosen; in JSON their names have no point.
        """
        of = replace(result(64, 64), percentiles=(5.0, 99.99, 100.0))
        said = summary(of, Outcome(0, ""), "it")
        self.assertEqual(
            [name for name in said if name.startswith("rtt_p")],
            ["rtt_p5_us", "rtt_p9999_us", "rtt_p100_us"],
        )
        self.assertIn("rtt min/avg/p5/p99.99/p100/max/mdev", lines(said)[1])

    def test_leftLate(self) -> None:
        """
        Probes that left late are reported.
        """
        of = result(64, 64)
        of.slips.count, of.slips.longest = 3, 2_500_000
        said = summary(of, Outcome(0, ""), "it")
        self.assertEqual((said["left_late"], said["left_late_max_us"]), (3, 2500.0))
        self.assertTrue(lines(said)[2].endswith("; left late: 3, by up to 2.500 ms"))


class PictureTests(SynchronousTestCase):
    """
    Tests for L{graph} and L{histogram}.
    """

    def test_graph(self) -> None:
        """
        Each value is a column, as high as it is great; a lost one is marked.
        """
        self.assertEqual(
            graph([1000.0, 2000.0, None, 1500.0, 1.0], 2),
            ["     2.000 ms  █ ▄ ", "     1.000 ms ██x█▁"],
        )
        self.assertEqual(graph([], 1), ["     0.001 ms "])

    def test_histogram(self) -> None:
        """
        Each value is counted once.
        """
        self.assertEqual(
            histogram([1000.0, 1100.0, 1200.0, 2000.0], 2, 3),
            ["     1.000 ms ███ 3", "     1.500 ms █ 1"],
        )
        self.assertEqual(histogram([], 2, 3), [])
        self.assertEqual(histogram([5.0], 2, 3)[0], "     0.005 ms ███ 1")


class LiveTests(SynchronousTestCase):
    """
    Tests for what moves.
    """

    def setUp(self) -> None:
        try:
            from rich.console import Console
        except ImportError:
            lacking("rich")
        self.clock = clock()
        self.drawn = StringIO()
        self.console = Console(
            file=self.drawn, force_terminal=True, width=80, height=40, legacy_windows=False
        )
        self.lines: list[str] = []

    def run_(self, kind: type[Plot] | type[Progress]) -> str:
        """
        @return: The drawing of a run.
        """
        live = kind(self.lines.append, self.clock, self.console)
        live.started("it", Plan(10), "UDP")
        for event in EVENTS:
            live.observe(event)
        self.clock.advance(0.25)
        live.finished(summarised(64, 64))
        live.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.lines[-1], "it: 1 did not come back in time")
        return self.drawn.getvalue()

    def test_plot(self) -> None:
        """
        A plot shows the round trips, and what was lost.
        """
        drawn = self.run_(Plot)
        self.assertIn("1043.500 ms   █", drawn)
        self.assertIn("▁▁█x", drawn)
        self.assertIn("██ 2", drawn)

    def test_progress(self) -> None:
        """
        A bar shows how far it is.
        """
        self.assertIn("1/10, 1 lost", self.run_(Progress))

    def test_missing(self) -> None:
        """
        Without rich, one line says what is missing.
        """
        self.addCleanup(sys.modules.__setitem__, "rich.console", sys.modules["rich.console"])
        sys.modules["rich.console"] = None  # type: ignore[assignment]
        ended = self.assertRaises(ClientError, Plot, self.lines.append, self.clock)
        self.assertEqual((ended.outcome.status, ended.outcome.message), (2, MISSING))

    def test_long(self) -> None:
        """
        A bar is for runs that take long enough to see it.
        """
        self.assertTrue(isLong(Plan(10, 1.0)))
        self.assertFalse(isLong(Plan(10, 0.1)))
        self.assertFalse(isLong(Plan(None, 1.0)))
