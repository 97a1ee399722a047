"""
The sum of the counts of several workers.

Pure functions of L{Data<echod.status.snapshot.Data>}: the reports of single processes in,
one report of all out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from echod.status.monitor import LAGS
from echod.status.snapshot import SHOWN_SESSIONS, Data

_ORDER = ("received_bytes_per_s", "received_bytes", "since_unix_s")
"""
The fields by which sessions are sorted.
"""

LOST = "lost with its worker"
"""
The outcome of a session whose worker has died.
"""

_WORDS = ("service", "address", "state", "kind", "impairments")
"""
The fields of a service that are not numbers.
"""

_COUNTERS = {"refused": dict, "impaired": dict, "ended": dict, "duration_buckets": list}
"""
The fields of a service that hold several numbers, with their types.
"""

LARGEST = 1 << 64
"""
Every number in a report is smaller: so many bytes would take centuries.
"""


def addable(report: Data) -> bool:
    """
    @return: True if a report has the form that this version writes.  Other data came
        through the pipe by mistake.
    """
    try:
        found = sessions([report])
        rows = [*found.pop("busiest"), *found.pop("newest")]
        numbers = [
            counts(report),
            report["lag_s"],
            rates([report]),
            found,
            [[row[key] for key in _ORDER] for row in rows],
        ]
        for number, _ in enumerate(report["services"]):
            impairments([report], number)
        return (
            _numeric(numbers)
            and len(report["lag_buckets"]) == len(LAGS) + 1
            and all(
                isinstance(value, _COUNTERS.get(key, (int, float)))
                for service in counts(report)["services"]
                for key, value in service.items()
            )
        )
    except (AttributeError, LookupError, TypeError):
        return False


def _numeric(data: Any) -> bool:
    """
    @return: True if the data consists of numbers.
    """
    if isinstance(data, dict):
        return all(map(_numeric, data.values()))
    if isinstance(data, list):
        return all(map(_numeric, data))
    # This is false for NaN as well.
    return isinstance(data, (int, float)) and abs(data) < LARGEST


def added(one: Any, other: Any) -> Any:
    """
    @return: The sum of two numbers, two lists or two dictionaries.  An element that only
        one of them has is taken as it is.
    """
    if isinstance(one, dict):
        both = {key: added(one[key], other[key]) for key in one if key in other}
        return {**one, **other, **both}
    if isinstance(one, list):
        pairs = zip(one, other, strict=False)
        shorter = min(len(one), len(other))
        return [added(*pair) for pair in pairs] + one[shorter:] + other[shorter:]
    return one + other


def counts(report: Data) -> Data:
    """
    @return: The part of a report that can be added to others.
    """
    services = [
        {key: value for key, value in service.items() if key not in _WORDS}
        for service in report["services"]
    ]
    return {
        "services": services,
        "lag_buckets": report["lag_buckets"],
        "lag_sum_s": report["lag_sum_s"],
    }


def left(report: Data) -> Data:
    """
    @return: The counts that remain of a process that has ended.  Its open sessions count
        as lost.
    """
    remaining = counts(report)
    for service in remaining["services"]:
        service.pop("max_connections", None)
        lost = service.pop("open", 0)
        if lost:
            service["ended"] = added(service["ended"], {LOST: lost})
    return remaining


def impairments(reports: Iterable[Data], number: int) -> str | None:
    """
    @return: The impairments of one service.  Each worker has its own seed, so there may
        be several texts.
    """
    services = [service for report in reports for service in report["services"][number:][:1]]
    found = dict.fromkeys(service["impairments"] for service in services)
    return "; ".join(filter(None, found)) or None


def sessions(reports: Sequence[Data]) -> Data:
    """
    @return: The number of sessions, and the busiest and the newest sessions.
    """
    parts = [report["sessions"] for report in reports]

    def first(order: str, *keys: str) -> list[Data]:
        rows = [row for part in parts for row in part[order]]
        return nlargest(SHOWN_SESSIONS, rows, key=lambda row: [row[key] for key in keys])

    return {
        "open": sum(part["open"] for part in parts),
        "busiest": first("busiest", "received_bytes_per_s", "received_bytes"),
        "newest": first("newest", "since_unix_s"),
    }


def rates(reports: Iterable[Data]) -> list[list[int]]:
    """
    @return: For each service, the bytes received and returned in a second.  Empty if no
        worker has reported any.
    """
    total: list[list[int]] = []
    for report in reports:
        for entry in report["history"][-1:]:
            total = added(total, entry["bytes_per_s"]) if total else entry["bytes_per_s"]
    return total
