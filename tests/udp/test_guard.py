"""
Tests for L{echod.udp.guard}.
"""

from __future__ import annotations

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import DENIED, Networks
from echod.limits.ratelimit import RateLimit
from echod.udp.guard import (
    ANSWER,
    ANSWER_TTL,
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
        for port in (8080, 8081):
            self.guard.opened(port)

    def test_clients(self) -> None:
        """
        Clients are answered, with any address and any unreserved port.
        """
        for host in ("127.0.0.1", "192.0.2.255", "::1", "fe80::1%eth0", "::ffff:192.0.2.1"):
            self.assertIsNone(self.guard.refusal(host, 1024))
            self.assertIsNone(self.guard.refusal(host, 65535))

    def test_reservedPorts(self) -> None:
        """
        Source ports below 1024 are refused.
        """
        for port in (0, 7, 19, 53, 1023):
            self.assertEqual(self.guard.refusal("192.0.2.1", port), RESERVED_PORT)

    def test_answerReservedPorts(self) -> None:
        """
        Source ports below 1024 are answered if this was asked for, except port 0, to which
        nothing can be sent, and own ports.
        """
        guard = DatagramGuard(answerReservedPorts=True)
        guard.opened(7)
        for port, reason in (
            (0, RESERVED_PORT),
            (1, None),
            (7, OWN_PORT),
            (53, None),
            (57, None),
            (123, None),
            (1023, None),
            (40000, None),
        ):
            self.assertEqual(guard.refusal("192.0.2.1", port), reason, port)
        self.assertEqual(guard.refusal("192.0.2.1", 53, ttl=ANSWER_TTL), ANSWER)

    def test_answers(self) -> None:
        """
        A datagram that arrives with a TTL from 193 to 224 is the answer of another echod.
        """
        for ttl, reason in (
            (0, None),
            (1, None),
            (192, None),
            (193, ANSWER),
            (224, ANSWER),
            (225, None),
            (255, None),
        ):
            self.assertEqual(self.guard.refusal("192.0.2.1", 40000, ttl=ttl), reason, ttl)

    def test_ownPorts(self) -> None:
        """
        A source port is refused while a server of this process listens on it.
        """
        for port in (8080, 8081):
            self.assertEqual(self.guard.refusal("192.0.2.1", port), OWN_PORT)
            self.guard.closed(port)
            self.assertIsNone(self.guard.refusal("192.0.2.1", port))

    def test_impossibleSources(self) -> None:
        """
        Source addresses that do not belong to one host are refused.
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

    def test_denied(self) -> None:
        """
        A source in a denied network is refused.
        """
        guard = DatagramGuard(Networks(denied=[ip_network("192.0.2.0/24")]))
        self.assertEqual(guard.refusal("192.0.2.1", 40000), DENIED)
        self.assertIsNone(guard.refusal("198.51.100.1", 40000))

    def test_rate(self) -> None:
        """
        Another host is answered as often as the rate allows, this machine always.
        """
        guard = DatagramGuard(rate=RateLimit(1))
        for host, second in (("192.0.2.1", OVER_RATE), ("127.0.0.1", None)):
            self.assertIsNone(guard.refusal(host, 40000, now=1000))
            self.assertEqual(guard.refusal(host, 40001, now=1000), second)
            self.assertIsNone(guard.refusal(host, 40000, now=1001))

    def test_rateOfNetwork(self) -> None:
        """
        The rate applies to one IPv4 address, also when an IPv6 socket shows it, and to all
        addresses of one IPv6 /64 together.
        """
        for first, second, reason in (
            ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", OVER_RATE),
            ("2001:db8::1", "2001:db8:0:1::1", None),
            ("192.0.2.1", "::ffff:192.0.2.1", OVER_RATE),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", None),
        ):
            guard = DatagramGuard(rate=RateLimit(1))
            self.assertIsNone(guard.refusal(first, 40000, now=1000))
            self.assertEqual(guard.refusal(second, 40000, now=1000), reason, second)

    def test_rateIsLast(self) -> None:
        """
        A datagram that is refused for another reason has this reason at any rate, and
        does not count for the rate of its source.
        """
        guard = DatagramGuard(Networks(denied=[ip_network("198.51.100.0/24")]), RateLimit(1))
        guard.opened(8080)
        for host, port, toGroup, reason in (
            ("224.0.0.1", 40000, False, MULTICAST),
            ("198.51.100.1", 40000, False, DENIED),
            ("192.0.2.1", 7, False, RESERVED_PORT),
            ("192.0.2.1", 8080, False, OWN_PORT),
            ("192.0.2.1", 40000, True, TO_GROUP),
        ):
            for _ in range(2):
                self.assertEqual(guard.refusal(host, port, toGroup, now=1000), reason)
        self.assertEqual(guard.refusal("192.0.2.1", 40000, ttl=ANSWER_TTL, now=1000), ANSWER)
        self.assertIsNone(guard.refusal("192.0.2.1", 40000, now=1000))

    def test_isLimited(self) -> None:
        """
        With a rate, all sources are limited except loopback addresses.
        """
        for rate, host, limited in (
            (RateLimit(1), "192.0.2.1", True),
            (RateLimit(1), "127.0.0.1", False),
            (RateLimit(1), "::1", False),
            (None, "192.0.2.1", False),
        ):
            self.assertEqual(DatagramGuard(rate=rate).isLimited(host), limited, host)

    def test_version(self) -> None:
        """
        The version changes when a port is opened: it may be the port of a known source.
        """
        before = self.guard.version
        self.guard.refusal("192.0.2.1", 40000)
        self.assertEqual(self.guard.version, before)
        self.guard.opened(40000)
        self.assertNotEqual(self.guard.version, before)
