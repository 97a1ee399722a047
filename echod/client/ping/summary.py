"""
The summary of a measurement, for the reports for people and for programs.
"""

from __future__ import annotations

from typing import Any

from echod.client.exitstatus import Outcome
from echod.client.ping.events import Kind
from echod.client.ping.pinger import Result
from echod.client.ping.statistics import RoundTrips
from echod.client.ping.tracker import Counts

COUNTED = (
    Kind.LATE,
    Kind.DUPLICATED,
    Kind.TRUNCATED,
    Kind.CORRUPTED,
    Kind.FOREIGN,
    Kind.REFUSED,
    Kind.UNREACHABLE,
    Kind.TOO_BIG,
)


def summary(result: Result, outcome: Outcome, target: object) -> dict[str, Any]:
    """
    @return: All values by name, with the unit in the name.  A value that does not exist
        is L{None}.
    """
    tracker = result.tracker
    total = tracker.total
    lost = tracker.lost
    received = sum(
        size * counts.kinds[Kind.ANSWERED] for size, counts in tracker.bySize.items()
    )
    seconds = result.duration
    return {
        "target": str(target),
        "sent": total.sent,
        "received": total.kinds[Kind.ANSWERED],
        "lost": lost,
        "loss_percent": round(100 * lost / total.sent, 3) if total.sent else None,
        "in_flight": result.inFlight,
        "reordered": tracker.reordered,
        **{kind.value: total.kinds[kind] for kind in COUNTED},
        **_roundTrips(total.roundTrips),
        "duration_s": round(seconds, 6),
        "interval_mean_us": _rounded(tracker.interval, 1000),
        "received_per_s": round(total.kinds[Kind.ANSWERED] / seconds, 3) if seconds else None,
        "received_bit_per_s": round(8 * received / seconds) if seconds else None,
        "path_mtu_bytes": result.pathMTU,
        "sizes": [_ofSize(size, counts) for size, counts in sorted(tracker.bySize.items())],
        "exit_status": outcome.status,
        "verdict": outcome.message,
    }


def _ofSize(size: int, counts: Counts) -> dict[str, Any]:
    return {
        "size_bytes": size,
        "sent": counts.sent,
        "received": counts.kinds[Kind.ANSWERED],
        **{kind.value: counts.kinds[kind] for kind in COUNTED},
        **_roundTrips(counts.roundTrips),
    }


def _roundTrips(roundTrips: RoundTrips) -> dict[str, float | None]:
    if roundTrips.count:
        return {f"rtt_{name}_us": value for name, value in roundTrips.microseconds().items()}
    return {f"rtt_{name}_us": None for name in roundTrips.names}


def _rounded(value: float | None, unit: int) -> float | None:
    return None if value is None else round(value / unit, 3)
