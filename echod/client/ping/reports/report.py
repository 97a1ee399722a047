"""
Reports of a measurement, as text for people.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from echod.client.ping.addresses import Addresses, title
from echod.client.ping.plan import Plan
from echod.client.ping.reports.summarytext import lines, milliseconds
from echod.client.ping.tracking.events import ERRORS, Event, Kind
from echod.client.target import Target

Print = Callable[[str], object]

Summary = dict[str, Any]

MESSAGES = {
    Kind.LATE: "late",
    Kind.DUPLICATED: "duplicate",
    Kind.TRUNCATED: "truncated after {at} bytes",
    Kind.CORRUPTED: "corrupted at byte {at}",
    Kind.FOREIGN: "not one of ours",
    Kind.LOST: "no answer in time",
    Kind.REFUSED: "refused",
    Kind.UNREACHABLE: "unreachable",
    Kind.TOO_BIG: "too big for the path",
}


class Report:
    """
    A report of a run with one target or several.  This one prints nothing.
    """

    def __init__(self, write: Print, now: Callable[[], float] = time.time) -> None:
        """
        @param write: Prints a line.  If it returns False, the line was dropped.

        @param now: Returns the time of day, in seconds.
        """
        self._write = write
        self._now = now
        self._unprinted = self._unprintedInAll = 0

    def started(self, plan: Plan, protocol: str) -> None:
        """
        Report the start of the run.
        """
        self._plan = plan
        self._protocol = protocol

    def opened(self, target: Target, addresses: Addresses | None) -> None:
        """
        Report the start of a target.

        @param addresses: L{None} if they are unknown.
        """

    def observe(self, target: Target, event: Event) -> None:
        """
        Report an event.
        """

    def interim(self, summaries: Sequence[Summary]) -> None:
        """
        Report the statistics so far.
        """

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Report the end of the run.
        """

    def stop(self) -> None:
        """
        Print nothing more.
        """

    def _writeEvent(self, line: str) -> None:
        """
        Print a line that may be dropped.  The next printed line gives the number of lines
        that were dropped before it.
        """
        if self._write(line) is False:
            self._unprinted += 1
            self._unprintedInAll += 1
        else:
            self._unprinted = 0


class Quiet(Report):
    """
    Prints the summary of one target.
    """

    _opened = False

    def __init__(
        self, write: Print, now: Callable[[], float] = time.time, source: bool = False
    ) -> None:
        """
        @param source: True if the user has chosen the source address.
        """
        super().__init__(write, now)
        self._source = source

    def opened(self, target: Target, addresses: Addresses | None) -> None:
        """
        Print the target and the plan.
        """
        self._opened = True
        source = f" from {addresses.source}" if addresses and self._source else ""
        name = title(str(target), addresses and addresses.peer) + source
        self._write(f"PING {name} by {self._protocol}: {described(self._plan)}")

    def interim(self, summaries: Sequence[Summary]) -> None:
        """
        Print the statistics so far.
        """
        for summary in summaries:
            for line in lines(summary)[:-1]:
                self._write(f"so far: {line}")

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Print the summary, unless no probe could be sent.
        """
        for summary in summaries if self._opened else ():
            self._write(f"\n--- {summary['target']} ---")
            for line in lines(summary):
                self._write(line)


class OneLine(Report):
    """
    Prints the verdict of each target.
    """

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Print the verdicts.
        """
        for summary in summaries:
            if summary["sent"]:
                self._write(summary["verdict"])


class Text(Quiet):
    """
    Prints a line for each answer, each error and each lost probe.
    """

    def __init__(
        self,
        write: Print,
        now: Callable[[], float] = time.time,
        source: bool = False,
        stamped: bool = False,
    ) -> None:
        """
        @param stamped: True if each line of an event begins with the time of day.
        """
        super().__init__(write, now, source)
        self._stamped = stamped

    def observe(self, target: Target, event: Event) -> None:
        """
        Print a line.
        """
        if event.kind is Kind.SENT:
            return
        parts = [f"[{self._now():.6f}]"] if self._stamped else []
        parts.append("-" if event.kind in ERRORS else f"{event.size} bytes")
        if event.sequence is not None:
            parts.append(f"seq={event.sequence}")
        if event.ttl is not None:
            parts.append(f"ttl={event.ttl}")
        if event.tos:
            parts.append(f"tos={event.tos:#04x}")
        if event.roundTrip is not None:
            parts.append(f"time={milliseconds(event.roundTrip / 1000)} ms")
        if event.kind is not Kind.ANSWERED:
            parts.append(MESSAGES[event.kind].format(at=event.at))
        if event.reordered:
            parts.append("reordered")
        if self._unprinted:
            parts.append(f"({self._unprinted} lines before this one were not printed)")
        self._writeEvent(" ".join(parts))


def described(plan: Plan) -> str:
    """
    @return: The plan for the first line of a report.
    """
    low, high = min(plan.sizes), max(plan.sizes)
    sizes = f"{low}" if low == high else f"{low} to {high}"
    pace = f"every {plan.interval:g} s" if plan.interval else "as fast as possible"
    return f"{sizes} bytes {pace}"
