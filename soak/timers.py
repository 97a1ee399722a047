"""
Servers that count their timers.

C{python -m soak.timers ...} is C{twistd ...}.  On SIGUSR2 it prints how many of
Twisted's timers are in its memory: also those that were cancelled and are still
there.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from soak.servers import Stock
from tests.daemon import TWISTD, Daemon

COUNT = signal.SIGUSR2


class Counting(Daemon):
    """
    An echod that counts its timers.
    """

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: What runs it, but for its options.
        """
        options = Daemon.command(reactor)[len(TWISTD) :]
        return [sys.executable, "-m", "soak.timers", *options]

    def timers(self) -> int:
        """
        @return: How many timers are in its memory.
        """
        self.process.send_signal(COUNT)
        return int(self.expect(r"^timers in memory: (\d+)$")[1])


class CountingStock(Stock, Counting):
    """
    A stock Twisted's echo that counts its timers.
    """


COUNTING: dict[str, Callable[..., Counting]] = {
    **{
        f"echod, {reactor}": partial(Counting, reactor=reactor)
        for reactor in ("uvloop", "epoll", "asyncio")
    },
    "stock Twisted": CountingStock,
}


def countTimers() -> None:
    """
    Have this process print the number of its timers on L{COUNT}.
    """
    from twisted.internet.base import DelayedCall

    def count(*_: object) -> None:
        # What waits for the collector is no leak.
        gc.collect()
        number = sum(isinstance(thing, DelayedCall) for thing in gc.get_objects())
        # Not to sys.stdout, which Twisted turns into lines of its log.
        os.write(1, b"timers in memory: %d\n" % number)

    signal.signal(COUNT, count)


if __name__ == "__main__":
    from twisted.scripts.twistd import run

    countTimers()
    run()
