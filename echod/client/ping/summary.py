"""
A run of measuring in figures: what the reports for people and for programs have in
common.
"""

from __future__ import annotations

from typing import Any

from echod.client.exitstatus import Outcome
from echod.client.ping.pinger import Result
from echod.client.ping.statistics import Figures
from echod.client.ping.tracker import Kind, Tally

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
    @return: Everything there is to say, each figure named with its unit.  A figure
        that there is none of is L{None}.
    """
    ledger = result.ledger
    total = ledger.total
    lost = ledger.lost
    received = sum(size * tally.counts[Kind.ANSWERED] for size, tally in ledger.bySize.items())
    seconds = result.duration
    return {
        "target": str(target),
        "sent": total.sent,
        "received": total.counts[Kind.ANSWERED],
        "lost": lost,
        "loss_percent": round(100 * lost / total.sent, 3) if total.sent else None,
        "in_flight": result.onTheWay,
        "reordered": ledger.reordered,
        **{kind.value: total.counts[kind] for kind in COUNTED},
        **_roundTrips(total.figures),
        "duration_s": round(seconds, 6),
        "interval_mean_us": _rounded(ledger.interval, 1000),
        "received_per_s": round(total.counts[Kind.ANSWERED] / seconds, 3) if seconds else None,
        "received_bit_per_s": round(8 * received / seconds) if seconds else None,
        "path_mtu_bytes": result.pathMTU,
        "sizes": [_ofSize(size, tally) for size, tally in sorted(ledger.bySize.items())],
        "exit_status": outcome.status,
        "verdict": outcome.words,
    }


def _ofSize(size: int, tally: Tally) -> dict[str, Any]:
    return {
        "size_bytes": size,
        "sent": tally.sent,
        "received": tally.counts[Kind.ANSWERED],
        **{kind.value: tally.counts[kind] for kind in COUNTED},
        **_roundTrips(tally.figures),
    }


def _roundTrips(figures: Figures) -> dict[str, float | None]:
    if figures.count:
        return {f"rtt_{name}_us": value for name, value in figures.microseconds().items()}
    return {f"rtt_{name}_us": None for name in figures.names}


def _rounded(value: float | None, unit: int) -> float | None:
    return None if value is None else round(value / unit, 3)
