"""
Tests for L{echod.client.ping.addresses}.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.addresses import addressesOf, title


class AddressesTests(SynchronousTestCase):
    """
    Tests for L{addressesOf} and L{title}.
    """

    def test_addresses(self) -> None:
        """
        The server has a port, and this machine has none.  A link-local address has the name
        of its interface.
        """
        number, name = socket.if_nameindex()[0]
        host = IPv6Address("TCP", "::1", 40000)
        for peer, text in (
            (IPv6Address("TCP", "::1", 7), "[::1]:7"),
            (IPv6Address("TCP", "fe80::1", 7, 0, number), f"[fe80::1%{name}]:7"),
            (IPv6Address("TCP", f"fe80::1%{number}", 7, 0, number), f"[fe80::1%{name}]:7"),
        ):
            transport: Any = StringTransport(host, peer)
            self.assertEqual(addressesOf(transport), (text, "::1"))
        transport = StringTransport(
            IPv4Address("UDP", "127.0.0.2", 40000), IPv4Address("UDP", "127.0.0.1", 7)
        )
        self.assertEqual(addressesOf(transport), ("127.0.0.1:7", "127.0.0.2"))

    def test_unix(self) -> None:
        """
        A UNIX socket has no such addresses.
        """
        transport: Any = StringTransport(None, UNIXAddress("/x"))
        self.assertIsNone(addressesOf(transport))

    def test_title(self) -> None:
        """
        The address is shown if it says more than the target.
        """
        for target, address, text in (
            ("localhost:7", "127.0.0.1:7", "localhost (127.0.0.1:7)"),
            ("127.0.0.1:7", "127.0.0.1:7", "127.0.0.1:7"),
            ("localhost:7", "[::1]:7", "localhost ([::1]:7)"),
            ("tls:localhost:7:timeout=3", "[::1]:7", "tls:localhost:7:timeout=3 ([::1]:7)"),
            ("unix:/x", None, "unix:/x"),
        ):
            self.assertEqual(title(target, address), text)
