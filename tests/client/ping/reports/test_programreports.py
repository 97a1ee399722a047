"""
Tests for L{echod.client.ping.reports.programreports}.
"""

from __future__ import annotations

import csv
import json

from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.plan import Plan
from echod.client.ping.reports.programreports import CSV, JSON, JSONLines
from echod.client.ping.reports.report import Report
from echod.client.target import Description
from tests.support import CHECKOUT
from tests.support.pingruns import ADDRESSES, EVENTS, TARGET, SlowReader, summarised

OTHER = Description('tls:b:7:trustRoots="a,b"')


class ProgramReportTests(SynchronousTestCase):
    """
    Tests for the reports for programs.
    """

    def setUp(self) -> None:
        self.lines: list[str] = []

    def report(self, kind: type[Report], targets: int = 1) -> list[str]:
        """
        @return: The output of a report about a whole run.
        """
        self.lines.clear()
        report = kind(self.lines.append, now=lambda: 1_000_000_000.5)
        report.started(Plan(3, 0.5, (64, 128)), "UDP")
        report.opened(TARGET, ADDRESSES)
        for event in EVENTS:
            report.observe(TARGET, event)
        report.interim([summarised(64)] * targets)
        report.finished([summarised(64, 64, 64)] * targets)
        report.stop()
        return self.lines

    def test_json(self) -> None:
        """
        A JSON report is one object.
        """
        interim, line = map(json.loads, self.report(JSON))
        for name, value in {
            "event": "summary",
            "target": "it:7",
            "address": "192.0.2.2:7",
            "source": "192.0.2.1",
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
            "verdict": "it:7: 1 did not come back in time",
        }.items():
            self.assertEqual(line[name], value, name)
        self.assertEqual((interim["event"], interim["sent"]), ("interim", 1))
        self.assertEqual(interim["started"], "2001-09-09T01:46:40.500000+00:00")
        self.assertNotIn("exit_status", interim)

    def test_severalTargets(self) -> None:
        """
        With several targets, the object contains a list of them, and JSON lines are an
        object for each.
        """
        interim, line = map(json.loads, self.report(JSON, 2))
        self.assertEqual([each["sent"] for each in interim["targets"]], [1, 1])
        self.assertEqual([each["exit_status"] for each in line["targets"]], [1, 1])
        self.assertEqual((line["event"], line["protocol"]), ("summary", "UDP"))
        lines = [json.loads(line) for line in self.report(JSONLines, 2)][-4:]
        self.assertEqual([line["event"] for line in lines], ["interim"] * 2 + ["summary"] * 2)
        self.assertEqual([line["sent"] for line in lines], [1, 1, 3, 3])

    def test_jsonKeys(self) -> None:
        """
        C{jq} needs no quotes for any key, and the manual page lists all of them.
        """
        page = (CHECKOUT / "docs" / "echoc.rst").read_text()
        manual = page[page.index("\nJSON\n") :]
        for line in [*self.report(JSON, 2), *self.report(JSONLines)]:
            said = json.loads(line)
            for key in [*said, *(key for size in said.get("sizes", ()) for key in size)]:
                self.assertRegex(key, "^[a-z][a-z0-9_]*$")
                self.assertRegex(manual, rf"\b{key}\b")

    def test_jsonLines(self) -> None:
        """
        A report of JSON lines has an object for each event, and one at the end.
        """
        objects = [json.loads(line) for line in self.report(JSONLines)]
        self.assertEqual(
            [one["event"] for one in objects],
            [event.kind.value for event in EVENTS[1:]] + ["interim", "summary"],
        )
        self.assertEqual(
            objects[0],
            {
                "time": "2001-09-09T01:46:40.500000+00:00",
                "target": "it:7",
                "event": "answered",
                "sequence": 0,
                "size_bytes": 64,
                "rtt_us": 43.5,
                "ttl": None,
                "tos": None,
                "reordered": False,
                "first_wrong_byte": None,
                "unprinted": 0,
            },
        )

    def test_csv(self) -> None:
        """
        A CSV report has a line for each event, and nothing else.
        """
        names, first, *_, last = self.report(CSV)
        self.assertEqual(
            names,
            "time,target,event,sequence,size_bytes,rtt_us,ttl,tos,reordered,first_wrong_byte,"
            "unprinted",
        )
        self.assertEqual(
            first, "2001-09-09T01:46:40.500000+00:00,it:7,answered,0,64,43.5,,,False,,0"
        )
        self.assertIn("it:7,too_big,8,9000,,,,False,,0", last)
        self.assertEqual(len(self.lines), len(EVENTS))

    def test_unprinted(self) -> None:
        """
        The line after lines that were dropped tells how many they were, and the summary tells
        how many there were in all.
        """
        reader = SlowReader()
        report = JSONLines(reader.write)
        report.started(Plan(5), "UDP")
        reader.observeSome(report)
        report.finished([summarised(64)])
        said = [json.loads(line)["unprinted"] for line in reader.lines]
        self.assertEqual(said, [0, 2, 0, 3])

    def test_unprintedCSV(self) -> None:
        """
        In CSV this is a column.
        """
        reader = SlowReader()
        report = CSV(reader.write)
        report.started(Plan(5), "UDP")
        reader.observeSome(report)
        rows = csv.DictReader(reader.lines)
        self.assertEqual([row["unprinted"] for row in rows], ["0", "2", "0"])

    def test_csvQuotes(self) -> None:
        """
        A target with commas and quotes is one field.
        """
        CSV(self.lines.append).observe(OTHER, EVENTS[1])
        (row,) = csv.reader(self.lines)
        self.assertEqual(row[1], OTHER)
