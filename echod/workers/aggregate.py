"""
What several workers have counted, as if one had.

Pure functions of L{Data<echod.status.snapshot.Data>}: what a monitor shows of one
process in, the same of all out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nlargest
from typing import Any

from echod.status.monitor import LAGS
from echod.status.snapshot import SHOWN_SESSIONS, Data

_ORDER = ("bytesPerSecond", "receivedBytes", "since")
"""
The numbers by which sessions are sorted.
"""

LOST = "lost with its worker"
"""
How a session ended whose process did.
"""

_WORDS = ("service", "address", "state", "kind", "impairments")
"""
What there is about a service that is no number.
"""


_COUNTERS = {"refused": dict, "impaired": dict, "ended": dict, "lengths": list}
"""
What there is about a service that is more than one number.
"""

LARGEST = 1 << 64
"""
What every number in a report is below: so many bytes take centuries.
"""


def addable(report: Data) -> bool:
    """
    @return: Whether a report of this version can be added up: any other data has come
        through a pipe by mistake.
    """
    try:
        found = sessions([report])
        rows = [*found.pop("busiest"), *found.pop("newest")]
        numbers = [
            counts(report),
            report["lag"],
            rates([report]),
            found,
            [[row[key] for key in _ORDER] for row in rows],
        ]
        for number, _ in enumerate(report["services"]):
            impairments([report], number)
        return (
            _numeric(numbers)
            and len(report["lags"]) == len(LAGS) + 1
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
    @return: Whether everything in the data is a number.
    """
    if isinstance(data, dict):
        return all(map(_numeric, data.values()))
    if isinstance(data, list):
        return all(map(_numeric, data))
    # False for what is no number (NaN) as well.
    return isinstance(data, (int, float)) and abs(data) < LARGEST


def added(one: Any, other: Any) -> Any:
    """
    @return: The sum: of numbers, or of each two in lists or in dictionaries; an
        element that one of them lacks counts as nothing.
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
    services = [service for report in reports for service in report["services"][number:][:1]]
    found = dict.fromkeys(service["impairments"] for service in services)
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
