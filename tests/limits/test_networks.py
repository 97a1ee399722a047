"""
Tests for L{echod.limits.networks}.
"""

from __future__ import annotations

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import Networks


def networks(allowed: str = "", denied: str = "") -> Networks:
    """
    @return: A rule that serves the first networks, and not the others.
    """
    return Networks(map(ip_network, allowed.split()), map(ip_network, denied.split()))


class NetworksTests(SynchronousTestCase):
    """
    Tests for L{Networks}.
    """

    def test_everyone(self) -> None:
        """
        Without any network everyone is served.
        """
        for host in ("192.0.2.1", "2001:db8::1", "fe80::1%eth0"):
            self.assertTrue(networks().serves(host))

    def test_denied(self) -> None:
        """
        A peer in a denied network is not served; all others are.
        """
        rule = networks(denied="192.0.2.0/24 fe80::/10")
        for host in ("192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0"):
            self.assertFalse(rule.serves(host), host)
        for host in ("192.0.3.1", "2001:db8::1"):
            self.assertTrue(rule.serves(host), host)

    def test_allowed(self) -> None:
        """
        If networks are allowed, no other peers are served, of either IP version.
        """
        rule = networks(allowed="192.0.2.0/24")
        self.assertTrue(rule.serves("192.0.2.255"))
        self.assertFalse(rule.serves("192.0.3.0"))
        self.assertFalse(rule.serves("2001:db8::1"))

    def test_mostSpecific(self) -> None:
        """
        The most specific network decides, in any order of the networks.
        """
        rule = networks(allowed="10.0.0.0/8 10.1.2.3", denied="0.0.0.0/0 10.1.0.0/16")
        for host, served in (
            ("10.0.0.1", True),
            ("10.1.0.1", False),
            ("10.1.2.3", True),
            ("11.0.0.1", False),
        ):
            self.assertEqual(rule.serves(host), served, host)

    def test_mapped(self) -> None:
        """
        IPv4 networks that are written as IPv6 ones are the same networks.
        """
        rule = networks(denied="::ffff:10.0.0.0/104 ::/64")
        self.assertFalse(rule.serves("10.1.2.3"))
        self.assertFalse(rule.serves("::1"))
        self.assertTrue(rule.serves("11.1.2.3"))

    def test_contradiction(self) -> None:
        """
        A network that is both allowed and denied is a mistake.
        """
        error = self.assertRaises(ValueError, networks, "10.0.0.0/8", "10.0.0.0/8")
        self.assertEqual(str(error), "10.0.0.0/8 is both allowed and denied")
