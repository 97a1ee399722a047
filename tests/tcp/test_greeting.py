"""
Tests for L{echod.tcp.greeting}.
"""

from socket import gethostname

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.greeting import GREETED, GreetingFactory, greetingParts
from tests.support import clock, connect


class GreetingTests(SynchronousTestCase):
    """
    Tests for L{GreetingProtocol<echod.tcp.greeting.GreetingProtocol>}.
    """

    def test_greeting(self) -> None:
        """
        A peer is greeted as in the article, and the sending side is closed.
        """
        session, transport = connect(GreetingFactory(clock()))
        self.assertEqual(transport.value(), b"Thank you for connecting\r\n")
        self.assertTrue(transport.writeClosed)
        self.assertEqual(session.outcome, GREETED)
        self.assertEqual(session.returned, 26)

    def test_anotherGreeting(self) -> None:
        """
        The greeting can be any bytes.
        """
        _, transport = connect(GreetingFactory(clock(), b"\xff\n"))
        self.assertEqual(transport.value(), b"\xff\n")

    def test_peerThatTalks(self) -> None:
        """
        Data from a peer before it reads is discarded, and the peer still gets the
        greeting.
        """
        session, transport = connect(GreetingFactory(clock()))
        session.dataReceived(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(transport.value(), b"Thank you for connecting\r\n")
        self.assertFalse(transport.disconnecting)
        self.assertEqual(session.received, 18)

    def test_names(self) -> None:
        """
        The greeting names the peer as the log does, and this machine.
        """
        factory = GreetingFactory(clock(), b"Hello {peer} from {host}\r\n")
        for address, name in (
            (IPv4Address("TCP", "192.0.2.7", 4000), "192.0.2.7:4000"),
            (IPv6Address("TCP", "2001:db8::7", 4000), "[2001:db8::7]:4000"),
            (IPv6Address("TCP", "::ffff:192.0.2.7", 4000), "192.0.2.7:4000"),
            (UNIXAddress(""), "unix:?"),
            (UNIXAddress(b"/run/{host}\xff"), "unix:/run/{host}\\xff"),
        ):
            session, transport = connect(factory, address=address)
            greeting = f"Hello {name} from {gethostname()}\r\n".encode()
            self.assertEqual(transport.value(), greeting)
            self.assertEqual(session.returned, len(greeting))


class GreetingPartsTests(SynchronousTestCase):
    """
    Tests for L{greetingParts}.
    """

    def test_withoutNames(self) -> None:
        """
        A greeting without a name stays as it is.
        """
        for greeting in (b"", b"\xff", b"{you}", b"{}{{x}}}", b"{peer", b"{ peer }", b"{Host}"):
            self.assertEqual(greetingParts(greeting, b"h"), [greeting])

    def test_withNames(self) -> None:
        """
        Two pairs of braces around a name are one literal pair, and everything else stays as
        it is.
        """
        for greeting, sent in (
            (b"{peer}{host}{peer}", b"1h1"),
            (b"{host} {you} {", b"h {you} {"),
            (b"{{x}} {peer}", b"{{x}} 1"),
            (b"{{peer}}", b"{peer}"),
            (b"{{host}} {host}", b"{host} h"),
            (b"{{{peer}}}", b"{1}"),
            (b"{{{{host}}}}", b"{{host}}"),
            (b"{{peer}", b"{1"),
            (b'{"a": {"client": "{peer}"}}', b'{"a": {"client": "1"}}'),
            (b'{"a": {"client": {host}}}', b'{"a": {"client": h}}'),
        ):
            self.assertEqual(b"1".join(greetingParts(greeting, b"h")), sent)

    def test_hostWithBraces(self) -> None:
        """
        The name of the machine is not searched for names.
        """
        self.assertEqual(greetingParts(b"{host}", b"{peer}"), [b"{peer}"])
