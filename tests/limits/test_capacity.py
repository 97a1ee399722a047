"""
Tests for L{echod.limits.capacity}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import Capacity, sourceOf


class CapacityTests(SynchronousTestCase):
    """
    Tests for L{Capacity}.
    """

    def test_full(self) -> None:
        """
        There is room until the limit is reached; without a limit there always is.
        """
        capacity = Capacity(2)
        for full in (False, False, True, True):
            self.assertEqual(capacity.full, full)
            capacity.take(1)
        capacity = Capacity(0)
        capacity.take(1000000)
        self.assertFalse(capacity.full)

    def test_within(self) -> None:
        """
        A part of a capacity takes from the whole, and is full when the whole is.
        """
        whole = Capacity(3)
        parts = [Capacity(2, whole), Capacity(0, whole)]
        for part in parts:
            part.take(2)
            self.assertTrue(part.full)
        self.assertEqual(whole.taken, 4)
        parts[1].take(-2)
        self.assertEqual(whole.taken, 2)
        self.assertEqual([part.full for part in parts], [True, False])


class SourceTests(SynchronousTestCase):
    """
    Tests for L{sourceOf}.
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
