"""
Tests for L{echod.tcp.greeting}.
"""

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.greeting import GREETED, GreetingFactory
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
