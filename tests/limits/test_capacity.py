"""
Tests for L{echod.limits.capacity}.
"""

from __future__ import annotations

import errno
import resource
import socket

from twisted.trial.unittest import SynchronousTestCase

from echod.limits import capacity as limits
from echod.limits.capacity import (
    FD_SETSIZE,
    METERED_SOURCES,
    RESERVE,
    Capacity,
    RateLimit,
    onThisMachine,
    sourceOf,
)


class CapacityTests(SynchronousTestCase):
    """
    Tests for L{Capacity}.
    """

    def test_full(self) -> None:
        """
        There is room until all is taken; without a limit there always is.
        """
        capacity = Capacity(2)
        for full in (False, False, True, True):
            self.assertEqual(capacity.full, full)
            capacity.taken += 1
        capacity = Capacity(0)
        capacity.taken = 1000000
        self.assertFalse(capacity.full)

    def test_within(self) -> None:
        """
        What is a part of some room takes from it, and has no more than is left.
        """
        whole = Capacity(3)
        parts = [Capacity(2, whole), Capacity(0, whole)]
        for part in parts:
            part.taken += 2
            self.assertTrue(part.full)
        self.assertEqual(whole.taken, 4)
        parts[1].taken = 0
        self.assertEqual(whole.taken, 2)
        self.assertEqual([part.full for part in parts], [True, False])

    def test_ofProcess(self) -> None:
        """
        The limit of open files, less a reserve, is what there is room for.
        """
        for limit, most in (
            (1024, 1024 - RESERVE),
            (10, 1),
            (resource.RLIM_INFINITY, 0),
        ):
            self.patch(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
            self.assertEqual(Capacity.ofProcess().most, most)
        self.assertEqual(Capacity.ofProcess(FD_SETSIZE).most, FD_SETSIZE - RESERVE)


class SourceTests(SynchronousTestCase):
    """
    Tests for L{sourceOf} and L{onThisMachine}.
    """

    def test_sourceOf(self) -> None:
        """
        An IPv4 address is a source, and so is an IPv6 /64.
        """
        for host, source in (
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("fe80::1%eth0", "fe80::/64"),
        ):
            self.assertEqual(sourceOf(host), source)

    def test_onThisMachine(self) -> None:
        """
        The addresses of this machine are told from those of others.
        """
        for host, local in (
            ("127.0.0.1", True),
            ("::ffff:127.0.0.1", True),
            ("192.0.2.1", False),
            ("2001:db8::1", False),
        ):
            self.assertEqual(onThisMachine(host, 0), local)

    def test_noSocketToAskWith(self) -> None:
        """
        When no socket can be had nobody is known to be on this machine, until
        one can be had again.
        """

        class Sockets:
            AF_INET = socket.AF_INET
            SOCK_DGRAM = socket.SOCK_DGRAM

            def socket(self, *_: object) -> None:
                raise OSError(errno.EMFILE, "Too many open files")

        self.patch(limits, "socket", Sockets())
        self.assertFalse(onThisMachine("127.0.0.1", 100))
        self.patch(limits, "socket", socket)
        self.assertTrue(onThisMachine("127.0.0.1", 100))


class RateLimitTests(SynchronousTestCase):
    """
    Tests for L{RateLimit}.
    """

    def served(self, rate: RateLimit, number: int, now: float, source: str = "a") -> int:
        """
        @return: How many of a number of requests are within the rate.
        """
        return sum(not rate.exceeded(source, now) for _ in range(number))

    def test_burst(self) -> None:
        """
        A source that was quiet has a second's worth at once, and no more.
        """
        rate = RateLimit(100)
        for now in (1000.0, 2000.0):
            self.assertEqual(self.served(rate, 1000, now), 100)

    def test_rate(self) -> None:
        """
        After that it has what the rate gives.
        """
        rate = RateLimit(100)
        self.served(rate, 100, 1000)
        self.assertEqual(self.served(rate, 1000, 1000.1), 10)
        self.assertEqual(sum(self.served(rate, 9, 1001 + n / 10) for n in range(100)), 900)

    def test_sources(self) -> None:
        """
        Each source has its own.
        """
        rate = RateLimit(1)
        self.assertEqual(self.served(rate, 2, 1000, "a"), 1)
        self.assertEqual(self.served(rate, 2, 1000, "b"), 1)

    def test_memory(self) -> None:
        """
        Any number of sources takes bounded memory, and those seen last are kept.
        """
        rate = RateLimit(1)
        self.served(rate, 1, 1000, "known")
        for number in range(METERED_SOURCES + 10):
            rate.exceeded(str(number), 1000)
            if number % 1000 == 0:
                self.assertTrue(rate.exceeded("known", 1000))
        self.assertTrue(rate.exceeded("known", 1000))
        self.assertEqual(len(rate._reach), METERED_SOURCES)
