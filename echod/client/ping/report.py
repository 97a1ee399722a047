"""
Reports of a measurement, for people or for programs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

from echod.client.ping.events import ERRORS, Event, Kind
from echod.client.ping.plan import Plan
from echod.client.ping.statistics import names, percentileName

Print = Callable[[str], object]

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


class Quiet:
    """
    Prints the summary only.
    """

    def __init__(
        self, write: Print, stamped: bool = False, now: Callable[[], float] = time.time
    ) -> None:
        """
        @param stamped: Whether each line of an event begins with the time of day.

        @param now: Returns the time of day, in seconds.
        """
        self._write = write
        self._stamped = stamped
        self._now = now

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Report the start.
        """
        low, high = min(plan.sizes), max(plan.sizes)
        sizes = f"{low}" if low == high else f"{low} to {high}"
        pace = f"every {plan.interval:g} s" if plan.interval else "as fast as possible"
        self._write(f"PING {target} by {protocol}: {sizes} bytes {pace}")

    def observe(self, event: Event) -> None:
        """
        Report an event.
        """

    def stop(self) -> None:
        """
        Print nothing more.
        """

    def interim(self, summary: dict[str, Any]) -> None:
        """
        Report the statistics so far.
        """
        for line in lines(summary)[:-1]:
            self._write(f"so far: {line}")

    def finished(self, summary: dict[str, Any]) -> None:
        """
        Report the end.
        """
        self._write(f"\n--- {summary['target']} ---")
        for line in lines(summary):
            self._write(line)

    def failed(self, summary: dict[str, Any]) -> None:
        """
        Report that the run could not start.  The caller prints the reason.
        """


class OneLine(Quiet):
    """
    Prints the verdict only.
    """

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Print nothing.
        """

    def finished(self, summary: dict[str, Any]) -> None:
        """
        Print the verdict.
        """
        self._write(summary["verdict"])


class Text(Quiet):
    """
    Prints a line for each answer, each error and each lost probe.
    """

    def observe(self, event: Event) -> None:
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
        self._write(" ".join(parts))


class JSON(Quiet):
    """
    Prints one JSON object at the end.
    """

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Report the start.
        """
        self._about = {
            "protocol": protocol,
            "started": timeOfDay(self._now()),
            "count": plan.count,
            "interval_s": plan.interval,
            "timeout_s": plan.timeout,
        }

    def interim(self, summary: dict[str, Any]) -> None:
        """
        Print an object.
        """
        del summary["exit_status"], summary["verdict"]
        self._write(json.dumps({"event": "interim", **self._about, **summary}))

    def finished(self, summary: dict[str, Any]) -> None:
        """
        Report the end.
        """
        self._write(json.dumps({"event": "summary", **self._about, **summary}))

    def failed(self, summary: dict[str, Any]) -> None:
        """
        Print the object, which contains the reason.
        """
        self.finished(summary)


class JSONLines(JSON):
    """
    Prints an object for each event, and one at the end.
    """

    def observe(self, event: Event) -> None:
        """
        Print an object.
        """
        if event.kind is not Kind.SENT:
            self._write(json.dumps(fields(event, self._now())))


class CSV(Quiet):
    """
    Prints a line of CSV (RFC 4180) for each event, and nothing else.
    """

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Print the names of the columns.
        """
        self._write(",".join(fields(Event(Kind.SENT, 0, 0), 0)))

    def observe(self, event: Event) -> None:
        """
        Print a line.
        """
        if event.kind is not Kind.SENT:
            values = fields(event, self._now()).values()
            self._write(",".join("" if value is None else str(value) for value in values))

    def interim(self, summary: dict[str, Any]) -> None:
        """
        Print nothing.
        """

    def finished(self, summary: dict[str, Any]) -> None:
        """
        Print nothing.
        """


def fields(event: Event, now: float) -> dict[str, Any]:
    """
    @param now: The time of day, in seconds.

    @return: The values of an event by name, with the unit in the name.
    """
    trip = event.roundTrip
    return {
        "time": timeOfDay(now),
        "event": event.kind.value,
        "sequence": event.sequence,
        "size_bytes": event.size,
        "rtt_us": None if trip is None else trip / 1000,
        "ttl": event.ttl,
        "tos": event.tos,
        "reordered": event.reordered,
        "first_wrong_byte": event.at,
    }


def timeOfDay(now: float) -> str:
    """
    @return: The time as in RFC 3339, with microseconds.
    """
    return datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="microseconds")


def lines(summary: dict[str, Any]) -> list[str]:
    """
    @return: The lines of a summary for people.
    """
    loss = summary["loss_percent"]
    percent = "" if loss is None else f" ({loss:g} %)"
    counts = ("late", "duplicated", "reordered", "truncated", "corrupted")
    texts = [
        f"sent {summary['sent']}, received {summary['received']}, lost {summary['lost']}"
        + percent
        + "".join(f", {name} {summary[name]}" for name in counts)
        + "".join(
            f", {name.replace('_', ' ')} {summary[name]}"
            for name in ("foreign", "refused", "unreachable", "too_big", "in_flight")
            if summary[name]
        )
    ]
    if len(summary["sizes"]) > 1:
        texts += map(_line, summary["sizes"])
    if summary["rtt_min_us"] is not None:
        percents = summary["percentiles"]
        values = {name: summary[f"rtt_{name}_us"] for name in names(percents)}
        jitter = milliseconds(values.pop("jitter"))
        times = "/".join(map(milliseconds, values.values()))
        points = {percentileName(each): f"p{each:.12g}" for each in percents}
        columns = "/".join(points.get(name, name) for name in values)
        texts.append(f"rtt {columns} = {times} ms, jitter {jitter} ms")
    if summary["interval_mean_us"] is not None:
        texts.append(
            f"one every {milliseconds(summary['interval_mean_us'])} ms for "
            f"{summary['duration_s']:.3f} s; came back: {summary['received_per_s']:.0f}/s, "
            f"{summary['received_bit_per_s'] / 1e6:.3f} Mbit/s" + _leftLate(summary)
        )
    return [*texts, summary["verdict"]]


def _leftLate(summary: dict[str, Any]) -> str:
    if not summary["left_late"]:
        return ""
    longest = milliseconds(summary["left_late_max_us"])
    return f"; left late: {summary['left_late']}, by up to {longest} ms"


def _line(ofSize: dict[str, Any]) -> str:
    line = f"{ofSize['size_bytes']:6} bytes: {ofSize['received']} of {ofSize['sent']}"
    if ofSize["too_big"]:
        line += ", too big for the path"
    if ofSize["rtt_min_us"] is not None:
        names = ("min", "avg", "max")
        times = "/".join(milliseconds(ofSize[f"rtt_{name}_us"]) for name in names)
        line += f", rtt {'/'.join(names)} = {times} ms"
    return line


def milliseconds(microseconds: float) -> str:
    """
    @return: A time in milliseconds, with three decimals.
    """
    return f"{microseconds / 1000:.3f}"
