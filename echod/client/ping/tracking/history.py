"""
The probes that were sent: those that wait for an answer, and those that are settled.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from echod.client.ping.tracking.events import Kind
from echod.client.ping.tracking.moments import Moment

REMEMBERED = 1 << 18
"""
How many settled probes are remembered, in order to recognise duplicates and late
answers.  At 100,000 probes a second this is more than two seconds, and at most 130 MB.
"""

SEARCHED = 4096
"""
How many waiting probes, and how many settled ones, are compared with a damaged answer.
This takes milliseconds.
"""


class Sent(NamedTuple):
    """
    A probe that was sent.
    """

    sequence: int
    size: int
    moment: Moment


class History:
    """
    @ivar attempted: How many probes were sent, or should have been sent but could not.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        """
        @param remembered: How many settled probes to remember.
        """
        self.attempted = 0
        self._remembered = remembered
        # Both lose their oldest entries.  A plain dictionary would search for the oldest
        # among all entries that it has lost before.
        self._waiting: OrderedDict[int, Sent] = OrderedDict()
        self._settled: OrderedDict[int, tuple[Sent, Kind]] = OrderedDict()

    def __len__(self) -> int:
        """
        @return: How many probes wait for an answer.
        """
        return len(self._waiting)

    def wait(self, probe: Sent) -> None:
        """
        Add a probe that waits for an answer.
        """
        self._waiting[probe.sequence] = probe

    def settle(self, probe: Sent, kind: Kind) -> None:
        """
        Record the result of a probe.
        """
        self._waiting.pop(probe.sequence, None)
        self._settled[probe.sequence] = (probe, kind)
        if len(self._settled) > self._remembered:
            self._settled.popitem(last=False)

    def get(self, sequence: int) -> Sent | None:
        """
        @return: A probe that is waiting or remembered.
        """
        return self._waiting.get(sequence) or self._settled.get(sequence, (None,))[0]

    def isWaiting(self, sequence: int) -> bool:
        """
        @return: True if this probe waits for an answer.
        """
        return sequence in self._waiting

    def isOpen(self, sequence: int) -> bool:
        """
        @return: True if no answer to this probe has come: it is waiting or lost.
        """
        return self.isWaiting(sequence) or (
            self._settled.get(sequence, (None, None))[1] is Kind.LOST
        )

    def oldest(self) -> Sent | None:
        """
        @return: The oldest waiting probe.
        """
        return next(iter(self._waiting.values()), None)

    def waiting(self) -> Iterator[Sent]:
        """
        @return: The oldest waiting probes, at most L{SEARCHED}.
        """
        return islice(self._waiting.values(), SEARCHED)

    def lost(self) -> Iterator[Sent]:
        """
        @return: The lost probes among the newest settled ones, the oldest first.
        """
        newest = [*islice(reversed(self._settled.values()), SEARCHED)]
        return (probe for probe, kind in reversed(newest) if kind is Kind.LOST)

    def known(self) -> Iterator[Sent]:
        """
        @return: L{waiting}, then the newest settled probes.
        """
        yield from self.waiting()
        for sequence in islice(reversed(self._settled), SEARCHED):
            yield self._settled[sequence][0]
