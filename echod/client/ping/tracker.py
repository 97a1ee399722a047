"""
What was sent, what came back, and which of it is which.

Every probe that was sent ends as exactly one of: answered, late, truncated,
corrupted, lost; or it is still on its way.  It knows neither socket nor clock.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator
from enum import Enum
from functools import partial
from itertools import islice
from typing import NamedTuple

from echod.client.ping.probe import CLOSE, HEADER_SIZE, Probes
from echod.client.ping.statistics import Figures

REMEMBERED = 1 << 18
"""
How many probes are remembered after their answer has come, or their time is up:
what it takes to know a duplicate or a late answer.  At 100,000 a second that is
more than two seconds, and it is not more than 130 MB.
"""

SEARCHED = 4096
"""
Among how many probes the one that a damaged header belongs to is looked for:
what takes milliseconds.
"""


class Kind(str, Enum):
    """
    What became of a probe, or what an answer is.
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


DAMAGED = (Kind.TRUNCATED, Kind.CORRUPTED)


class Moment(NamedTuple):
    """
    One moment on two clocks, in nanoseconds.

    @ivar monotonic: On the one that never jumps.

    @ivar realtime: On the one that the kernel's timestamps are of.
    """

    monotonic: int
    realtime: int


class Sent(NamedTuple):
    """
    A probe that was sent.
    """

    sequence: int
    size: int
    moment: Moment


class Event(NamedTuple):
    """
    Something that has happened.

    @ivar sequence: The number of the probe; L{None} if it cannot be told.

    @ivar size: How many bytes came; of a lost probe, how many were sent.

    @ivar roundTrip: In nanoseconds; L{None} where there is none.

    @ivar reordered: Whether a probe that was sent later has been answered before
        (RFC 4737).

    @ivar at: The place of the first byte that is not as it was sent.
    """

    kind: Kind
    sequence: int | None
    size: int
    roundTrip: int | None = None
    reordered: bool = False
    at: int | None = None


class Tally:
    """
    @ivar sent: How many probes were sent.

    @ivar came: Of how many something has come back.

    @ivar counts: How many events there were, by kind.

    @ivar figures: The round-trip times.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.came = 0
        self.counts: Counter[Kind] = Counter()
        self.figures = Figures()


class Ledger:
    """
    Keeps the books of one run.

    @ivar total: Of all probes.

    @ivar bySize: Of those of one size.

    @ivar reordered: How many were answered out of order.
    """

    def __init__(self, probes: Probes, timeout: int) -> None:
        """
        @param timeout: From when on an answer is late, in nanoseconds.
        """
        self._probes = probes
        self._timeout = timeout
        self._next = 0
        self._newest = -1
        # Both lose their oldest, and a plain dictionary looks for that among all
        # that it has lost before.
        self._waiting: OrderedDict[int, Sent] = OrderedDict()
        self._past: OrderedDict[int, tuple[Sent, Kind]] = OrderedDict()
        self.total = Tally()
        self.bySize: dict[int, Tally] = {}
        self.reordered = 0

    def probe(self, size: int) -> bytes:
        """
        @return: The next probe.
        """
        return self._probes.encode(self._next, size)

    def sent(self, size: int, moment: Moment) -> Event:
        """
        The next probe was sent.
        """
        sequence = self._attempted(moment)
        self._waiting[sequence] = Sent(sequence, size, moment)
        for tally in self._tallies(size):
            tally.sent += 1
        return Event(Kind.SENT, sequence, size)

    def unsent(self, size: int, moment: Moment, kind: Kind) -> Event:
        """
        The next probe cannot be sent, for a reason that stays.
        """
        sequence = self._attempted(moment)
        self._count(kind, size)
        return Event(kind, sequence, size)

    def received(self, data: bytes, moment: Moment, arrived: int | None = None) -> Event:
        """
        Something has come.

        @param moment: Now.

        @param arrived: When the kernel took it in, on its clock.
        """
        sequence = self._intact(data)
        if sequence is None:
            return self._damaged(data)
        probe = self._waiting.pop(sequence, None)
        if probe is None:
            if not self._isLost(sequence):
                return self._repeated(sequence, len(data), sequence in self._past)
            probe = self._past[sequence][0]
        roundTrip = _roundTrip(probe.moment, moment, arrived)
        kind = Kind.LATE if roundTrip > self._timeout else Kind.ANSWERED
        reordered = sequence < self._newest
        self._newest = max(self._newest, sequence)
        self.reordered += reordered
        self._settle(probe, kind)
        for tally in self._tallies(probe.size):
            tally.figures.add(roundTrip)
        return Event(kind, sequence, len(data), roundTrip, reordered)

    def failed(self, kind: Kind, data: bytes) -> Event:
        """
        An error has come back: the probe that it is about is lost.

        @param data: That probe, if the error tells.
        """
        claimed = self._probes.claimed(data) if len(data) >= HEADER_SIZE else -1
        probe = self._waiting.pop(claimed, None)
        if probe is None:
            self.total.counts[kind] += 1
            return Event(kind, None, 0)
        self._count(kind, probe.size)
        self._remember(probe, Kind.LOST)
        return Event(kind, claimed, 0)

    def expire(self, now: float) -> Iterator[Event]:
        """
        @param now: The time on the monotonic clock.

        @return: The probes which no answer can come to in time any more.
        """
        while self._waiting and now > self.deadline():
            _, probe = self._waiting.popitem(last=False)
            self._remember(probe, Kind.LOST)
            yield Event(Kind.LOST, probe.sequence, probe.size)

    def deadline(self) -> int:
        """
        @return: Until when the oldest that is on its way is waited for.
        """
        oldest = next(iter(self._waiting.values()))
        return oldest.moment.monotonic + self._timeout

    @property
    def attempted(self) -> int:
        """
        How many were sent, or should have been and could not.
        """
        return self._next

    @property
    def onTheWay(self) -> int:
        """
        How many are waited for.
        """
        return len(self._waiting)

    @property
    def lost(self) -> int:
        """
        Of how many nothing has come, and nothing is waited for.
        """
        return self.total.sent - self.total.came - len(self._waiting)

    @property
    def interval(self) -> float | None:
        """
        What was between one probe and the next, on average, in nanoseconds.
        """
        if self._next < 2:
            return None
        return (self._last - self._first) / (self._next - 1)

    def _attempted(self, moment: Moment) -> int:
        if not self._next:
            self._first = moment.monotonic
        self._last = moment.monotonic
        self._next += 1
        return self._next - 1

    def _tallies(self, size: int) -> tuple[Tally, Tally]:
        return self.total, self.bySize.setdefault(size, Tally())

    def _known(self) -> Iterator[Sent]:
        """
        @return: The oldest that are waited for, then the newest that are not.
        """
        yield from islice(self._waiting.values(), SEARCHED)
        for sequence in islice(reversed(self._past), SEARCHED):
            yield self._past[sequence][0]

    def _intact(self, data: bytes) -> int | None:
        if len(data) >= HEADER_SIZE:
            sequence = self._probes.sequence(data)
            return None if sequence is None or sequence >= self._next else sequence
        for sequence, size, _ in self._known():
            if size == len(data) and self._probes.encode(sequence, size) == data:
                return sequence
        return None

    def _repeated(self, sequence: int, size: int, known: bool) -> Event:
        # What is long forgotten comes late, at least.
        kind = Kind.DUPLICATED if known else Kind.LATE
        self._count(kind, size)
        return Event(kind, sequence, size)

    def _damaged(self, data: bytes) -> Event:
        probe = self._resembled(data)
        if probe is None:
            self.total.counts[Kind.FOREIGN] += 1
            return Event(Kind.FOREIGN, None, len(data))
        expected = self._probes.encode(probe.sequence, probe.size)
        pairs = enumerate(zip(data, expected, strict=False))
        common = min(len(data), len(expected))
        at = next((at for at, (one, other) in pairs if one != other), common)
        kind = Kind.TRUNCATED if at == len(data) else Kind.CORRUPTED
        if self._waiting.pop(probe.sequence, None) or self._isLost(probe.sequence):
            self._settle(probe, kind)
        else:
            self._count(kind, probe.size)
        return Event(kind, probe.sequence, len(data), at=at)

    def _resembled(self, data: bytes) -> Sent | None:
        if len(data) < HEADER_SIZE:
            return self._resembledShort(data)
        claimed = self._probes.claimed(data)
        known = self._waiting.get(claimed) or self._past.get(claimed, (None,))[0]
        if known and not self._unlike(data, known):
            return known
        best = min(self._known(), key=partial(self._unlike, data), default=None)
        return best if best and self._unlike(data, best) <= CLOSE else None

    def _resembledShort(self, data: bytes) -> Sent | None:
        waiting = list(islice(self._waiting.values(), SEARCHED))
        for probe in waiting:
            if self._probes.encode(probe.sequence, probe.size).startswith(data):
                return probe
        return next((probe for probe in waiting if probe.size == len(data)), None)

    def _unlike(self, data: bytes, probe: Sent) -> int:
        return self._probes.unlike(data, probe.sequence, probe.size)

    def _isLost(self, sequence: int) -> bool:
        return self._past.get(sequence, (None, None))[1] is Kind.LOST

    def _settle(self, probe: Sent, kind: Kind) -> None:
        for tally in self._tallies(probe.size):
            tally.came += 1
        self._count(kind, probe.size)
        self._remember(probe, kind)

    def _count(self, kind: Kind, size: int) -> None:
        for tally in self._tallies(size):
            tally.counts[kind] += 1

    def _remember(self, probe: Sent, kind: Kind) -> None:
        self._past[probe.sequence] = (probe, kind)
        if len(self._past) > REMEMBERED:
            self._past.popitem(last=False)


def _roundTrip(sent: Moment, now: Moment, arrived: int | None) -> int:
    """
    @return: How long a probe was on its way, by the kernel's clock if that makes
        sense: it is the time of day, which somebody may have set meanwhile.
    """
    most = now.monotonic - sent.monotonic
    if arrived is not None and 0 < arrived - sent.realtime < most:
        return arrived - sent.realtime
    return most
