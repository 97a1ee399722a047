"""
Reports of a measurement, for people or for programs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from echod.client.ping.events import Event, Kind
from echod.client.ping.plan import Plan

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

ERRORS = (Kind.REFUSED, Kind.UNREACHABLE)


class Quiet:
    """
    Prints the summary only.
    """

    def __init__(self, write: Print) -> None:
        self._write = write

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
        parts = ["-" if event.kind in ERRORS else f"{event.size} bytes"]
        if event.sequence is not None:
            parts.append(f"seq={event.sequence}")
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
            "count": plan.count,
            "interval_s": plan.interval,
            "timeout_s": plan.timeout,
        }

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
            trip = event.roundTrip
            fields = {
                "event": event.kind.value,
                "sequence": event.sequence,
                "size_bytes": event.size,
                "rtt_us": None if trip is None else trip / 1000,
                "reordered": event.reordered,
                "first_wrong_byte": event.at,
            }
            self._write(json.dumps(fields))


def lines(summary: dict[str, Any]) -> list[str]:
    """
    @return: The lines of a summary for people.
    """
    loss = summary["loss_percent"]
    percent = "" if loss is None else f" ({loss:g} %)"
    names = ("late", "duplicated", "reordered", "truncated", "corrupted")
    texts = [
        f"sent {summary['sent']}, received {summary['received']}, lost {summary['lost']}"
        + percent
        + "".join(f", {name} {summary[name]}" for name in names)
        + "".join(
            f", {name.replace('_', ' ')} {summary[name]}"
            for name in ("foreign", "refused", "unreachable", "too_big", "in_flight")
            if summary[name]
        )
    ]
    if len(summary["sizes"]) > 1:
        texts += map(_line, summary["sizes"])
    if summary["rtt_min_us"] is not None:
        columns = ("min", "avg", "p50", "p90", "p99", "p99.9", "max", "mdev")
        times = "/".join(milliseconds(summary[f"rtt_{name}_us"]) for name in columns)
        jitter = milliseconds(summary["rtt_jitter_us"])
        texts.append(f"rtt {'/'.join(columns)} = {times} ms, jitter {jitter} ms")
    if summary["interval_mean_us"] is not None:
        texts.append(
            f"one every {milliseconds(summary['interval_mean_us'])} ms for "
            f"{summary['duration_s']:.3f} s; came back: {summary['received_per_s']:.0f}/s, "
            f"{summary['received_bit_per_s'] / 1e6:.3f} Mbit/s"
        )
    return [*texts, summary["verdict"]]


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
