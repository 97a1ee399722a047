"""
Tests for L{echod.udp.guard}.
"""

from __future__ import annotations

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import RateLimit
from echod.limits.networks import DENIED, KNOWN_HOSTS, Networks
from echod.udp.guard import (
    BROADCAST,
    MULTICAST,
    OVER_RATE,
    OWN_PORT,
    RESERVED_PORT,
    TO_GROUP,
    UNSPECIFIED,
    DatagramGuard,
)


class DatagramGuardTests(SynchronousTestCase):
    """
    Tests for L{DatagramGuard}.
    """

    def setUp(self) -> None:
        self.guard = DatagramGuard()
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

    def test_denied(self) -> None:
        """
        Who is not to be served is not answered.
        """
        guard = DatagramGuard(Networks(denied=[ip_network("192.0.2.0/24")]))
        self.assertEqual(guard.refusal("192.0.2.1", 40000), DENIED)
        self.assertIsNone(guard.refusal("198.51.100.1", 40000))

    def test_rate(self) -> None:
        """
        Another host is answered as often as the rate allows, this machine
        always.
        """
        guard = DatagramGuard(rate=RateLimit(1))
        for host, second in (("192.0.2.1", OVER_RATE), ("127.0.0.1", None)):
            self.assertIsNone(guard.refusal(host, 40000, now=1000))
            self.assertEqual(guard.refusal(host, 40001, now=1000), second)
            self.assertEqual(guard.rateRefusal(host, 1000), second)
            self.assertIsNone(guard.refusal(host, 40000, now=1001))

    def test_remember(self) -> None:
        """
        Whose rate is counted is remembered with the host; who is on this machine
        is not counted, nor is anyone without a rate.
        """
        for guard, host, metered in (
            (DatagramGuard(rate=RateLimit(1)), "192.0.2.1", {b"parties": "192.0.2.1"}),
            (DatagramGuard(rate=RateLimit(1)), "127.0.0.1", {}),
            (DatagramGuard(), "192.0.2.1", {}),
        ):
            guard.remember(b"parties", host)
            self.assertEqual(guard.metered, metered)
            self.assertEqual(guard.unmetered, set() if metered else {b"parties"})

    def test_forget(self) -> None:
        """
        Who has been answered is forgotten when there are too many, and when a
        port is opened which may be theirs.
        """
        for rate in (None, RateLimit(1)):
            guard = DatagramGuard(rate=rate)
            for number in range(KNOWN_HOSTS + 10):
                guard.remember(b"%d" % number, "192.0.2.1")
                self.assertLessEqual(len(guard.unmetered) + len(guard.metered), KNOWN_HOSTS)
            guard.opened(8082)
            self.assertFalse(guard.unmetered or guard.metered)
