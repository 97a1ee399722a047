"""
Tests for L{echod.client.ping.timer}.
"""

from __future__ import annotations

import os
import resource
import select
import time
from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.timer import RESOLUTION, DelayedTimer, TimerFD, makeTimer
from echod.client.udpsocket import LINUX
from tests.support import clock, lacking

SHORT = 2_000_000
HOUR = 3_600_000_000_000


class DelayedTimerTests(SynchronousTestCase):
    """
    Tests for L{DelayedTimer}.
    """

    def test_early(self) -> None:
        """
        The function is called one resolution of the reactor before the action is due.
        """
        reactor: Any = clock()
        called: list[float] = []
        timer = DelayedTimer(reactor, lambda: called.append(reactor.seconds()))
        timer.stop()
        timer.set(5 * RESOLUTION)
        reactor.pump([0.001] * 4)
        self.assertEqual(len(called), 1)
        timer.set(SHORT)
        timer.stop()
        self.assertEqual(reactor.getDelayedCalls(), [])


class TimerFDTests(SynchronousTestCase):
    """
    Tests for L{TimerFD}, with a descriptor of the kernel.
    """

    def setUp(self) -> None:
        if not LINUX:
            lacking("Linux")
        self.reactor: Any = MemoryReactorClock()
        self.called: list[int] = []
        self.timer = TimerFD(
            self.reactor, lambda: self.called.append(time.monotonic_ns() - self.start), HOUR
        )
        self.addCleanup(self.timer.stop)
        self.start = time.monotonic_ns()

    def isReadable(self, seconds: float) -> bool:
        """
        @return: True if the timer is readable within this time.
        """
        return bool(select.select([self.timer], [], [], seconds)[0])

    def test_early(self) -> None:
        """
        The descriptor becomes readable some time before the action is due, and stays so
        until the timer is set again.
        """
        self.timer.set(HOUR + SHORT)
        for _ in range(2):
            self.assertTrue(self.isReadable(10))
            self.timer.doRead()
        self.assertGreaterEqual(self.called[0], SHORT)
        self.timer.set(HOUR)
        self.assertTrue(self.isReadable(0))
        self.timer.set(2 * HOUR)
        self.assertFalse(self.isReadable(0))

    def test_due(self) -> None:
        """
        A timer that was set to a later time becomes readable at once if it is set anew.
        """
        self.timer.set(HOUR)
        self.timer.doRead()
        for left in (2 * HOUR, HOUR):
            self.timer.set(left)
        self.assertTrue(self.isReadable(10))

    def test_stop(self) -> None:
        """
        When the timer is stopped, or the reactor is, the descriptor is closed.
        """
        for stop in (
            self.timer.stop,
            lambda: self.timer.connectionLost(Failure(ConnectionLost())),
        ):
            descriptor = self.timer.fileno()
            self.assertEqual(self.reactor.getReaders(), [self.timer])
            stop()
            self.assertEqual(self.reactor.getReaders(), [])
            self.assertRaises(OSError, os.fstat, descriptor)
            self.timer = TimerFD(self.reactor, list)
        self.timer.stop()
        self.timer.stop()
        self.assertEqual((self.timer.fileno(), self.timer.logPrefix()), (-1, "timer"))

    def test_none(self) -> None:
        """
        Without a descriptor, and elsewhere than on Linux, the reactor's delayed calls serve.
        """
        self.assertIsInstance(makeTimer(self.reactor, list, "darwin"), DelayedTimer)
        timer = makeTimer(self.reactor, list, "linux")
        self.assertIsInstance(timer, TimerFD)
        timer.stop()
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        self.assertIsInstance(makeTimer(self.reactor, list, "linux"), DelayedTimer)
