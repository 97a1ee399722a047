"""
Tests for L{echod.tcp.proxypeer}.
"""

from __future__ import annotations

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from echod.net.format import addressName
from echod.tcp.proxyheader import Header
from echod.tcp.proxypeer import UnnamedPeer, sessionAddress
from tests.support.proxy import REAL, REAL6

PROXY = IPv4Address("TCP", "192.0.2.1", 40000)
MAPPED_PROXY = IPv6Address("TCP", "::ffff:192.0.2.1", 40000)
UNIX_PROXY = UNIXAddress(None)
UNIX = UNIXAddress("/run/client")


class SessionAddressTests(SynchronousTestCase):
    """
    Tests for L{sessionAddress}.
    """

    def test_named(self) -> None:
        """
        The peer that the header names is the peer of the session.
        """
        for trusted in (False, True):
            for source in (REAL, REAL6):
                for proxy in (PROXY, UNIX_PROXY):
                    self.assertEqual(sessionAddress(Header(source), proxy, trusted), source)

    def test_unknown(self) -> None:
        """
        If the header names nobody, the proxy's own address counts, also if the proxy is
        known: it speaks for somebody else.
        """
        for trusted in (False, True):
            for proxy in (PROXY, UNIX_PROXY):
                self.assertEqual(sessionAddress(Header(), proxy, trusted), proxy)

    def test_unix(self) -> None:
        """
        If the header names a UNIX socket, the log shows it, and the limits apply to the
        proxy's own address.
        """
        for trusted in (False, True):
            for proxy, host, name in (
                (PROXY, "192.0.2.1", "unix:/run/client via 192.0.2.1:40000"),
                (MAPPED_PROXY, "192.0.2.1", "unix:/run/client via 192.0.2.1:40000"),
                (UNIX_PROXY, None, "unix:/run/client via unix:?"),
            ):
                peer = sessionAddress(Header(UNIX), proxy, trusted)
                self.assertEqual(peer, UnnamedPeer(name, host))
                self.assertEqual(addressName(peer), name)

    def test_local(self) -> None:
        """
        A proxy's own connection is a check.  Limits apply to its address, unless the proxy
        is known.
        """
        for proxy in (PROXY, MAPPED_PROXY):
            for trusted, host in ((False, "192.0.2.1"), (True, None)):
                self.assertEqual(
                    sessionAddress(Header(local=True), proxy, trusted),
                    UnnamedPeer("192.0.2.1:40000", host, isCheck=True),
                )

    def test_ownAddress(self) -> None:
        """
        A known proxy that names its own address is checking: version 1 knows no other way.
        From unknown proxies it is an address as any other.
        """
        for proxy in (PROXY, MAPPED_PROXY):
            own = UnnamedPeer("192.0.2.1:40000", None, isCheck=True)
            self.assertEqual(sessionAddress(Header(PROXY), proxy, True), own)
            self.assertEqual(sessionAddress(Header(PROXY), proxy, False), PROXY)

    def test_interface(self) -> None:
        """
        The peer is an address as Twisted's are.
        """
        self.assertTrue(verifyObject(IAddress, UnnamedPeer("unix:?", None)))
