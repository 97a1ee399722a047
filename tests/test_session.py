"""
Tests for L{echod.session}.
"""

from __future__ import annotations

import socket
from ipaddress import ip_network

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IAddress,
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

from echod.limits import IDLE_TIMEOUT, NO_ROOM, Capacity, Limits
from echod.networks import DENIED, Networks
from echod.session import (
    CUT,
    DRAINED,
    IDLE,
    LINGER,
    NO_ROOM_FOR_SOURCE,
    QUIET,
    STOPPING,
    Session,
    SessionFactory,
)
from tests.support import (
    PEER,
    UNTIMED,
    MemoryTCPTransport,
    MemoryTLSTransport,
    MemoryTransport,
    clock,
    connect,
    fields,
    logged,
)


class SinkFactory(SessionFactory):
    """
    Builds sessions that only discard.
    """

    protocol = Session
    service = "sink"


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
            session.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(
            lines,
            [
                "sink: 192.0.2.1:40000 connected",
                "sink: 192.0.2.1:40000 ended: lost; 0 bytes in, 0 bytes out, 0.000 s",
            ],
        )

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

    def hangUp(self, transport: type[MemoryTransport]) -> None:
        """
        Hang up a new session on such a transport.
        """
        self.reactor = clock()
        factory = SinkFactory(self.reactor, limits=UNTIMED)
        self.session, self.transport = connect(factory, transport)
        self.session.hangUp("done")

    def test_halfClose(self) -> None:
        """
        The sending side is shut down first; the connection stays for as long as
        the peer may still be reading.
        """
        self.hangUp(MemoryTCPTransport)
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
        self.hangUp(MemoryTCPTransport)
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
        self.hangUp(MemoryTCPTransport)
        self.session.writeConnectionLost()
        self.reactor.advance(QUIET)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.aborted)

    def test_talkingPeer(self) -> None:
        """
        A peer that goes on talking is listened to for longer, but not for ever.
        """
        self.hangUp(MemoryTCPTransport)
        self.session.writeConnectionLost()
        while not self.transport.disconnecting:
            self.session.dataReceived(b"more")
            self.reactor.advance(QUIET / 2)
        self.assertEqual(self.reactor.seconds(), LINGER)

    def test_waitsForTheLastByte(self) -> None:
        """
        The time starts when everything has been written, and not before.
        """
        self.hangUp(MemoryTCPTransport)
        self.reactor.advance(LINGER * 10)
        self.assertFalse(self.transport.disconnecting)

    def test_tls(self) -> None:
        """
        TLS is closed in its own way; when the time is up, what carries it is.
        """
        raw = StringTransport()
        tls = ProtocolWrapper(WrappingFactory(Factory()), Session())
        tls.transport = raw
        self.hangUp(MemoryTLSTransport)
        self.assertTrue(self.transport.disconnecting)
        self.assertFalse(self.transport.writeClosed)
        self.session.transport = tls
        self.reactor.advance(QUIET)
        self.assertTrue(raw.disconnecting)

    def test_otherTransports(self) -> None:
        """
        What knows no half-close is closed in its own way.
        """
        self.hangUp(MemoryTransport)
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
        self.hangUp(MemoryTCPTransport)
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
        self.session.hangUp("done")
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

    def test_never(self) -> None:
        """
        Without a limit there is no timer.
        """
        reactor = clock()
        connect(SinkFactory(reactor, limits=Limits(idleTimeout=0)))
        self.assertEqual(reactor.getDelayedCalls(), [])


class AdmissionTests(SynchronousTestCase):
    """
    Who is served.
    """

    def refuse(self, factory: SessionFactory, address: IAddress = PEER) -> list[str]:
        """
        @return: The lines with which a connection is refused.
        """
        with logged() as lines:
            self.assertIsNone(factory.buildProtocol(address))
        return lines

    def test_maxConnections(self) -> None:
        """
        When there is no room left connections are refused, until some end.
        """
        factory = SinkFactory(clock(), limits=Limits(Capacity(2)))
        _, transport = connect(factory)
        connect(factory)
        self.assertEqual(
            self.refuse(factory),
            ["sink: refused 192.0.2.1:40000: too many connections"],
        )
        self.assertEqual(factory.refusals.counts, {NO_ROOM: 1})
        transport.connectionDone()
        connect(factory)

    def test_sharedCapacity(self) -> None:
        """
        Services can share the room that there is.
        """
        limits = Limits(Capacity(1))
        _, transport = connect(SinkFactory(clock(), limits=limits))
        other = SinkFactory(clock(), limits=limits)
        self.refuse(other)
        transport.connectionDone()
        connect(other)

    def test_maxPerSource(self) -> None:
        """
        One address, or one IPv6 /64, cannot take all the room.
        """
        for source, same, other in (
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
        ):
            factory = SinkFactory(clock(), limits=Limits(maxPerSource=1))
            kinds = [IPv6Address if ":" in h else IPv4Address for h in (source, same, other)]
            addresses = [
                kind("TCP", host, 40000)
                for kind, host in zip(kinds, (source, same, other), strict=True)
            ]
            _, transport = connect(factory, address=addresses[0])
            self.refuse(factory, addresses[1])
            self.assertEqual(factory.refusals.counts, {NO_ROOM_FOR_SOURCE: 1})
            connect(factory, address=addresses[2])
            transport.connectionDone()
            connect(factory, address=addresses[1])

    def test_sourcesAreForgotten(self) -> None:
        """
        Sources without connections take no memory.
        """
        factory = SinkFactory(clock(), limits=Limits(maxPerSource=2))
        transports = [connect(factory)[1] for _ in range(2)]
        for transport in transports:
            transport.connectionDone()
        self.assertEqual(factory._fromSource, {})

    def test_denied(self) -> None:
        """
        Who is not to be served is refused.
        """
        networks = Networks(denied=[ip_network("192.0.2.0/24")])
        factory = SinkFactory(clock(), limits=Limits(networks=networks))
        self.refuse(factory)
        self.assertEqual(factory.refusals.counts, {DENIED: 1})
        connect(factory, address=IPv4Address("TCP", "198.51.100.1", 40000))

    def test_noAddress(self) -> None:
        """
        Who has no IP address is in no network, and no source.
        """
        networks = Networks(allowed=[ip_network("192.0.2.0/24")])
        factory = SinkFactory(clock(), limits=Limits(maxPerSource=1, networks=networks))
        for _ in range(2):
            connect(factory, address=UNIXAddress(None))


class DrainTests(SynchronousTestCase):
    """
    The end of a service.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.factory = SinkFactory(
            self.reactor, limits=Limits(idleTimeout=0, drainTimeout=LINGER)
        )

    def test_nobody(self) -> None:
        """
        Without sessions there is nothing to wait for, nor to log.
        """
        with logged() as lines:
            self.successResultOf(self.factory.drain())
        self.assertEqual(lines, [])

    def test_finished(self) -> None:
        """
        Every session is closed in good order, and waited for.
        """
        sessions = [connect(self.factory) for _ in range(3)]
        drained = self.factory.drain()
        for session, transport in sessions:
            self.assertNoResult(drained)
            self.assertEqual(session.outcome, DRAINED)
            self.assertTrue(transport.writeClosed)
            with logged() as lines:
                transport.connectionDone()
        self.successResultOf(drained)
        self.assertEqual(lines[-1], "sink: stopped; sessions finished: 3, cut: 0")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_cut(self) -> None:
        """
        Who takes longer than the limit is cut; not so who has everything, and
        only has not closed yet.
        """
        (_, waiting), (lingering, left) = [connect(self.factory) for _ in range(2)]
        drained = self.factory.drain()
        self.reactor.advance(LINGER - 1)
        lingering.writeConnectionLost()
        with logged() as lines:
            self.reactor.advance(1)
            self.assertTrue(waiting.aborted)
            self.assertEqual(waiting.protocol.outcome, CUT)
            self.assertFalse(left.aborted)
            self.assertTrue(left.disconnecting)
            left.connectionDone()
        self.successResultOf(drained)
        self.assertEqual(lines[-1], "sink: stopped; sessions finished: 1, cut: 1")

    def test_noMore(self) -> None:
        """
        A connection that comes meanwhile is refused; one that comes when the
        service was started again is not.
        """
        _, transport = connect(self.factory)
        drained = self.factory.drain()
        self.assertIsNone(self.factory.buildProtocol(PEER))
        self.assertEqual(self.factory.refusals.counts, {STOPPING: 1})
        transport.connectionDone()
        self.factory.stopFactory()
        self.successResultOf(drained)
        self.factory.startFactory()
        connect(self.factory)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_over(self) -> None:
        """
        A session that is over already ends as it would have.
        """
        session, _ = connect(self.factory)
        session.hangUp("done")
        self.factory.drain()
        self.assertEqual(session.outcome, "done")
