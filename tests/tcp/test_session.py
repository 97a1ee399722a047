"""
Tests for L{echod.tcp.session}.
"""

from __future__ import annotations

import socket

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    ISystemHandle,
    ITCPTransport,
)
from twisted.internet.protocol import Factory
from twisted.internet.testing import StringTransport
from twisted.logger import capturedLogs
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from echod.limits.capacity import IDLE_TIMEOUT, Limits
from echod.tcp.proxypeer import UnnamedPeer
from echod.tcp.session import (
    CHECK,
    CLOSED_BY_PEER,
    CONNECTION_LOST,
    IDLE,
    LINGER,
    QUIET,
    Session,
)
from tests.support import (
    PEER,
    UNTIMED,
    MemoryTCPTransport,
    MemoryTLSTransport,
    MemoryTransport,
    SinkFactory,
    clock,
    connect,
    fields,
    logged,
)


class LoggingTests(SynchronousTestCase):
    """
    What a session logs.
    """

    def test_startAndEnd(self) -> None:
        """
        A session is logged when it starts and when it has ended, with its
        outcome, bytes and duration as fields.
        """
        reactor = clock()
        with capturedLogs() as events:
            session, _ = connect(SinkFactory(reactor))
            session.dataReceived(b"12345")
            reactor.advance(1.5)
            session.connectionLost(Failure(ConnectionDone()))
        started, ended = events
        self.assertEqual(
            fields(started, "service", "peer"), {"service": "sink", "peer": "192.0.2.1:40000"}
        )
        self.assertEqual(
            fields(ended, "service", "peer", "outcome", "received", "returned", "duration"),
            {
                "service": "sink",
                "peer": "192.0.2.1:40000",
                "outcome": "closed by peer",
                "received": 5,
                "returned": 0,
                "duration": 1.5,
            },
        )

    def test_lines(self) -> None:
        """
        The log reads as sentences do.
        """
        with logged() as lines:
            session, _ = connect(SinkFactory(clock()))
            session.dataReceived(b"12345")
            session.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(
            lines,
            [
                "sink: 192.0.2.1:40000 connected",
                "sink: 192.0.2.1:40000 ended: lost; 5 bytes in, 0 bytes out, 0.000 s",
            ],
        )

    def test_check(self) -> None:
        """
        A session whose peer has sent nothing is a check, whether the peer closes or resets
        the connection; and so is a proxy's own connection, whatever it has sent.
        """
        checks = UnnamedPeer("the proxy", None, isCheck=True)
        for address, sent, reason, outcome in (
            (PEER, b"", ConnectionDone(), CHECK),
            (PEER, b"", ConnectionLost(), CHECK),
            (PEER, b"", ConnectionError("no TLS"), CONNECTION_LOST),
            (PEER, b"x", ConnectionDone(), CLOSED_BY_PEER),
            (PEER, b"x", ConnectionLost(), CONNECTION_LOST),
            (checks, b"x", ConnectionDone(), CHECK),
            (checks, b"x", ConnectionLost(), CHECK),
        ):
            session, _ = connect(SinkFactory(clock()), address=address)
            if sent:
                session.dataReceived(sent)
            session.connectionLost(Failure(reason))
            self.assertEqual(session.outcome, outcome)

    def test_messages(self) -> None:
        """
        What a peer sends is logged where that is asked for, escaped, and is
        received all the same.
        """
        with logged() as lines:
            session, _ = connect(SinkFactory(clock(), showMessages=True))
            session.dataReceived(b"hello\n")
        self.assertEqual(lines[1:], [r"sink: from 192.0.2.1:40000: hello\n"])
        self.assertEqual(session.received, 6)

    def test_messagesAfterTheEnd(self) -> None:
        """
        Messages that arrive after the session has begun to close are logged too.
        """
        session, _ = connect(SinkFactory(clock(), showMessages=True))
        session.close("done")
        with logged() as lines:
            session.dataReceived(b"late")
        self.assertEqual(lines, ["sink: from 192.0.2.1:40000: late"])

    def test_noMessages(self) -> None:
        """
        What a peer sends is not logged otherwise.
        """
        session, _ = connect(SinkFactory(clock()))
        with logged() as lines:
            session.dataReceived(b"hello\n")
        self.assertEqual(lines, [])


class ClosingTests(SynchronousTestCase):
    """
    How a session closes.
    """

    def close(self, transport: type[MemoryTransport]) -> None:
        """
        Hang up a new session on such a transport.
        """
        self.reactor = clock()
        factory = SinkFactory(self.reactor, limits=UNTIMED)
        self.session, self.transport = connect(factory, transport)
        self.session.close("done")

    def test_halfClose(self) -> None:
        """
        The sending side is shut down first; the connection stays for as long as
        the peer may still be reading.
        """
        self.close(MemoryTCPTransport)
        self.assertTrue(self.transport.writeClosed)
        self.session.writeConnectionLost()
        self.session.dataReceived(b"still talking")
        self.reactor.advance(QUIET - 0.1)
        self.assertFalse(self.transport.aborted)
        self.assertFalse(self.transport.disconnecting)

    def test_peerClosesToo(self) -> None:
        """
        When the peer has closed as well the connection is closed at once.
        """
        self.close(MemoryTCPTransport)
        self.session.writeConnectionLost()
        self.session.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.session.outcome, "done")

    def test_quietPeer(self) -> None:
        """
        A peer that neither closes nor says anything is left after a while, but
        not reset: it may not have received everything.
        """
        self.close(MemoryTCPTransport)
        self.session.writeConnectionLost()
        self.reactor.advance(QUIET)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.aborted)

    def test_talkingPeer(self) -> None:
        """
        A peer that goes on talking is listened to for longer, but not for ever.
        """
        self.close(MemoryTCPTransport)
        self.session.writeConnectionLost()
        while not self.transport.disconnecting:
            self.session.dataReceived(b"more")
            self.reactor.advance(QUIET / 2)
        self.assertEqual(self.reactor.seconds(), LINGER)

    def test_waitsForTheLastByte(self) -> None:
        """
        The time starts when everything has been written, and not before.
        """
        self.close(MemoryTCPTransport)
        self.reactor.advance(LINGER * 10)
        self.assertFalse(self.transport.disconnecting)

    def test_tls(self) -> None:
        """
        TLS is closed in its own way; when the time is up, what carries it is.
        """
        raw = StringTransport()
        tls = ProtocolWrapper(WrappingFactory(Factory()), Session())
        tls.transport = raw
        self.close(MemoryTLSTransport)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.writeClosed)
        self.session.transport = tls
        self.reactor.advance(QUIET)
        self.assertTrue(raw.disconnecting)

    def test_otherTransports(self) -> None:
        """
        What knows no half-close is closed in its own way.
        """
        self.close(MemoryTransport)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_noDelay(self) -> None:
        """
        What is written goes at once, where the transport can be told so.
        """
        _, transport = connect(SinkFactory(clock()))
        self.assertTrue(transport.noDelay)

        class UNIXTransport(MemoryTCPTransport):
            def getPeer(self) -> UNIXAddress:
                return UNIXAddress(None)

        _, transport = connect(SinkFactory(clock()), UNIXTransport)
        self.assertFalse(transport.noDelay)

    def test_interface(self) -> None:
        """
        A session hears of half-closes.
        """
        self.assertTrue(verifyObject(IHalfCloseableProtocol, Session()))

    def test_logPrefix(self) -> None:
        """
        Twisted's own messages call the factory by the name of its service.
        """
        self.assertEqual(SinkFactory(clock()).logPrefix(), "sink")

    def test_discardsAfterwards(self) -> None:
        """
        What comes when a session has hung up is counted and discarded.
        """
        self.close(MemoryTCPTransport)
        self.session.dataReceived(b"12345")
        self.assertEqual((self.session.received, self.session.returned), (5, 0))


class IdleTests(SynchronousTestCase):
    """
    A session in which nothing happens.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.session, self.transport = connect(SinkFactory(self.reactor))

    def test_silent(self) -> None:
        """
        A peer that never says anything is hung up on when the time is up.
        """
        self.reactor.pump([IDLE_TIMEOUT / 4] * 3)
        self.assertIsNone(self.session.outcome)
        self.reactor.advance(IDLE_TIMEOUT / 4)
        self.assertEqual(self.session.outcome, IDLE)
        self.assertTrue(self.transport.writeClosed)

    def test_talking(self) -> None:
        """
        The time starts again with every word.
        """
        for _ in range(10):
            self.reactor.pump([IDLE_TIMEOUT / 4] * 3)
            self.session.dataReceived(b"x")
        self.assertIsNone(self.session.outcome)
        self.reactor.pump([IDLE_TIMEOUT / 4] * 5)
        self.assertEqual(self.session.outcome, IDLE)

    def test_reading(self) -> None:
        """
        A peer that reads what it was sent before is not idle.
        """
        with socket.create_server(("127.0.0.1", 0)) as server:
            client = socket.create_connection(server.getsockname())
            near, _ = server.accept()
        with client, near:
            directlyProvides(self.transport, ITCPTransport, ISystemHandle)
            self.transport.getHandle = lambda: near
            for _ in range(5):
                near.sendall(b"x")
                client.recv(1)
                self.reactor.advance(IDLE_TIMEOUT / 4)
            self.assertIsNone(self.session.outcome)
            self.reactor.pump([IDLE_TIMEOUT / 4] * 4)
            self.assertEqual(self.session.outcome, IDLE)

    def test_overAndNotReading(self) -> None:
        """
        A session that is over ends, also when its peer never reads what was
        left, and goes on talking.
        """
        self.session.close("done")
        for _ in range(5):
            self.session.dataReceived(b"more")
            self.reactor.advance(IDLE_TIMEOUT / 4)
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.session.outcome, "done")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_idleAndNotReading(self) -> None:
        """
        Nor is an idle peer waited for that does not even read the end.
        """
        self.reactor.pump([IDLE_TIMEOUT / 4] * 5)
        self.assertTrue(self.transport.aborted)

    def test_lost(self) -> None:
        """
        A session whose connection is lost leaves no timer behind.
        """
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_never(self) -> None:
        """
        Without a limit there is no timer.
        """
        reactor = clock()
        connect(SinkFactory(reactor, limits=Limits(idleTimeout=0)))
        self.assertEqual(reactor.getDelayedCalls(), [])
