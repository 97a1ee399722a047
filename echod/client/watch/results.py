"""
The results of probing one target, for the metrics.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from time import time

from twisted.internet import error

from echod.client.exitstatus import NOTHING_LISTENS, UNREACHABLE, errorNumber, isTimeout
from echod.client.ping.tracking.events import ERRORS, Event, Kind
from echod.client.ping.tracking.moments import SECOND
from echod.net.histogram import Histogram

BOUNDS = (
    *(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""
The bounds of the histogram of round-trip times, in seconds: from loopback to a satellite
link with full buffers.
"""

LOOKUP = "lookup"
TIMEOUT = "timeout"
CONNECTION = "connection"

REASONS = (Kind.REFUSED.value, Kind.UNREACHABLE.value, LOOKUP, TIMEOUT, CONNECTION)
"""
The kinds of errors: an ICMP error or a reset says that nothing listens; there is no way to
the target; its name has no address; connecting takes too long; a connection is lost, or
cannot be made for another reason.
"""


class Results:
    """
    @ivar labels: The target as on the command line, and its protocol.

    @ivar sent: How many probes were sent, or should have been sent.

    @ivar lost: How many of them had no correct answer in time.  Each probe is received in
        time, lost or in flight.

    @ivar skipped: How many probes were left out, because this process was stopped, or because a
        connection took no more data.

    @ivar kinds: How many events there were of each kind.

    @ivar reordered: How many probes were answered out of order.

    @ivar reconnected: How many connections replaced one that was lost or refused.

    @ivar errors: How many errors there were for each reason.

    @ivar roundTrips: The round-trip times, in seconds.

    @ivar up: True if the latest result is a correct answer in time.

    @ivar answered: When the latest correct answer came, in seconds since 1970; L{None} if
        there was none.
    """

    up = False
    answered: float | None = None

    def __init__(
        self, target: object, protocol: str, wallClock: Callable[[], float] = time
    ) -> None:
        """
        @param wallClock: Returns the time of day.
        """
        self.labels = (str(target), protocol)
        self.sent = self.lost = self.skipped = self.reordered = self.reconnected = 0
        self.kinds: Counter[Kind] = Counter()
        self.errors: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
        self.roundTrips = Histogram(BOUNDS)
        self._wallClock = wallClock
        self._inFlight: set[int | None] = set()

    def count(self, name: str) -> int:
        """
        @return: The number of probes or answers with a result: C{sent}, C{received}, C{lost},
            C{skipped}, C{reordered}, or the value of a L{Kind}.
        """
        found = {
            "sent": self.sent,
            "received": self.kinds[Kind.ANSWERED],
            "lost": self.lost,
            "skipped": self.skipped,
            "reordered": self.reordered,
        }.get(name)
        return self.kinds[Kind(name)] if found is None else found

    def observe(self, event: Event) -> None:
        """
        Count an event of a run.
        """
        if event.kind is Kind.SENT:
            self.sent += 1
            self._inFlight.add(event.sequence)
            return
        self.kinds[event.kind] += 1
        self.reordered += event.reordered
        if event.kind in ERRORS:
            self.errors[event.kind.value] += 1
        if event.roundTrip is not None:
            self.roundTrips.add(event.roundTrip / SECOND)
        self._settle(event)

    def failed(self, problem: BaseException | None) -> None:
        """
        Count an error of a connection, if there was one.
        """
        if problem is not None:
            self.errors[reason(problem)] += 1

    def miss(self, number: int) -> None:
        """
        Count probes that could not be sent, because there was no socket.
        """
        self.sent += number
        self._lose(number)

    def ended(self, problem: BaseException | None) -> None:
        """
        Count the end of a run.  The probes in flight are lost.

        @param problem: The error that has ended it; L{None} if none did.
        """
        self.failed(problem)
        self._lose(len(self._inFlight))
        self._inFlight.clear()

    def _settle(self, event: Event) -> None:
        wasInFlight = event.sequence in self._inFlight
        self._inFlight.discard(event.sequence)
        if event.kind is Kind.ANSWERED:
            self.up = True
            self.answered = self._wallClock()
        elif wasInFlight:
            self._lose(1)
        elif event.sequence is not None and event.kind in (*ERRORS, Kind.TOO_BIG):
            self.miss(1)

    def _lose(self, number: int) -> None:
        self.lost += number
        self.up = self.up and not number


def reason(problem: BaseException) -> str:
    """
    @return: The kind of an exception that was raised while connecting, or at the end of a
        connection; one of L{REASONS}.
    """
    if isinstance(problem, (error.DNSLookupError, error.UnknownHostError)):
        return LOOKUP
    if isTimeout(problem):
        return TIMEOUT
    number = errorNumber(problem)
    if number in NOTHING_LISTENS:
        return Kind.REFUSED.value
    return Kind.UNREACHABLE.value if number in UNREACHABLE else CONNECTION
