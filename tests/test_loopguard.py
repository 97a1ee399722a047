"""
Tests for L{echod.loopguard}.
"""

from twisted.trial.unittest import SynchronousTestCase

from echod.loopguard import (
    BROADCAST,
    MULTICAST,
    OWN_PORT,
    RESERVED_PORT,
    TO_GROUP,
    UNSPECIFIED,
    LoopGuard,
)


class LoopGuardTests(SynchronousTestCase):
    """
    Tests for L{LoopGuard}.
    """

    def setUp(self) -> None:
        self.guard = LoopGuard()
        self.guard.ownPorts.update((8080, 8081))

    def test_clients(self) -> None:
        """
        Clients are answered, whatever their address looks like.
        """
        for host in ("127.0.0.1", "192.0.2.255", "::1", "fe80::1%eth0", "::ffff:192.0.2.1"):
            self.assertIsNone(self.guard.refusal(host, 1024))
            self.assertIsNone(self.guard.refusal(host, 65535))

    def test_reservedPorts(self) -> None:
        """
        What comes from a port below 1024 is from a server, or is forged.
        """
        for port in (0, 7, 19, 53, 1023):
            self.assertEqual(self.guard.refusal("192.0.2.1", port), RESERVED_PORT)

    def test_ownPorts(self) -> None:
        """
        What comes from a port that echod listens on may be from an echod.
        """
        for port in (8080, 8081):
            self.assertEqual(self.guard.refusal("192.0.2.1", port), OWN_PORT)

    def test_impossibleSources(self) -> None:
        """
        What comes from an address that is no single host's is forged.
        """
        for host, reason in (
            ("0.0.0.0", UNSPECIFIED),
            ("::", UNSPECIFIED),
            ("::ffff:0.0.0.0", UNSPECIFIED),
            ("224.0.0.1", MULTICAST),
            ("ff02::1", MULTICAST),
            ("::ffff:224.0.0.1", MULTICAST),
            ("255.255.255.255", BROADCAST),
            ("::ffff:255.255.255.255", BROADCAST),
        ):
            self.assertEqual(self.guard.refusal(host, 40000), reason, host)

    def test_toGroup(self) -> None:
        """
        What was sent to a group is not answered.
        """
        self.assertEqual(self.guard.refusal("192.0.2.1", 40000, True), TO_GROUP)
