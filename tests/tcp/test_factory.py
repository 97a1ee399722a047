"""
Tests for L{echod.tcp.factory}, L{echod.tcp.admission} and L{echod.tcp.draining}.
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import DRAIN_TIMEOUT, NO_ROOM, Capacity, Limits
from echod.limits.networks import DENIED, Networks
from echod.limits.ratelimit import RateLimit
from echod.tcp.admission import NO_ROOM_FOR_SOURCE, OVER_CONNECT_RATE
from echod.tcp.closing import CUT
from echod.tcp.echo import EchoFactory
from echod.tcp.factory import SessionFactory
from echod.tcp.greeting import GreetingFactory
from echod.tcp.session import DRAINED
from tests.support import PEER, UNTIMED, SinkFactory, clock, connect, logged


class AdmissionTests(SynchronousTestCase):
    """
    Tests for the decision which connections are served.
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
        If there is no room for more connections, new ones are refused until one ends.
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
        Services can share one capacity.
        """
        limits = Limits(Capacity(1))
        _, transport = connect(SinkFactory(clock(), limits=limits))
        other = SinkFactory(clock(), limits=limits)
        self.refuse(other)
        transport.connectionDone()
        connect(other)

    def test_connectRate(self) -> None:
        """
        Too many new connections from one address, or one IPv6 /64, are refused at once.
        Later ones are served again, and other sources always are.
        """
        reactor = clock()
        for source, same, other in (
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"),
        ):
            factory = SinkFactory(reactor, limits=Limits(connectRate=RateLimit(2)))
            addresses: list[IAddress] = [
                (IPv6Address if ":" in host else IPv4Address)("TCP", host, 40000)
                for host in (source, same, other)
            ]
            for address in addresses[:2]:
                connect(factory, address=address)[1].connectionDone()
            for address in addresses[:2]:
                self.refuse(factory, address)
            connect(factory, address=addresses[2])
            reactor.advance(0.5)
            connect(factory, address=addresses[1])
            self.refuse(factory, addresses[0])
            self.assertEqual(factory.refusals.counts, {OVER_CONNECT_RATE: 3})
            reactor.advance(1000)

    def test_order(self) -> None:
        """
        Of several reasons the most lasting is given: the network, then the room, then the
        limits of the source.  A refused connection does not count for the rate.
        """
        reactor = clock()
        capacity = Capacity(1)
        factory = SinkFactory(
            reactor,
            limits=Limits(
                capacity,
                maxPerSource=1,
                connectRate=RateLimit(1),
                networks=Networks(denied=[ip_network("192.0.2.9")]),
            ),
        )
        _, transport = connect(factory)
        denied = IPv4Address("TCP", "192.0.2.9", 40000)

        def refusal(address: IAddress) -> str | None:
            return factory.admission.refusal(address, reactor.seconds())

        self.assertEqual(refusal(denied), DENIED)
        self.assertEqual(refusal(PEER), NO_ROOM)
        capacity.most = 0
        self.assertEqual(refusal(PEER), NO_ROOM_FOR_SOURCE)
        transport.connectionDone()
        self.assertEqual(refusal(PEER), OVER_CONNECT_RATE)
        reactor.advance(1)
        self.assertIsNone(refusal(PEER))
        self.assertIsNone(refusal(UNIXAddress(None)))

    def test_maxPerSource(self) -> None:
        """
        One address, or one IPv6 /64, cannot take all connections.
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
        self.assertEqual(factory.admission.fromSource, {})

    def test_denied(self) -> None:
        """
        A peer in a denied network is refused.
        """
        networks = Networks(denied=[ip_network("192.0.2.0/24")])
        factory = SinkFactory(clock(), limits=Limits(networks=networks))
        self.refuse(factory)
        self.assertEqual(factory.refusals.counts, {DENIED: 1})
        connect(factory, address=IPv4Address("TCP", "198.51.100.1", 40000))

    def test_deniedAndFull(self) -> None:
        """
        A denied peer is refused as denied, also when the service is full.
        """
        networks = Networks(denied=[ip_network("192.0.2.0/24")])
        factory = SinkFactory(clock(), limits=Limits(Capacity(1), networks=networks))
        connect(factory, address=IPv4Address("TCP", "198.51.100.1", 40000))
        self.refuse(factory)
        self.assertEqual(factory.refusals.counts, {DENIED: 1})

    def test_noAddress(self) -> None:
        """
        A peer without an IP address is in no network, and limits per source do not apply
        to it.
        """
        networks = Networks(allowed=[ip_network("192.0.2.0/24")])
        factory = SinkFactory(clock(), limits=Limits(maxPerSource=1, networks=networks))
        for _ in range(2):
            connect(factory, address=UNIXAddress(None))


class CountingTests(SynchronousTestCase):
    """
    Tests for the statistics of a service about its sessions.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.factory = SinkFactory(self.reactor, limits=UNTIMED)

    def test_bytes(self) -> None:
        """
        The bytes of a session are counted when they arrive, and still after the session
        has ended.
        """
        (first, transport), (second, _) = connect(self.factory), connect(self.factory)
        first.dataReceived(b"123")
        second.dataReceived(b"45")
        second._kept -= 1
        self.assertEqual((self.factory.received, self.factory.returned), (5, 1))
        transport.connectionDone()
        self.assertEqual((self.factory.received, self.factory.returned), (5, 1))

    def test_ended(self) -> None:
        """
        A session that has ended is counted by its outcome and its duration, and is passed
        to the listener.
        """
        ended: list[object] = []
        for listener in (None, ended.append):
            self.factory.onEnd = listener
            session, transport = connect(self.factory)
            self.assertEqual(self.factory.ended.sessions, 0 if listener is None else 1)
            session.dataReceived(b"hello")
            self.reactor.advance(2)
            self.assertEqual(session.duration, 2)
            transport.connectionDone()
        self.assertEqual(self.factory.ended.outcomes, {"closed by peer": 2})
        self.assertEqual(self.factory.ended.lengths.sum, 4)
        self.assertEqual(ended, [session])


class TimerTests(SynchronousTestCase):
    """
    The timers of all sessions.
    """

    def test_fewTimers(self) -> None:
        """
        Many sessions set no more timers than a few do, and leave none behind
        when nobody listens any more.
        """

        class Counting(Clock):
            made = 0

            def callLater(self, *arguments: Any, **more: Any) -> Any:
                self.made += 1
                return super().callLater(*arguments, **more)

        for kind in (EchoFactory, GreetingFactory):
            reactor: Any = Counting()
            factory = kind(reactor)
            factory.doStart()
            for _ in range(1000):
                session, transport = connect(factory)
                session.dataReceived(b"a\nb")
                session.close("done")
                session.writeConnectionLost()
                transport.connectionDone()
            # Idle, linger, silence, withheld bytes, and the log's sum of the sessions.
            self.assertLessEqual(reactor.made, 5)
            session, transport = connect(factory)
            factory.doStop()
            self.assertNotEqual(reactor.getDelayedCalls(), [])
            transport.connectionDone()
            self.assertEqual(reactor.getDelayedCalls(), [])


class DrainTests(SynchronousTestCase):
    """
    The end of a service.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.factory = SinkFactory(
            self.reactor, limits=Limits(idleTimeout=0, drainTimeout=DRAIN_TIMEOUT)
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
        A drain cuts the sessions that take longer than its timeout, but not a session
        that has sent everything and only waits for the peer to close.
        """
        (_, waiting), (lingering, left) = [connect(self.factory) for _ in range(2)]
        drained = self.factory.drain()
        self.reactor.advance(DRAIN_TIMEOUT - 1)
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

    def test_late(self) -> None:
        """
        A session that was on its way when the end began is served, and waited
        for like all others.
        """
        _, transport = connect(self.factory)
        drained = self.factory.drain()
        late, lateTransport = connect(self.factory)
        late.dataReceived(b"hello")
        transport.connectionDone()
        self.assertNoResult(drained)
        self.reactor.advance(0)
        self.assertEqual(late.outcome, DRAINED)
        with logged() as lines:
            lateTransport.connectionDone()
        self.successResultOf(drained)
        self.assertEqual(lines[-1], "sink: stopped; sessions finished: 2, cut: 0")

    def test_twice(self) -> None:
        """
        To be told twice is to be told once, and both are told when it is over.
        """
        _, transport = connect(self.factory)
        drains = [self.factory.drain() for _ in range(2)]
        transport.connectionDone()
        drains.append(self.factory.drain())
        for drained in drains:
            self.successResultOf(drained)

    def test_cutTwice(self) -> None:
        """
        However often it is said to end now, what was cut is cut.
        """
        connect(self.factory)
        self.factory.drain()
        with logged() as lines:
            self.factory.abort()
            self.factory.abort()
        self.assertEqual(lines[-1], "sink: stopped; sessions finished: 0, cut: 1")

    def test_again(self) -> None:
        """
        A service that listens again is at no end.
        """
        self.successResultOf(self.factory.drain())
        self.factory.stopFactory()
        self.factory.startFactory()
        session, _ = connect(self.factory)
        self.reactor.advance(1)
        self.assertIsNone(session.outcome)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_over(self) -> None:
        """
        A session that is over already ends as it would have.
        """
        session, _ = connect(self.factory)
        session.close("done")
        self.factory.drain()
        self.assertEqual(session.outcome, "done")
