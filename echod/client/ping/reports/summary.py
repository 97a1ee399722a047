"""
The values of a measurement by name, with the units in the names: the summary and the
events, for people and for programs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from echod.client.exitstatus import Outcome
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.statistics import MICROSECOND, RoundTrips, names
from echod.client.ping.tracking.tracker import Counts

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
    @return: The values of a result.  A value that does not exist is L{None}.
    """
    tracker = result.tracker
    percents = result.percentiles
    total = tracker.total
    lost = tracker.lost
    received = sum(
        size * counts.kinds[Kind.ANSWERED] for size, counts in tracker.bySize.items()
    )
    seconds = result.duration
    return {
        "target": str(target),
        "address": result.addresses and result.addresses.peer,
        "source": result.addresses and result.addresses.source,
        "sent": total.sent,
        "received": total.kinds[Kind.ANSWERED],
        "lost": lost,
        "loss_percent": round(100 * lost / total.sent, 3) if total.sent else None,
        "in_flight": result.inFlight,
        "reordered": tracker.reordered,
        **{kind.value: total.kinds[kind] for kind in COUNTED},
        "percentiles": list(percents),
        **_roundTrips(total.roundTrips, percents),
        "duration_s": round(seconds, 6),
        "interval_mean_us": _microseconds(tracker.interval),
        "left_late": result.slips.count,
        "left_late_max_us": _microseconds(result.slips.longest),
        "received_per_s": round(total.kinds[Kind.ANSWERED] / seconds, 3) if seconds else None,
        "received_bit_per_s": round(8 * received / seconds) if seconds else None,
        "reconnected": result.openings.again,
        **_times("connect", result.openings.connect),
        **_times("tls_handshake", result.openings.handshake),
        "path_mtu_bytes": result.pathMTU,
        "path_mtu_payload_bytes": None if result.search is None else result.search.largest,
        "sizes": [
            _ofSize(size, counts, percents) for size, counts in sorted(tracker.bySize.items())
        ],
        "exit_status": outcome.status,
        "verdict": outcome.message,
    }


def fields(target: object, event: Event, now: float, unprinted: int = 0) -> dict[str, Any]:
    """
    @param now: The time of day, in seconds.

    @param unprinted: How many lines were dropped before the line of this event.

    @return: The values of an event.
    """
    trip = event.roundTrip
    return {
        "time": timeOfDay(now),
        "target": str(target),
        "event": event.kind.value,
        "sequence": event.sequence,
        "size_bytes": event.size,
        "rtt_us": None if trip is None else trip / 1000,
        "ttl": event.ttl,
        "tos": event.tos,
        "reordered": event.reordered,
        "first_wrong_byte": event.at,
        "unprinted": unprinted,
    }


def timeOfDay(now: float) -> str:
    """
    @return: The time as in RFC 3339, with microseconds.
    """
    return datetime.fromtimestamp(now, timezone.utc).isoformat(timespec="microseconds")


def _ofSize(size: int, counts: Counts, percents: Sequence[float]) -> dict[str, Any]:
    return {
        "size_bytes": size,
        "sent": counts.sent,
        "received": counts.kinds[Kind.ANSWERED],
        **{kind.value: counts.kinds[kind] for kind in COUNTED},
        **_roundTrips(counts.roundTrips, percents),
    }


def _roundTrips(roundTrips: RoundTrips, percents: Sequence[float]) -> dict[str, float | None]:
    values: Mapping[str, float | None] = dict.fromkeys(names(percents))
    if roundTrips.count:
        values = roundTrips.microseconds(percents)
    return {f"rtt_{name}_us": value for name, value in values.items()}


def _times(name: str, times: RoundTrips) -> dict[str, float | None]:
    names = [f"{name}{kind}_us" for kind in ("", "_min", "_avg", "_max")]
    if not times.count:
        return dict.fromkeys(names)
    values = times.last, times.min, times.average, times.max
    return {name: _microseconds(value) for name, value in zip(names, values, strict=True)}


def _microseconds(value: float | None) -> float | None:
    return None if value is None else round(value / MICROSECOND, 3)
