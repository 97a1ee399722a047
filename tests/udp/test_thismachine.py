"""
Tests for L{echod.udp.thismachine}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import DENIED
from echod.limits.ratelimit import RateLimit
from echod.udp.guard import OVER_RATE, OWN_PORT, RESERVED_PORT, DatagramGuard
from echod.udp.thismachine import ThisMachineGuard


class ThisMachineGuardTests(SynchronousTestCase):
    """
    Tests for L{ThisMachineGuard}.
    """

    def setUp(self) -> None:
        self.shared = DatagramGuard(rate=RateLimit(1))
        self.guard = ThisMachineGuard(self.shared)

    def test_here(self) -> None:
        """
        The shared guard decides about sources on this machine.
        """
        self.assertIsNone(self.guard.refusal("127.0.0.5", 40000))
        self.assertEqual(self.guard.refusal("127.0.0.5", 7), RESERVED_PORT)
        self.guard.opened(40000)
        self.assertEqual(self.guard.refusal("127.0.0.5", 40000), OWN_PORT)
        self.assertEqual(self.guard.version, self.shared.version)

    def test_elsewhere(self) -> None:
        """
        All sources on other machines are refused as denied, and take nothing of a rate.
        """
        for port in (40000, 7):
            self.assertEqual(self.guard.refusal("192.0.2.1", port), DENIED)
        self.assertIsNone(self.shared.refusal("192.0.2.1", 40000))
        self.assertEqual(self.shared.refusal("192.0.2.1", 40000), OVER_RATE)

    def test_isLimited(self) -> None:
        """
        Only a loopback address is always on this machine: others are decided about each
        time, also without a rate limit.
        """
        guard = ThisMachineGuard(DatagramGuard())
        self.assertFalse(guard.isLimited("127.0.0.1"))
        self.assertTrue(guard.isLimited("192.0.2.1"))
        self.assertFalse(self.guard.isLimited("::1"))
