"""
The plan of a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


@dataclass(frozen=True)
class Plan:
    """
    Which probes to send, and when.

    @ivar count: The number of probes; L{None} means until interrupted.

    @ivar interval: The time between two probes, in seconds; 0 means as fast as
        possible.

    @ivar sizes: The sizes of the probes in bytes, used in turn.

    @ivar timeout: After how many seconds an answer is late.

    @ivar deadline: After how many seconds to end the run; L{None} means when all is done.

    @ivar percentiles: Which percentiles of the round-trip times to report.
    """

    count: int | None = None
    interval: float = 1.0
    sizes: tuple[int, ...] = (64,)
    timeout: float = 1.0
    deadline: float | None = None
    percentiles: tuple[float, ...] = PERCENTILES
