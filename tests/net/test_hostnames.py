"""
Tests for L{echod.net.hostnames}.
"""

from __future__ import annotations

import socket
from threading import Event
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.net.hostnames import canonicalName, lookUp


class LookUpTests(SynchronousTestCase):
    """
    Tests for L{lookUp}.
    """

    def lookUp(self, *sockaddrs: tuple[Any, ...]) -> list[str]:
        """
        @return: The addresses of a name for which the system returns these.
        """

        def getaddrinfo(
            name: str, port: None, type: socket.SocketKind, flags: int
        ) -> list[Any]:
            self.assertEqual((name, type, flags), ("box", socket.SOCK_STREAM, 0))
            return [("family", type, "protocol", "", sockaddr) for sockaddr in sockaddrs]

        return lookUp("box", getaddrinfo=getaddrinfo)

    def test_addresses(self) -> None:
        """
        A name has literal addresses, each once, in the order of the system.
        """
        self.assertEqual(
            self.lookUp(
                ("2001:db8::1", 0, 0, 0), ("127.0.1.1", 0), ("::1", 0, 0, 0), ("127.0.1.1", 0)
            ),
            ["2001:db8::1", "127.0.1.1", "::1"],
        )

    def test_mapped(self) -> None:
        """
        An IPv4-mapped address is the IPv4 address.
        """
        self.assertEqual(self.lookUp(("::ffff:192.0.2.1", 0, 0, 0)), ["192.0.2.1"])

    def test_manyMachines(self) -> None:
        """
        Addresses that stand for all or several machines are left out: a server on them
        would be open to others.
        """
        self.assertEqual(
            self.lookUp(
                *(("0.0.0.0", 0), ("::", 0, 0, 0), ("::ffff:0.0.0.0", 0, 0, 0)),
                *(("224.0.0.1", 0), ("ff02::1", 0, 0, 0), ("255.255.255.255", 0)),
            ),
            [],
        )

    def test_unknown(self) -> None:
        """
        A name that the system does not know, or that cannot be a name, is an error with
        the reason.
        """
        for error, reason in (
            (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
            (UnicodeError("label too long"), "label too long"),
        ):

            def getaddrinfo(*_: object, error: Exception = error, **more: object) -> Any:
                raise error

            for find in (lookUp, canonicalName):
                problem = self.assertRaises(OSError, find, "x", getaddrinfo=getaddrinfo)
                self.assertEqual(str(problem), f"does not resolve ({reason})")

    def test_slow(self) -> None:
        """
        A lookup that takes too long is an error, too.
        """
        over = Event()
        self.addCleanup(over.set)

        def getaddrinfo(*_: object, **more: object) -> Any:
            # With an end of its own: a test must not hang.
            over.wait(10)
            return []

        for find in (lookUp, canonicalName):
            problem = self.assertRaises(OSError, find, "x", 0.001, getaddrinfo)
            self.assertEqual(str(problem), "does not resolve within 0.001 s")

    def test_canonicalName(self) -> None:
        """
        The complete name is that of the first answer.
        """

        def getaddrinfo(name: str, port: None, flags: int, **more: object) -> list[Any]:
            self.assertEqual((name, flags), ("box", socket.AI_CANONNAME))
            return [("", "", "", "box.example.com", ()), ("", "", "", "", ())]

        found = canonicalName("box", getaddrinfo=getaddrinfo)
        self.assertEqual(found, "box.example.com")

    def test_system(self) -> None:
        """
        The system's own function finds literal addresses.
        """
        self.assertEqual(lookUp("127.0.0.1"), ["127.0.0.1"])
        self.assertEqual(canonicalName("127.0.0.1"), "127.0.0.1")
