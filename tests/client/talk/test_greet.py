"""
Tests for L{echod.client.talk.greet}.
"""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.client.talk.greet import GreetedProtocol
from echod.tcp.greeting import GreetingFactory
from tests.support import clock
from tests.support.link import Link


class GreetedTests(SynchronousTestCase):
    """
    Tests for L{GreetedProtocol}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.received: list[bytes] = []
        self.client = GreetedProtocol(self.clock, 3, self.received.append)

    def connected(self) -> StringTransport:
        """
        @return: The transport of the connected client.
        """
        transport = StringTransport()
        self.client.makeConnection(transport)
        return transport

    def test_greeting(self) -> None:
        """
        The client receives the greeting of echod, and sees that the server closes.
        """
        Link(GreetingFactory(clock()), self.client).flush()
        self.assertTrue(self.successResultOf(self.client.finished))
        self.assertEqual(self.received, [b"Thank you for connecting\r\n"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_staysOpen(self) -> None:
        """
        The client closes when the time is over, even if the server still sends.
        """
        transport = self.connected()
        for _ in range(2):
            self.clock.advance(1)
            self.client.dataReceived(b"hello")
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertFalse(self.successResultOf(self.client.finished))
        self.assertEqual(self.client.received, 10)

    def test_lost(self) -> None:
        """
        A lost connection is an error.
        """
        self.client.abort()
        self.connected()
        self.client.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(self.client.finished, ConnectionLost)
        self.assertEqual(self.clock.getDelayedCalls(), [])
