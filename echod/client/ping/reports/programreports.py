"""
Reports of a measurement for programs: JSON and CSV.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from echod.client.ping.plan import Plan
from echod.client.ping.reports.report import Report, Summary
from echod.client.ping.reports.summary import fields, timeOfDay
from echod.client.ping.tracking.events import Event, Kind
from echod.client.target import Target

INTERIM, SUMMARY = "interim", "summary"


class JSON(Report):
    """
    Prints one JSON object at the end.  With several targets, it contains a list of them.
    """

    def started(self, plan: Plan, protocol: str) -> None:
        """
        Record the start.
        """
        self._about = {
            "protocol": protocol,
            "started": timeOfDay(self._now()),
            "count": plan.count,
            "for_s": plan.sending,
            "interval_s": plan.interval,
            "timeout_s": plan.timeout,
        }

    def interim(self, summaries: Sequence[Summary]) -> None:
        """
        Print the statistics so far, without verdicts.
        """
        self._print(INTERIM, [_withoutVerdict(each) for each in summaries])

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Print the summary.
        """
        self._print(SUMMARY, summaries)

    def _print(self, event: str, summaries: Sequence[Summary]) -> None:
        if len(summaries) == 1:
            self._object(event, summaries[0])
        else:
            self._object(event, {"targets": summaries})

    def _object(self, event: str, values: dict[str, Any]) -> None:
        self._write(json.dumps({"event": event, **self._about, **values}))


class JSONLines(JSON):
    """
    Prints an object for each event, and one for each target at the end.
    """

    def observe(self, target: Target, event: Event) -> None:
        """
        Print an object.
        """
        if event.kind is not Kind.SENT:
            values = fields(target, event, self._now(), self._unprinted)
            self._writeEvent(json.dumps(values))

    def _print(self, event: str, summaries: Sequence[Summary]) -> None:
        for summary in summaries:
            self._object(event, {**summary, "unprinted": self._unprintedInAll})


class CSV(Report):
    """
    Prints a line of CSV (RFC 4180) for each event, and nothing else.
    """

    def started(self, plan: Plan, protocol: str) -> None:
        """
        Print the names of the columns.
        """
        self._write(_row(fields("", Event(Kind.SENT, 0, 0), 0)))

    def observe(self, target: Target, event: Event) -> None:
        """
        Print a line.
        """
        if event.kind is not Kind.SENT:
            values = fields(target, event, self._now(), self._unprinted)
            self._writeEvent(_row(values.values()))


def _row(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _withoutVerdict(summary: Summary) -> Summary:
    left = ("exit_status", "verdict")
    return {name: value for name, value in summary.items() if name not in left}
