"""
Tests for L{echod.udp.groups}.
"""

from __future__ import annotations

import resource

from twisted.trial.unittest import SynchronousTestCase

from echod.udp.groups import groupKind


class GroupKindTests(SynchronousTestCase):
    """
    Tests for L{groupKind}.
    """

    def test_groups(self) -> None:
        """
        Multicast addresses and broadcast addresses of this machine's networks are those of
        groups, also an IPv4 address in the form of an IPv6 address.
        """
        for host, kind in (
            ("224.0.0.1", "multicast"),
            ("239.255.255.255", "multicast"),
            ("ff02::1", "multicast"),
            ("::ffff:224.0.0.1", "multicast"),
            ("255.255.255.255", "broadcast"),
            ("::ffff:255.255.255.255", "broadcast"),
            # The network of the loopback interface.
            ("127.255.255.255", "broadcast"),
            ("::ffff:127.255.255.255", "broadcast"),
        ):
            self.assertEqual(groupKind(host), kind, host)

    def test_hosts(self) -> None:
        """
        Addresses of hosts and wildcard addresses are not those of groups.
        """
        for host in ("127.0.0.1", "127.0.0.255", "0.0.0.0", "::", "::1", "::ffff:0.0.0.0"):
            self.assertIsNone(groupKind(host), host)

    def test_noDescriptor(self) -> None:
        """
        Without a file descriptor for a question, an address is taken for that of a host.
        """
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        self.assertIsNone(groupKind("127.255.255.255"))
        self.assertEqual(groupKind("255.255.255.255"), "broadcast")
