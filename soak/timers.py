"""
C{python -m soak.timers ...}: a C{twistd ...} that counts its timers.

On SIGUSR2 it prints how many of Twisted's timers are in its memory: also those that
were cancelled and are still there.
"""

from __future__ import annotations

import gc
import os
import signal

COUNT = signal.SIGUSR2


def countTimers() -> None:
    """
    Have this process print the number of its timers on L{COUNT}.
    """
    from twisted.internet.base import DelayedCall

    def count(*_: object) -> None:
        # Objects that wait for the collector are no leak.
        gc.collect()
        number = sum(isinstance(thing, DelayedCall) for thing in gc.get_objects())
        # Not to sys.stdout, which Twisted turns into lines of its log.
        os.write(1, b"timers in memory: %d\n" % number)

    signal.signal(COUNT, count)


if __name__ == "__main__":
    from twisted.scripts.twistd import run

    countTimers()
    run()
