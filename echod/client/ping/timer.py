"""
Timers that wake the reactor just before a probe is due.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time
from collections.abc import Callable
from os import close
from typing import cast

from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorFDSet,
    IReactorTime,
    IReadDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.client.ping.tracking.moments import SECOND

RESOLUTION = 1_000_000
"""
How late a reactor may perform a delayed call, in nanoseconds: epoll counts in
milliseconds, rounded up.
"""

SPIN = 150_000
"""
How early a L{TimerFD} wakes the reactor, in nanoseconds.  The reactor does not sleep until
the probe is due: a processor that sleeps needs about 100 us to wake up.
"""

TIMERFD_FLAGS = 0o2004000
"""
C{TFD_NONBLOCK | TFD_CLOEXEC}
"""

_TIMES = struct.Struct("@llll")
"""
C{struct itimerspec}: the interval, which is zero, and the time from now, each in seconds
and nanoseconds.
"""


class DelayedTimer:
    """
    Calls a function again and again, some time before an action is due.  This timer is for
    all reactors.
    """

    _call: IDelayedCall | None = None

    def __init__(self, reactor: IReactorTime, act: Callable[[], object]) -> None:
        self._reactor = reactor
        self._act = act

    def set(self, left: int) -> None:
        """
        Set the timer.  The function calls this again, unless it is not to be called again.

        @param left: The time until the action is due, in nanoseconds.
        """
        self._call = self._reactor.callLater(max(left - RESOLUTION, 0) / SECOND, self._act)

    def stop(self) -> None:
        """
        Stop for ever.
        """
        if self._call is not None and self._call.active():
            self._call.cancel()


@implementer(IReadDescriptor)
class TimerFD:
    """
    The same on Linux (timerfd_create(2)), exact to microseconds: between two probes the
    process sleeps.

    The descriptor stays readable from its time on, so the reactor calls L{doRead} again
    and again.  It is never read: setting the timer again makes it unreadable.
    """

    def __init__(
        self, reactor: IReactorFDSet, act: Callable[[], object], spin: int = SPIN
    ) -> None:
        """
        @param spin: How early to call the function, in nanoseconds.

        @raise OSError: if the system lacks such timers.
        """
        self._act = act
        self._spin = spin
        self._reactor = reactor
        self._isDue = False
        self._library = ctypes.CDLL(None, use_errno=True)
        self._times = ctypes.create_string_buffer(_TIMES.size)
        self._descriptor: int = self._library.timerfd_create(
            time.CLOCK_MONOTONIC, TIMERFD_FLAGS
        )
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        reactor.addReader(self)

    def set(self, left: int) -> None:
        """
        Set the timer.
        """
        if left <= self._spin and self._isDue:
            return
        self._isDue = left <= self._spin
        # A time of 0 would stop the timer.
        _TIMES.pack_into(self._times, 0, 0, 0, *divmod(max(left - self._spin, 1), SECOND))
        self._library.timerfd_settime(self._descriptor, 0, self._times, None)

    def stop(self) -> None:
        """
        Close the timer.
        """
        if self._descriptor >= 0:
            self._reactor.removeReader(self)
            close(self._descriptor)
            self._descriptor = -1

    def fileno(self) -> int:
        """
        @return: The descriptor; -1 if it is closed.
        """
        return self._descriptor

    def doRead(self) -> None:
        """
        Call the function.
        """
        self._isDue = True
        self._act()

    def connectionLost(self, reason: Failure) -> None:
        """
        Close the timer: the reactor has stopped.
        """
        self.stop()

    def logPrefix(self) -> str:
        """
        @return: The name of the timer in log messages.
        """
        return "timer"


def makeTimer(
    reactor: IReactorTime, act: Callable[[], object], platform: str = sys.platform
) -> DelayedTimer | TimerFD:
    """
    @return: The best timer for a reactor.
    """
    if platform == "linux" and IReactorFDSet.providedBy(reactor):
        try:
            return TimerFD(cast(IReactorFDSet, reactor), act)
        except OSError:
            """A sandbox forbids it, or there is no descriptor left."""
    return DelayedTimer(reactor, act)
