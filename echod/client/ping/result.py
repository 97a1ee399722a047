"""
The result of a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from echod.client.ping.addresses import Addresses
from echod.client.ping.opening import Openings
from echod.client.ping.plan import PERCENTILES
from echod.client.ping.schedule import Slips
from echod.client.ping.search import Search
from echod.client.ping.tracking.tracker import Tracker


@dataclass
class Result:
    """
    The result of a run.

    @ivar tracker: All counts.

    @ivar duration: The length of the run, in seconds.

    @ivar inFlight: How many probes still waited for an answer at the end.

    @ivar lost: Why a connection was lost, if this ended the run or if nothing came back;
        L{None} otherwise.

    @ivar connected: True if a connection was made.

    @ivar pathMTU: The path MTU in bytes, if it is known.

    @ivar search: The search for the path MTU, if this was one.

    @ivar slips: The probes that left late.

    @ivar percentiles: Which percentiles to report.

    @ivar unreachable: The text of the last error that is not a refusal.

    @ivar addresses: The addresses of the socket; L{None} if they are unknown.

    @ivar openings: How long connections took to open.
    """

    tracker: Tracker
    duration: float
    inFlight: int
    lost: BaseException | None = None
    connected: bool = False
    pathMTU: int | None = None
    search: Search | None = None
    slips: Slips = field(default_factory=Slips)
    percentiles: tuple[float, ...] = PERCENTILES
    unreachable: str = ""
    addresses: Addresses | None = None
    openings: Openings = field(default_factory=Openings)
