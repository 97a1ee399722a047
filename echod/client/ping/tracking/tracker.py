"""
The tracker counts probes and answers.

Each probe that was sent ends as exactly one of answered, late, truncated, corrupted,
too big or lost, or it is still in flight.  The tracker uses neither sockets nor clocks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.history import REMEMBERED, History, Sent
from echod.client.ping.tracking.match import Match, match
from echod.client.ping.tracking.moments import Moment, roundTrip
from echod.client.ping.tracking.probe import HEADER_SIZE, Probes
from echod.client.ping.tracking.statistics import RoundTrips


class Counts:
    """
    @ivar sent: How many probes were sent.

    @ivar returned: For how many of them something has come back.

    @ivar kinds: How many events there were of each kind.

    @ivar roundTrips: The statistics of the round-trip times.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.returned = 0
        self.kinds: Counter[Kind] = Counter()
        self.roundTrips = RoundTrips()


class Tracker:
    """
    Tracks the probes of one run.

    @ivar total: The counts of all probes.

    @ivar bySize: The counts of the probes of each size.

    @ivar reordered: How many probes were answered out of order.

    @ivar rejected: How many probes were sent, and were too big for a router.

    @ivar failures: How many probes were sent, and are lost because of an error.

    @ivar timeout: After how many nanoseconds an answer is late.

    @ivar lastAttempt: When the last probe was sent, on the monotonic clock.
    """

    lastAttempt = 0
    _first = 0

    def __init__(self, probes: Probes, timeout: int, remembered: int = REMEMBERED) -> None:
        """
        @param remembered: How many settled probes to remember.
        """
        self._probes = probes
        self.timeout = timeout
        self._history = History(remembered)
        self._newest = -1
        self.forget()

    def forget(self) -> None:
        """
        Set all counts to 0.  The probes in flight are counted as sent again.
        """
        self.total = Counts()
        self.total.sent = self.inFlight
        self.bySize: dict[int, Counts] = {}
        self.reordered = self.rejected = self.failures = 0

    def probe(self, size: int) -> bytes:
        """
        @return: The next probe.
        """
        return self._probes.encode(self.attempted, size)

    def sent(self, size: int, moment: Moment) -> Event:
        """
        Record that the next probe was sent.
        """
        sequence = self._attempt(moment)
        self._history.wait(Sent(sequence, size, moment))
        for counts in self._counts(size):
            counts.sent += 1
        return Event(Kind.SENT, sequence, size)

    def sendFailed(self, size: int, moment: Moment, kind: Kind) -> Event:
        """
        Record that the next probe cannot be sent.
        """
        sequence = self._attempt(moment)
        self._count(kind, size)
        return Event(kind, sequence, size)

    def received(self, data: bytes, moment: Moment, arrived: int | None = None) -> Event:
        """
        Record that data has come back.

        @param moment: Now.

        @param arrived: When the kernel received the data, in nanoseconds of the time of
            day; L{None} if unknown.
        """
        found = match(data, self._probes, self._history)
        if found is None:
            self.total.kinds[Kind.FOREIGN] += 1
            return Event(Kind.FOREIGN, None, len(data))
        if found.at is not None:
            return self._damaged(found, found.at, data)
        if found.probe is None or not self._history.isOpen(found.sequence):
            return self._repeated(found, len(data))
        return self._answered(found.probe, roundTrip(found.probe.moment, moment, arrived))

    def failed(self, kind: Kind, data: bytes) -> Event:
        """
        Record that an error has come back.  The probe that it belongs to is lost, or too
        big.

        @param data: That probe, or its beginning; empty if unknown.
        """
        short = len(data) < HEADER_SIZE
        found = None if short else match(data, self._probes, self._history)
        if not (found and found.probe and self._history.isWaiting(found.sequence)):
            self.total.kinds[kind] += 1
            return Event(kind, None, 0)
        self._count(kind, found.probe.size)
        tooBig = kind is Kind.TOO_BIG
        self.rejected += tooBig
        self.failures += not tooBig
        self._history.settle(found.probe, kind if tooBig else Kind.LOST)
        return Event(kind, found.sequence, found.probe.size)

    def expire(self, now: float) -> Iterator[Event]:
        """
        Settle the probes whose time is over.

        @param now: The time on the monotonic clock.

        @return: An event for each of them.
        """
        while (probe := self._history.oldest()) and now > self._deadline(probe):
            self._history.settle(probe, Kind.LOST)
            yield Event(Kind.LOST, probe.sequence, probe.size)

    def deadline(self) -> int | None:
        """
        @return: When the time of the oldest probe in flight is over; L{None} if there is
            no such probe.
        """
        probe = self._history.oldest()
        return None if probe is None else self._deadline(probe)

    @property
    def attempted(self) -> int:
        """
        How many probes were sent, or should have been sent but could not.
        """
        return self._history.attempted

    @property
    def inFlight(self) -> int:
        """
        How many probes wait for an answer.
        """
        return len(self._history)

    @property
    def lost(self) -> int:
        """
        How many probes have no answer, wait for none, and were not too big.
        """
        return self.total.sent - self.total.returned - self.inFlight - self.rejected

    @property
    def tooBig(self) -> int:
        """
        How many probes were too big for this machine or for a router.
        """
        return sum(counts.kinds[Kind.TOO_BIG] for counts in self.bySize.values())

    @property
    def interval(self) -> float | None:
        """
        The mean time between two probes, in nanoseconds.
        """
        if self.attempted < 2:
            return None
        return (self.lastAttempt - self._first) / (self.attempted - 1)

    def _deadline(self, probe: Sent) -> int:
        return probe.moment.monotonic + self.timeout

    def _attempt(self, moment: Moment) -> int:
        sequence = self.attempted
        if not sequence:
            self._first = moment.monotonic
        self.lastAttempt = moment.monotonic
        self._history.attempted += 1
        return sequence

    def _answered(self, probe: Sent, roundTrip: int) -> Event:
        kind = Kind.LATE if roundTrip > self.timeout else Kind.ANSWERED
        reordered = probe.sequence < self._newest
        self._newest = max(self._newest, probe.sequence)
        self.reordered += reordered
        self._settle(probe, kind)
        for counts in self._counts(probe.size):
            counts.roundTrips.add(roundTrip)
        return Event(kind, probe.sequence, probe.size, roundTrip, reordered)

    def _repeated(self, found: Match, size: int) -> Event:
        # The answer to a forgotten probe is late, and may also be a duplicate.
        kind = Kind.DUPLICATED if found.probe else Kind.LATE
        self._count(kind, size)
        return Event(kind, found.sequence, size)

    def _damaged(self, found: Match, at: int, data: bytes) -> Event:
        assert found.probe is not None
        kind = Kind.TRUNCATED if at == len(data) else Kind.CORRUPTED
        if self._history.isOpen(found.sequence):
            self._settle(found.probe, kind)
        else:
            self._count(kind, found.probe.size)
        return Event(kind, found.sequence, len(data), at=at)

    def _settle(self, probe: Sent, kind: Kind) -> None:
        for counts in self._counts(probe.size):
            counts.returned += 1
        self._count(kind, probe.size)
        self._history.settle(probe, kind)

    def _count(self, kind: Kind, size: int) -> None:
        for counts in self._counts(size):
            counts.kinds[kind] += 1

    def _counts(self, size: int) -> tuple[Counts, Counts]:
        return self.total, self.bySize.setdefault(size, Counts())
