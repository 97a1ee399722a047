"""
Moments on two clocks, and the time between them.
"""

from __future__ import annotations

import time
from typing import NamedTuple

SECOND = 1_000_000_000
"""
In nanoseconds, the unit of all times here.
"""

READING = 200_000
"""
How far apart two readings of the two clocks may be, in nanoseconds: the process may be
interrupted between them.
"""

SLEW = 0.0005
"""
By which fraction the kernel may speed up or slow down the time of day, to correct it:
500 ppm (adjtimex(2)).  A greater difference is a step.
"""


class Moment(NamedTuple):
    """
    One moment on two clocks, in nanoseconds.

    @ivar monotonic: The clock that never jumps.

    @ivar realtime: The time of day, as in the kernel's timestamps.
    """

    monotonic: int
    realtime: int


def now() -> Moment:
    """
    @return: The current moment.
    """
    return Moment(time.monotonic_ns(), time.time_ns())


def roundTrip(sent: Moment, now: Moment, arrived: int | None) -> int:
    """
    @return: The round-trip time by the kernel's timestamp.  If that is impossible, for
        example because someone has set the time of day, use the monotonic clock.
    """
    longest = now.monotonic - sent.monotonic
    if arrived is not None and 0 < arrived - sent.realtime < longest:
        step = now.realtime - sent.realtime - longest
        if abs(step) <= READING + longest * SLEW:
            return arrived - sent.realtime
    return longest
