"""
Tests for L{echod.limits.ratelimit}.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.limits import ratelimit as limits
from echod.limits.ratelimit import METERED_SOURCES, RateLimit, onThisMachine


class OnThisMachineTests(SynchronousTestCase):
    """
    Tests for L{onThisMachine}.
    """

    def test_onThisMachine(self) -> None:
        """
        The addresses of this machine are told from those of others.
        """
        for host, local in (
            ("127.0.0.1", True),
            ("127.0.1.1", True),
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
            full = True

            @contextmanager
            def socket(self, *_: object) -> Iterator[Any]:
                if self.full:
                    raise OSError(errno.EMFILE, "Too many open files")
                yield self

            def connect(self, address: tuple[str, int]) -> None:
                self.connected = address

            def getsockname(self) -> tuple[str, int]:
                return self.connected

        sockets = Sockets()
        self.patch(limits, "socket", sockets)
        self.assertFalse(onThisMachine("192.0.2.7", 100))
        sockets.full = False
        self.assertTrue(onThisMachine("192.0.2.7", 100))


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
