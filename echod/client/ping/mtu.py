"""
The search for the path MTU with probes: C{echoc ping --mtu}.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from echod.client.ping.pinger import Pinger
from echod.client.ping.result import Result
from echod.client.ping.search import Search
from echod.client.ping.tracking.events import ERRORS, Event

TRIES = 3
"""
How many probes of a size must be lost until it is too big: a path that loses one packet
in ten loses three in a row once in 1000 times.
"""

PAUSE = 100_000_000
"""
The time between two probes of the same size, in nanoseconds: one full queue must not
drop all of them.
"""


class MTUPinger(Pinger):
    """
    Sends probes of the sizes that a L{Search} chooses.
    """

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self._report, self.observe = self.observe, self._learn
        self._search = Search()
        self._size: int | None = None
        self._firstOfSize = 0

    def nextSize(self) -> int | None:
        """
        @return: The size of the next probe; L{None} if the result of earlier ones is due.
        """
        size = self._search.next
        if size is None:
            self.interrupt()
        elif size != self._size:
            self._size, self._firstOfSize = size, self.tracker.attempted
        elif self.tracker.attempted - self._firstOfSize == TRIES:
            if self.tracker.inFlight:
                return None
            self._search.exclude(size)
            return self.nextSize()
        elif self.now().monotonic < self.tracker.lastAttempt + PAUSE:
            return None
        return size

    def result(self) -> Result:
        """
        @return: The result so far.
        """
        return replace(super().result(), search=self._search)

    def _learn(self, event: Event) -> None:
        self._search.observe(event)
        if event.kind in ERRORS:
            # The server or the network is gone: larger sizes would seem too big.
            self.interrupt()
        self._report(event)
