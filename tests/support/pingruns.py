"""
Runs for the tests of the reports.
"""

from __future__ import annotations

from random import Random
from typing import Any

from echod.client.exitstatus import Outcome
from echod.client.ping.addresses import Addresses
from echod.client.ping.reports.report import Report
from echod.client.ping.reports.summary import summary
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.moments import Moment
from echod.client.ping.tracking.probe import Probes
from echod.client.ping.tracking.tracker import Tracker
from echod.client.target import Address

TARGET = Address("it", 7)

ADDRESSES = Addresses("192.0.2.2:7", "192.0.2.1")

EVENTS = [
    Event(Kind.SENT, 0, 64),
    Event(Kind.ANSWERED, 0, 64, 43_500),
    Event(Kind.ANSWERED, 2, 64, 43_500, True),
    Event(Kind.LATE, 3, 64, 1_043_500_000),
    Event(Kind.DUPLICATED, 0, 64),
    Event(Kind.TRUNCATED, 4, 12, at=12),
    Event(Kind.CORRUPTED, 5, 64, at=40),
    Event(Kind.FOREIGN, None, 5),
    Event(Kind.LOST, 6, 64),
    Event(Kind.REFUSED, 7, 0),
    Event(Kind.UNREACHABLE, None, 0),
    Event(Kind.TOO_BIG, 8, 9000),
]


def result(*sizes: int) -> Result:
    """
    @return: A run of one probe of each size, a second apart, all but the first of
        which came back after 250 microseconds.
    """
    tracker = Tracker(Probes(Random(1)), 10**9)
    for number, size in enumerate(sizes):
        moment = Moment(number * 10**9, 0)
        probe = tracker.probe(size)
        tracker.sent(size, moment)
        if number:
            tracker.received(probe, Moment(moment.monotonic + 250_000, 0))
    list(tracker.expire(10**12))
    return Result(tracker, float(len(sizes)), 0, addresses=ADDRESSES)


def summarised(*sizes: int) -> dict[str, Any]:
    """
    @return: The summary of L{result}.
    """
    return summary(result(*sizes), Outcome(1, f"{TARGET}: 1 did not come back in time"), TARGET)


class SlowReader:
    """
    A reader of a report.  Lines are dropped while it is full.

    @ivar lines: The lines that were not dropped.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._isFull = False

    def write(self, line: str) -> bool:
        """
        @return: False if the line was dropped.
        """
        if not self._isFull:
            self.lines.append(line)
        return not self._isFull

    def observeSome(self, report: Report) -> None:
        """
        Report the same event six times.  The second, the third and the last line are dropped.
        """
        for isFull in (False, True, True, False, False, True):
            self._isFull = isFull
            report.observe(TARGET, EVENTS[1])
        self._isFull = False
