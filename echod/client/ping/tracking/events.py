"""
The events of a measurement: the results of probes, and other datagrams.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(str, Enum):
    """
    The kind of an event.
    """

    SENT = "sent"
    ANSWERED = "answered"
    LATE = "late"
    DUPLICATED = "duplicated"
    TRUNCATED = "truncated"
    CORRUPTED = "corrupted"
    FOREIGN = "foreign"
    LOST = "lost"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TOO_BIG = "too_big"


ERRORS = (Kind.REFUSED, Kind.UNREACHABLE)
DAMAGED = (Kind.TRUNCATED, Kind.CORRUPTED)


class Event(NamedTuple):
    """
    @ivar sequence: The number of the probe; L{None} if unknown.

    @ivar size: The number of bytes received; if nothing was received, the number sent.

    @ivar roundTrip: In nanoseconds; L{None} if there was no round trip.

    @ivar reordered: True if a probe that was sent later was answered earlier
        (RFC 4737).

    @ivar ttl: The time to live on arrival; L{None} if unknown.

    @ivar tos: The type of service on arrival; L{None} if unknown.

    @ivar at: The index of the first byte that differs from the probe.
    """

    kind: Kind
    sequence: int | None
    size: int
    roundTrip: int | None = None
    reordered: bool = False
    at: int | None = None
    ttl: int | None = None
    tos: int | None = None
