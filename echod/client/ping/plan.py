"""
The plan of a measurement, and the limits for its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from echod.client.ping.tracking.history import REMEMBERED
from echod.client.ping.tracking.moments import SECOND

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True)
class Plan:
    """
    The probes to send, and their times.

    @ivar count: The number of probes; L{None} means until interrupted.

    @ivar interval: The time between two probes, in seconds; 0 means as fast as
        possible.

    @ivar sizes: The sizes of the probes in bytes, used in turn.

    @ivar timeout: After how many seconds an answer is late.

    @ivar deadline: After how many seconds to end the run; L{None} means when all is done.

    @ivar sending: For how many seconds to send; L{None} means no limit.

    @ivar persistent: True to go on if the first probes are refused.

    @ivar percentiles: Which percentiles of the round-trip times to report.

    @ivar remembered: How many settled probes to remember.
    """

    count: int | None = None
    interval: float = 1.0
    sizes: tuple[int, ...] = (64,)
    timeout: float = 1.0
    deadline: float | None = None
    percentiles: tuple[float, ...] = PERCENTILES
    sending: float | None = None
    persistent: bool = False
    remembered: int = REMEMBERED

    @property
    def probes(self) -> int | None:
        """
        The most probes that can be sent; L{None} means no limit.
        """
        if self.sending is None or not self.interval:
            return self.count
        # Whole nanoseconds, as in the schedule: 1.1 / 0.1 is more than 11.
        most = -(-round(self.sending * SECOND) // round(self.interval * SECOND))
        return most if self.count is None else min(self.count, most)


class Limits(NamedTuple):
    """
    The limits that decide the exit status of a measurement.

    @ivar loss: The most probes that may have no answer in time, in percent; L{None}
        means none.

    @ivar roundTrip: The longest average round trip, in seconds; L{None} means no limit.
    """

    loss: float | None = None
    roundTrip: float | None = None


NO_LIMITS = Limits()
