"""
Tests for L{echod.tcp.session} and L{echod.tcp.closing}.
"""

from __future__ import annotations

import socket

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
from echod.net.sockets import unacknowledged
from echod.tcp.closing import IDLE, QUIET, QUIET_CHECKS
from echod.tcp.proxypeer import UnnamedPeer
from echod.tcp.session import (
    CHECK,
    CLOSED_BY_PEER,
    CONNECTION_LOST,
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
    The log of a session.
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
        The lines of the log are sentences.
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
        With C{showMessages}, each message is logged, escaped, and received.
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
        By default, messages are not logged.
        """
        session, _ = connect(SinkFactory(clock()))
        with logged() as lines:
            session.dataReceived(b"hello\n")
        self.assertEqual(lines, [])


class ClosingTests(SynchronousTestCase):
    """
    How a session closes.
    """

    def close(self, transport: type[MemoryTransport], limits: Limits = UNTIMED) -> None:
        """
        Close a new session on such a transport.
        """
        self.reactor = clock()
        factory = SinkFactory(self.reactor, limits=limits)
        self.session, self.transport = connect(factory, transport)
        self.session.close("done")

    def linger(self) -> None:
        """
        Close a new session, and let the transport send everything.
        """
        self.close(MemoryTCPTransport)
        self.session.writeConnectionLost()

    def wait(self, seconds: float) -> None:
        """
        Let time pass, check by check.
        """
        step = QUIET / QUIET_CHECKS
        self.reactor.pump([step] * round(seconds / step))

    def connectSockets(self) -> socket.socket:
        """
        Give the transport of the session a socket.

        @return: The socket of the peer.
        """
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        directlyProvides(self.transport, ITCPTransport, ISystemHandle)
        self.transport.getHandle = lambda: near
        self.near = near
        return far

    def test_halfClose(self) -> None:
        """
        The session shuts down the sending side first; the connection stays while the
        peer may still be reading.
        """
        self.close(MemoryTCPTransport)
        self.assertTrue(self.transport.writeClosed)
        self.session.writeConnectionLost()
        self.wait(QUIET - QUIET / QUIET_CHECKS)
        self.assertFalse(self.transport.aborted)
        self.assertFalse(self.transport.disconnecting)

    def test_peerClosesToo(self) -> None:
        """
        When the peer has closed too, the session closes the connection at once.
        """
        self.linger()
        self.session.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.session.outcome, "done")

    def test_quietPeer(self) -> None:
        """
        If a peer neither closes nor sends anything, the session closes the connection
        within a second, without a reset.
        """
        self.linger()
        self.wait(1)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.aborted)

    def test_sendingPeer(self) -> None:
        """
        The session reads from a peer that goes on sending, until the peer is quiet.
        """
        self.linger()
        for _ in range(100):
            self.session.dataReceived(b"more")
            self.wait(QUIET - QUIET / QUIET_CHECKS)
        self.assertFalse(self.transport.disconnecting)
        self.wait(QUIET)
        self.assertTrue(self.transport.disconnecting)

    def test_endlesslySendingPeer(self) -> None:
        """
        The idle timeout ends the wait for a peer that sends without end.
        """
        self.close(MemoryTCPTransport, Limits(idleTimeout=60))
        self.session.writeConnectionLost()
        while not self.transport.aborted and self.reactor.seconds() < IDLE_TIMEOUT:
            self.session.dataReceived(b"more")
            self.wait(QUIET / QUIET_CHECKS)
        # One more check: the first one comes too early to count.
        self.assertEqual(self.reactor.seconds(), 75)

    def test_unacknowledged(self) -> None:
        """
        A peer whose system has not taken everything is waited for, and then has as much
        time as any other.
        """
        self.linger()
        peer = self.connectSockets()
        self.near.send(b"12345")
        self.wait(QUIET * 10)
        self.assertFalse(self.transport.disconnecting)
        peer.recv(5)
        self.wait(QUIET - QUIET / QUIET_CHECKS)
        self.assertFalse(self.transport.disconnecting)
        self.wait(QUIET)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.aborted)

    def test_slowPeer(self) -> None:
        """
        As long as the peer takes what was sent, the session waits; when the peer takes
        nothing more, the idle timeout ends the session, whatever the peer sends.
        """
        self.close(MemoryTCPTransport, Limits(idleTimeout=60))
        peer = self.connectSockets()
        for _ in range(11):
            self.near.send(bytes(1000))
        for _ in range(10):
            self.reactor.pump([15] * 3)
            peer.recv(1000, socket.MSG_WAITALL)
        self.reactor.pump([15] * 4)
        self.assertFalse(self.transport.aborted)
        self.session.dataReceived(b"more")
        self.reactor.advance(15)
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.session.outcome, "done")

    def test_withoutIdleTimeout(self) -> None:
        """
        Without an idle timeout, a session that closes has the default one.
        """
        self.close(MemoryTCPTransport)
        self.reactor.pump([IDLE_TIMEOUT / 4] * 4)
        self.assertFalse(self.transport.aborted)
        self.reactor.advance(IDLE_TIMEOUT / 4)
        self.assertTrue(self.transport.aborted)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_idleTimeoutBeginsAgain(self) -> None:
        """
        The idle timeout begins again when the session begins to close.
        """
        reactor = clock()
        session, transport = connect(SinkFactory(reactor, limits=Limits(idleTimeout=60)))
        reactor.pump([15] * 3)
        session.close("done")
        reactor.pump([15] * 4)
        self.assertFalse(transport.aborted)
        reactor.advance(15)
        self.assertTrue(transport.aborted)

    def test_halfCloseAndNotReading(self) -> None:
        """
        The idle timeout ends a session whose peer has shut down its sending side and
        does not read.
        """
        reactor = clock()
        session, transport = connect(SinkFactory(reactor, limits=Limits(idleTimeout=60)))
        session.readConnectionLost()
        reactor.pump([15] * 5)
        self.assertTrue(transport.aborted)
        self.assertEqual(session.outcome, IDLE)

    def test_waitsForTheLastByte(self) -> None:
        """
        The peer's quiet time begins when the transport has sent everything.
        """
        self.close(MemoryTCPTransport)
        self.wait(QUIET * 10)
        self.assertFalse(self.transport.disconnecting)

    def test_tls(self) -> None:
        """
        Twisted's TLS closes in its own way; when the time is up, the session closes the
        transport below TLS.
        """
        raw = StringTransport()
        tls = ProtocolWrapper(WrappingFactory(Factory()), Session())
        tls.transport = raw
        self.close(MemoryTLSTransport)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.writeClosed)
        self.session.transport = tls
        self.wait(QUIET)
        self.assertTrue(raw.disconnecting)

    def test_otherTransports(self) -> None:
        """
        A transport without half-close closes in its own way.
        """
        self.close(MemoryTransport)
        self.assertTrue(self.transport.disconnecting)
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_interface(self) -> None:
        """
        A session is told of half-closes.
        """
        self.assertTrue(verifyObject(IHalfCloseableProtocol, Session()))

    def test_logPrefix(self) -> None:
        """
        Twisted's own messages call the factory by the name of its service.
        """
        self.assertEqual(SinkFactory(clock()).logPrefix(), "sink")

    def test_discardsAfterwards(self) -> None:
        """
        A session that is closing counts and discards what it receives.
        """
        self.close(MemoryTCPTransport)
        self.session.dataReceived(b"12345")
        self.assertEqual((self.session.received, self.session.returned), (5, 0))


class IdleTests(SynchronousTestCase):
    """
    Idle sessions.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.session, self.transport = connect(SinkFactory(self.reactor))

    def test_silent(self) -> None:
        """
        A session whose peer sends nothing closes not before the idle timeout, and at most a
        quarter later.
        """
        self.reactor.advance(IDLE_TIMEOUT / 16)
        later, _ = connect(self.session.factory)
        self.reactor.pump([IDLE_TIMEOUT / 16] * 18)
        self.assertEqual((self.session.outcome, later.outcome), (None, None))
        self.reactor.advance(IDLE_TIMEOUT / 16)
        self.assertEqual((self.session.outcome, later.outcome), (IDLE, IDLE))
        self.assertTrue(self.transport.writeClosed)

    def test_talking(self) -> None:
        """
        The time begins again with every message.
        """
        for _ in range(10):
            self.reactor.pump([IDLE_TIMEOUT / 4] * 3)
            self.session.dataReceived(b"x")
        self.assertIsNone(self.session.outcome)
        self.reactor.pump([IDLE_TIMEOUT / 4] * 5)
        self.assertEqual(self.session.outcome, IDLE)

    def test_reading(self) -> None:
        """
        A peer that reads is not idle.
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

    def test_answeringOnUNIXSocket(self) -> None:
        """
        A session on a UNIX socket is not idle while its peer sends, if the peer reads none of
        the answers: whatever their size in the system.
        """
        near, far = socket.socketpair()
        directlyProvides(self.transport, ITCPTransport, ISystemHandle)
        self.transport.getHandle = lambda: near
        with near, far:
            for _ in range(6):
                unsent = unacknowledged(self.transport)
                near.send(b"x")
                self.session.dataReceived(bytes(unacknowledged(self.transport) - unsent))
                self.reactor.advance(IDLE_TIMEOUT / 4)
        self.assertIsNone(self.session.outcome)

    def test_overAndNotReading(self) -> None:
        """
        A session that is closing ends when the peer does not read, even if it sends.
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
        A session that was closed because it was idle ends one check later, if the peer
        does not read.
        """
        self.reactor.pump([IDLE_TIMEOUT / 4] * 5)
        self.assertFalse(self.transport.aborted)
        self.reactor.advance(IDLE_TIMEOUT / 4)
        self.assertTrue(self.transport.aborted)

    def test_lost(self) -> None:
        """
        A session whose connection is lost leaves no timer behind.
        """
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_closingWithoutTimeout(self) -> None:
        """
        Without an idle timeout, the sessions that close have the default one, and the
        others have none.
        """
        for end in (lambda one: one.close("done"), lambda one: one.readConnectionLost()):
            reactor = clock()
            factory = SinkFactory(reactor, limits=Limits(idleTimeout=0))
            closing, transport = connect(factory)
            staying, _ = connect(factory)
            end(closing)
            reactor.pump([IDLE_TIMEOUT / 4] * 5)
            self.assertTrue(transport.aborted)
            self.assertIsNone(staying.outcome)

    def test_never(self) -> None:
        """
        Without an idle timeout, an open session has no timer.
        """
        reactor = clock()
        connect(SinkFactory(reactor, limits=Limits(idleTimeout=0)))
        self.assertEqual(reactor.getDelayedCalls(), [])
