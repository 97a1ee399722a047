"""
What several workers have counted, as if one had.

Pure functions of L{Data<echod.status.snapshot.Data>}: what a monitor shows of one
process in, the same of all out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from echod.status.snapshot import SHOWN_SESSIONS, Data

LOST = "lost with its worker"
"""
How a session ended whose process did.
"""

_WORDS = ("service", "address", "state", "kind", "impairments")
"""
What there is about a service that is no number.
"""


def added(one: Any, other: Any) -> Any:
    """
    @return: The sum: of numbers, of each two in lists, or of each two in
        dictionaries, where what is missing is nothing.
    """
    if isinstance(one, dict):
        both = {key: added(one[key], other[key]) for key in one if key in other}
        return {**one, **other, **both}
    if isinstance(one, list):
        return [added(each, more) for each, more in zip(one, other, strict=True)]
    return one + other


def counts(report: Data) -> Data:
    """
    @return: All that can be added up of what one process shows.
    """
    services = [
        {key: value for key, value in service.items() if key not in _WORDS}
        for service in report["services"]
    ]
    return {"services": services, "lags": report["lags"], "lagSeconds": report["lagSeconds"]}


def left(report: Data) -> Data:
    """
    @return: What remains counted of a process that has ended: the sessions that it
        had are over.
    """
    remaining = counts(report)
    for service in remaining["services"]:
        lost = service.pop("open", 0)
        if lost:
            service["ended"] = added(service["ended"], {LOST: lost})
    return remaining


def impairments(reports: Iterable[Data], number: int) -> str | None:
    """
    @return: How one of the services is impaired: each has its own seed.
    """
    found = dict.fromkeys(report["services"][number]["impairments"] for report in reports)
    return "; ".join(filter(None, found)) or None


def sessions(reports: Sequence[Data]) -> Data:
    """
    @return: How many sessions there are, the busiest and the newest of them.
    """
    parts = [report["sessions"] for report in reports]

    def first(order: str, *keys: str) -> list[Data]:
        rows = [row for part in parts for row in part[order]]
        return nlargest(SHOWN_SESSIONS, rows, key=lambda row: [row[key] for key in keys])

    return {
        "open": sum(part["open"] for part in parts),
        "busiest": first("busiest", "bytesPerSecond", "receivedBytes"),
        "newest": first("newest", "since"),
    }


def rates(reports: Iterable[Data]) -> list[list[int]]:
    """
    @return: For each service the bytes a second that were received and returned;
        nothing, if nobody knows.
    """
    total: list[list[int]] = []
    for report in reports:
        for entry in report["history"][-1:]:
            total = added(total, entry["rates"]) if total else entry["rates"]
    return total
