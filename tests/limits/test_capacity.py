"""
Tests for L{echod.limits.capacity}.
"""

from __future__ import annotations

import resource

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import FD_SETSIZE, RESERVE, Capacity, sourceOf


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
