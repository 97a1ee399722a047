"""
Tests for L{echod.client.ping.reports.report}, L{echod.client.ping.reports.summary} and
L{echod.client.ping.reports.summarytext}.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import Outcome
from echod.client.ping.plan import Plan
from echod.client.ping.reports.report import OneLine, Quiet, Text
from echod.client.ping.reports.summary import summary
from echod.client.ping.reports.summarytext import lines
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Kind
from echod.client.ping.tracking.moments import Moment
from echod.client.ping.tracking.probe import Probes
from echod.client.ping.tracking.tracker import Tracker
from tests.support.pingruns import ADDRESSES, EVENTS, TARGET, SlowReader, result, summarised


class ReportTests(SynchronousTestCase):
    """
    Tests for the reports as text.
    """

    def setUp(self) -> None:
        self.lines: list[str] = []

    def report(self, report: Quiet) -> list[str]:
        """
        @return: The output of a report about a whole run.
        """
        self.lines.clear()
        report.started(Plan(3, 0.5, (64, 128)), "UDP")
        report.opened(TARGET, ADDRESSES)
        for event in EVENTS:
            report.observe(TARGET, event)
        report.finished([summarised(64, 64, 64)])
        report.stop()
        return self.lines

    def test_unprinted(self) -> None:
        """
        The line after lines that were dropped tells how many they were.
        """
        reader = SlowReader()
        reader.observeSome(Text(reader.write))
        line = "64 bytes seq=0 time=0.043 ms"
        gap = f"{line} (2 lines before this one were not printed)"
        self.assertEqual(reader.lines, [line, gap, line])

    def test_text(self) -> None:
        """
        The report has a line for each event, and a summary.
        """
        self.assertEqual(
            self.report(Text(self.lines.append)),
            [
                "PING it (192.0.2.2:7) by UDP: 64 to 128 bytes every 0.5 s",
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
                "\n--- it:7 ---",
                "sent 3, received 2, lost 1 (33.333 %), late 0, duplicated 0, reordered 0, "
                "truncated 0, corrupted 0",
                "rtt min/avg/p50/p90/p99/p99.9/max/mdev = "
                "0.250/0.250/0.250/0.250/0.250/0.250/0.250/0.000 ms, jitter 0.000 ms",
                "one every 1000.000 ms for 3.000 s; came back: 1/s, 0.000 Mbit/s",
                "it:7: 1 did not come back in time",
            ],
        )

    def test_quiet(self) -> None:
        """
        A quiet report has only the summary.
        """
        self.assertEqual(len(self.report(Quiet(self.lines.append))), 6)

    def test_notOpened(self) -> None:
        """
        Nothing is printed about a target that no probe could be sent to.
        """
        for report in (Quiet(self.lines.append), OneLine(self.lines.append)):
            report.started(Plan(), "UDP")
            report.finished([summarised()])
        self.assertEqual(self.lines, [])

    def test_start(self) -> None:
        """
        The first line shows the address of the target, and the source if the user has
        chosen one.
        """
        for source, addresses, name in (
            (False, ADDRESSES, "it (192.0.2.2:7)"),
            (True, ADDRESSES, "it (192.0.2.2:7) from 192.0.2.1"),
            (True, None, "it:7"),
            (False, ADDRESSES._replace(peer="it:7"), "it:7"),
        ):
            report = Quiet(self.lines.append, source=source)
            report.started(Plan(interval=0), "TCP")
            report.opened(TARGET, addresses)
            said = self.lines.pop()
            self.assertEqual(said, f"PING {name} by TCP: 64 bytes as fast as possible")

    def test_sweep(self) -> None:
        """
        With several sizes, each has a line.
        """
        ofSizes = result(1472, 64)
        ofSizes.tracker.sendFailed(9000, Moment(2 * 10**9, 0), Kind.TOO_BIG)
        report = Quiet(self.lines.append)
        report.started(Plan(), "UDP")
        report.opened(TARGET, None)
        report.finished([summary(ofSizes, Outcome(1, ""), TARGET)])
        self.assertEqual(
            self.lines[3:6],
            [
                "    64 bytes: 1 of 1, rtt min/avg/max = 0.250/0.250/0.250 ms",
                "  1472 bytes: 0 of 1",
                "  9000 bytes: 0 of 0, too big for the path",
            ],
        )
        self.assertIn("too big 1", self.lines[2])

    def test_nothing(self) -> None:
        """
        A run without probes gives no figures and no error.
        """
        nothing = Result(Tracker(Probes(Random(1)), 1), 0.0, 0)
        said = summary(nothing, Outcome(4, "it"), TARGET)
        self.assertEqual(
            lines(said),
            [
                "sent 0, received 0, lost 0, late 0, duplicated 0, reordered 0, truncated 0, "
                "corrupted 0",
                "it",
            ],
        )
        self.assertIsNone(said["received_per_s"])

    def test_interim(self) -> None:
        """
        Statistics can be printed during the run, without a verdict.
        """
        Text(self.lines.append).interim([summarised(64)])
        self.assertEqual(self.lines[0][:16], "so far: sent 1, ")
        self.assertNotIn("did not come back", "".join(self.lines))

    def test_timeOfDay(self) -> None:
        """
        Each line of an event can begin with the time of day, and shows the time to live and
        the type of service if they are known.
        """
        report = Text(self.lines.append, lambda: 1_000_000_000.5, stamped=True)
        report.observe(TARGET, EVENTS[1]._replace(ttl=60, tos=184))
        self.assertEqual(
            self.lines, ["[1000000000.500000] 64 bytes seq=0 ttl=60 tos=0xb8 time=0.043 ms"]
        )

    def test_percentiles(self) -> None:
        """
        The percentiles can be chosen; in JSON their names have no point.
        """
        of = replace(result(64, 64), percentiles=(5.0, 99.99, 100.0))
        said = summary(of, Outcome(0, ""), TARGET)
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
        said = summary(of, Outcome(0, ""), TARGET)
        self.assertEqual((said["left_late"], said["left_late_max_us"]), (3, 2500.0))
        self.assertTrue(lines(said)[2].endswith("; left late: 3, by up to 2.500 ms"))

    def test_openings(self) -> None:
        """
        The times of opening connections are a line, and connections that were opened again
        are counted.
        """
        of = result(64, 64)
        of.openings.connect.add(1_250_000)
        said = lines(summary(of, Outcome(0, ""), TARGET))
        self.assertEqual(said[2], "connect 1.250 ms")
        of.openings.connect.add(2_250_000)
        of.openings.handshake.add(3_000_000)
        of.openings.again = 1
        values = summary(of, Outcome(0, ""), TARGET)
        said = lines(values)
        self.assertTrue(said[0].endswith(", reconnected 1"), said[0])
        self.assertEqual(
            said[2], "connect min/avg/max = 1.250/1.750/2.250 ms, TLS handshake 3.000 ms"
        )
        self.assertEqual(
            [values[f"connect{kind}_us"] for kind in ("", "_min", "_avg", "_max")],
            [2250, 1250, 1750, 2250],
        )
