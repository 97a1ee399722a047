"""
Tests for L{echod.tcp.proxyprotocol}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from socket import socketpair
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, ISystemHandle
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides, noLongerProvides
from zope.interface.verify import verifyObject

from echod.limits.capacity import NO_ROOM, Capacity, Limits
from echod.limits.networks import DENIED, Networks
from echod.limits.ratelimit import RateLimit
from echod.tcp.admission import NO_ROOM_FOR_SOURCE, OVER_CONNECT_RATE
from echod.tcp.echo import EchoFactory
from echod.tcp.factory import SessionFactory
from echod.tcp.greeting import GreetingFactory
from echod.tcp.proxyheader import EXPECTED, MALFORMED
from echod.tcp.proxyprotocol import (
    HEADER_TIMEOUT,
    LATE,
    NOT_A_PROXY,
    ProxyFactory,
    ProxyProtocol,
)
from echod.tcp.session import DRAINED
from tests.support import PEER, UNTIMED, MemoryTCPTransport, clock, lacking, logged
from tests.support.properties import given, st
from tests.support.proxy import INET, INET6, LOCAL, REAL, UNIX, V1, v2

UNKNOWN = b"PROXY UNKNOWN\r\n"

HEADERS: dict[bytes, str] = {
    V1: "198.51.100.7:5000",
    b"PROXY TCP6 2001:db8::7 ::1 5000 80\r\n": "[2001:db8::7]:5000",
    UNKNOWN: "192.0.2.1:40000",
    v2(0x11, INET): "198.51.100.7:5000",
    v2(0x21, INET6): "[2001:db8::7]:5000",
    v2(0x31, UNIX): "unix:/run/client via 192.0.2.1:40000",
    v2(0x00): "192.0.2.1:40000",
    LOCAL: "192.0.2.1:40000",
}
"""
Headers, and the peer that the log shows.
"""

PROXY_NETWORK = [ip_network("192.0.2.0/24")]
PROXIES = Networks(PROXY_NETWORK)
CUSTOMERS = Networks([ip_network("198.51.100.0/24")])

UNNAMED = (UNKNOWN, v2(0x00), v2(0x31, UNIX))
"""
Headers of peers without an internet address.
"""


class ProxyTests(SynchronousTestCase):
    """
    Tests for L{ProxyFactory} and L{ProxyProtocol}.
    """

    def setUp(self) -> None:
        self.reactor = clock()

    def connect(self, wrapped: SessionFactory | None = None) -> tuple[ProxyFactory, Any]:
        """
        @return: A factory with a header in front of an echo or another service, and the
            transport of a new connection.
        """
        wrapped = wrapped or EchoFactory(self.reactor, limits=UNTIMED)
        factory = ProxyFactory(self.reactor, wrapped)
        protocol: Any = factory.buildProtocol(PEER)
        return factory, MemoryTCPTransport(protocol)

    def receive(self, transport: Any, data: bytes) -> None:
        """
        Deliver data as a transport does.
        """
        transport.protocol.dataReceived(data)

    def check(self, header: bytes, *pieces: bytes) -> None:
        """
        Check that the pieces of a header and C{hello} begin a session with the peer that
        the header names.
        """
        factory, transport = self.connect()
        for piece in pieces:
            self.receive(transport, piece)
        self.assertEqual(transport.value(), b"hello", pieces)
        session = transport.protocol
        self.assertEqual(session.peer, HEADERS[header])
        self.assertEqual(session.received, 5)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(factory.waiting, set())

    def test_everySplit(self) -> None:
        """
        A header may arrive in one segment together with data, in any two segments, or
        byte for byte.
        """
        for header in HEADERS:
            stream = header + b"hello"
            self.check(header, stream)
            for cut in range(1, len(stream)):
                self.check(header, stream[:cut], stream[cut:])
            self.check(header, *(stream[i : i + 1] for i in range(len(stream))))

    def test_anySplit(self) -> None:
        """
        A header may arrive in pieces of any size.
        """
        if given is None:
            lacking("hypothesis")

        @given(st.sampled_from(sorted(HEADERS)), st.lists(st.integers(1, 60)))
        def check(header: bytes, sizes: list[int]) -> None:
            rest, pieces = header + b"hello", []
            for size in sizes:
                pieces.append(rest[:size])
                rest = rest[size:]
            self.check(header, *filter(None, [*pieces, rest]))

        check()

    def test_greeting(self) -> None:
        """
        Nothing is sent before the header is complete.  Then the session starts at once, and
        logs and greets the real peer.
        """
        _, transport = self.connect(GreetingFactory(self.reactor, b"Hello {peer}"))
        self.receive(transport, V1[:-1])
        self.assertEqual(transport.value(), b"")
        with logged() as lines:
            self.receive(transport, V1[-1:])
        self.assertEqual(transport.value(), b"Hello 198.51.100.7:5000")
        self.assertEqual(lines, ["TCP greeting: 198.51.100.7:5000 connected"])

    def test_aloneWithItsTransport(self) -> None:
        """
        After the header the session is the transport's protocol, so a half-close and a
        goodbye work as without a proxy.
        """
        _, transport = self.connect()
        self.receive(transport, UNKNOWN + b"bye")
        transport.protocol.readConnectionLost()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(transport.protocol.outcome, "goodbye")
        self.assertTrue(transport.noDelay)

    def refused(self, factory: ProxyFactory, transport: Any, reason: str) -> None:
        """
        Check that the connection is closed and counted, and that the rest of its data is
        ignored.
        """
        self.assertTrue(transport.disconnecting, reason)
        self.assertEqual(factory.refusals.counts, {reason: 1})
        self.assertEqual(factory.waiting, set())
        factory.refusals.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.receive(transport, UNKNOWN + b"hello")
        self.assertIsInstance(transport.protocol, ProxyProtocol)
        self.assertEqual(transport.value(), b"")
        transport.connectionDone()

    def test_bad(self) -> None:
        """
        A connection whose first bytes are not a header, or a malformed one, is closed at
        once, and logged with its own address and the reason.
        """
        for data, reason in (
            (b"GET / HTTP/1.1\r\n\r\n", EXPECTED),
            (b"G", EXPECTED),
            (V1.replace(b" 80", b" 080"), MALFORMED),
            (v2(0x11, INET[:-1]), MALFORMED),
        ):
            factory, transport = self.connect()
            with logged() as lines:
                self.receive(transport, data)
            self.refused(factory, transport, reason)
            self.assertEqual(lines, [f"TCP echo: refused 192.0.2.1:40000: {reason}"])

    def test_late(self) -> None:
        """
        A connection whose header does not arrive in time is closed.
        """
        for data in (b"", b"PROXY"):
            factory, transport = self.connect()
            self.reactor.advance(HEADER_TIMEOUT / 2)
            if data:
                self.receive(transport, data)
            self.reactor.advance(HEADER_TIMEOUT / 2)
            self.refused(factory, transport, LATE)

    def test_halfClosedBefore(self) -> None:
        """
        A peer that ends its stream before the end of the header is refused.
        """
        factory, transport = self.connect()
        self.receive(transport, UNKNOWN[:-1])
        transport.protocol.readConnectionLost()
        self.refused(factory, transport, EXPECTED)

    def test_lostBefore(self) -> None:
        """
        A connection that is lost before its header is complete is neither logged nor
        counted.
        """
        factory, transport = self.connect()
        with logged() as lines:
            transport.connectionDone()
        self.assertEqual((lines, factory.refusals.counts, factory.waiting), ([], {}, set()))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_refusedByFactory(self) -> None:
        """
        When the factory refuses the peer that the header names, the connection is closed.
        """
        asked = []

        class Refusing(EchoFactory):
            def buildProtocol(self, addr: Any) -> None:
                asked.append(addr)

        _, transport = self.connect(Refusing(self.reactor))
        self.receive(transport, V1 + b"hello")
        self.assertEqual(asked, [REAL])
        self.assertTrue(transport.disconnecting)
        self.assertEqual(transport.value(), b"")

    def test_capacity(self) -> None:
        """
        A connection takes room from its start to its end.
        """
        limits = Limits(Capacity(1), idleTimeout=0)
        wrapped = EchoFactory(self.reactor, limits=limits)
        factory, transport = self.connect(wrapped)
        self.assertIsNone(factory.buildProtocol(PEER))
        self.receive(transport, UNKNOWN)
        self.assertIsNone(factory.buildProtocol(PEER))
        self.assertEqual(wrapped.refusals.counts, {NO_ROOM: 2})
        transport.connectionDone()
        self.assertEqual(limits.capacity.taken, 0)
        self.assertIsInstance(factory.buildProtocol(PEER), ProxyProtocol)

    def test_overTLS(self) -> None:
        """
        The refusals are those of the service behind, also with TLS between the two.  A
        factory of another kind gets its own.
        """
        wrapped = EchoFactory(self.reactor)
        layers: list[Any] = [wrapped, WrappingFactory(wrapped)]
        for between in layers:
            factory = ProxyFactory(self.reactor, between)
            self.assertIs(factory.refusals, wrapped.refusals)
            self.assertIs(factory.capacity, wrapped.limits.capacity)
        self.assertFalse(ProxyFactory(self.reactor, Factory()).capacity.full)

    @contextmanager
    def unread(self, transport: Any, data: bytes) -> Iterator[None]:
        """
        Give a transport a socket on which bytes wait.
        """
        near, far = socketpair()
        with near, far:
            far.sendall(data)
            alsoProvides(transport, ISystemHandle)
            transport.getHandle = lambda: near
            yield
            del transport.getHandle
            noLongerProvides(transport, ISystemHandle)

    def test_drain(self) -> None:
        """
        When the service stops, a connection with unread bytes is served to its end; other
        waiting connections are closed.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        factory, transport = self.connect(served)
        other = MemoryTCPTransport(factory.buildProtocol(PEER))
        with self.unread(transport, UNKNOWN + b"hello"):
            drained = served.drain()
        self.assertEqual((transport.disconnecting, other.disconnecting), (False, True))
        self.assertNoResult(drained)
        self.receive(transport, UNKNOWN + b"hello")
        self.reactor.advance(0)
        self.reactor.advance(0)
        self.assertEqual((transport.value(), transport.protocol.outcome), (b"hello", DRAINED))
        self.assertNoResult(drained)
        transport.connectionDone()
        self.successResultOf(drained)

    def test_lostWhileDraining(self) -> None:
        """
        A stop is over when the last connection is lost in the middle of its header.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        _, transport = self.connect(served)
        with self.unread(transport, UNKNOWN[:5]):
            drained = served.drain()
        self.assertNoResult(drained)
        transport.connectionDone()
        self.successResultOf(drained)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_refusedWhileDraining(self) -> None:
        """
        A stop is over when the last connection turns out to have no header.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        _, transport = self.connect(served)
        with self.unread(transport, b"hello"):
            drained = served.drain()
        self.receive(transport, b"hello")
        self.assertTrue(transport.disconnecting)
        self.successResultOf(drained)

    def test_abort(self) -> None:
        """
        When the service ends at once, waiting connections are closed.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        _, transport = self.connect(served)
        served.abort()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(served.waiting, set())

    def test_stop(self) -> None:
        """
        When the last port has stopped listening, connections that have sent nothing are
        closed.  The factory behind is started and stopped as well.
        """
        factory, transport = self.connect()
        factory.doStart()
        self.assertEqual(factory.wrapped.numPorts, 1)
        factory.doStop()
        self.assertEqual(factory.wrapped.numPorts, 0)
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_interface(self) -> None:
        """
        A connection that waits for its header supports half-closes.
        """
        protocol = ProxyProtocol()
        self.assertTrue(verifyObject(IHalfCloseableProtocol, protocol))
        protocol.writeConnectionLost()


class ProxyLimitsTests(SynchronousTestCase):
    """
    Networks and limits for each source, behind a proxy at L{PEER}'s address.
    """

    def connect(
        self,
        served: EchoFactory,
        header: bytes,
        proxies: Networks | None,
        peer: IAddress = PEER,
    ) -> str | None:
        """
        Connect, and send a header and C{hello}.

        @return: The reason of the refusal; L{None} if the session is served.
        """
        factory = ProxyFactory(served.reactor, served, proxies)
        before = served.refusals.counts.copy()
        protocol: Any = factory.buildProtocol(peer)
        if protocol is not None:
            transport: Any = MemoryTCPTransport(protocol, peer)
            protocol.dataReceived(header + b"hello")
            if transport.value() == b"hello":
                return None
            self.assertTrue(transport.disconnecting)
        (reason,) = served.refusals.counts - before
        return reason

    def outcomes(
        self, limits: Limits, proxies: Networks | None, headers: Iterable[bytes], times: int = 1
    ) -> list[str | None]:
        """
        @return: The reason of the last refusal of a number of connections with the same
            header, for each header.
        """
        results = []
        for header in headers:
            served = EchoFactory(clock(), limits=limits)
            for _ in range(times):
                result = self.connect(served, header, proxies)
            results.append(result)
        return results

    def test_proxies(self) -> None:
        """
        Only known proxies may send headers: others are refused at once.  IPv4-mapped
        addresses are IPv4.  A UNIX socket's peer has no address, and may.
        """
        served = EchoFactory(clock(), limits=UNTIMED)
        proxies = Networks([ip_network("192.0.2.0/24")])
        for host, reason in (
            ("192.0.2.1", None),
            ("::ffff:192.0.2.1", None),
            ("198.51.100.7", NOT_A_PROXY),
            ("2001:db8::1", NOT_A_PROXY),
        ):
            peer = (IPv6Address if ":" in host else IPv4Address)("TCP", host, 40000)
            self.assertEqual(self.connect(served, V1, proxies, peer), reason)
        self.assertIsNone(self.connect(served, V1, proxies, UNIXAddress(None)))

    def test_refusedFirst(self) -> None:
        """
        An unknown proxy is refused for that also when there is no room.
        """
        served = EchoFactory(clock(), limits=Limits(Capacity(1), idleTimeout=0))
        self.assertIsNone(self.connect(served, V1, None))
        self.assertEqual(self.connect(served, V1, CUSTOMERS), NOT_A_PROXY)
        self.assertEqual(self.connect(served, V1, None), NO_ROOM)

    def test_allowed(self) -> None:
        """
        Allowed networks apply to the address in the header, and to the proxy's where the
        header names none: no header gets around them.
        """
        limits = Limits(idleTimeout=0, networks=CUSTOMERS)
        for proxies in (None, PROXIES):
            self.assertEqual(self.outcomes(limits, proxies, [V1]), [None])
            refused = (*UNNAMED, v2(0x21, INET6))
            self.assertEqual(self.outcomes(limits, proxies, refused), [DENIED] * len(refused))

    def test_denied(self) -> None:
        """
        Denied networks apply in the same way.
        """
        limits = Limits(idleTimeout=0, networks=Networks(denied=PROXY_NETWORK))
        for proxies in (None, PROXIES):
            self.assertEqual(self.outcomes(limits, proxies, [V1]), [None])
            self.assertEqual(self.outcomes(limits, proxies, UNNAMED), [DENIED] * len(UNNAMED))

    def test_maxPerSource(self) -> None:
        """
        The limit for each source applies to the address in the header, and to the proxy's
        where the header names none.
        """
        limits = Limits(idleTimeout=0, maxPerSource=1)
        for proxies in (None, PROXIES):
            headers = (V1, *UNNAMED)
            self.assertEqual(
                self.outcomes(limits, proxies, headers, 2), [NO_ROOM_FOR_SOURCE] * len(headers)
            )

    def test_connectRate(self) -> None:
        """
        The limit for new connections applies to the address in the header, and to the
        proxy's where the header names none.
        """
        for proxies in (None, PROXIES):
            for header in (V1, *UNNAMED):
                limits = Limits(idleTimeout=0, connectRate=RateLimit(1))
                self.assertEqual(
                    self.outcomes(limits, proxies, [header], 2), [OVER_CONNECT_RATE]
                )

    def test_checks(self) -> None:
        """
        A known proxy's own connections need no permission and have no limit for their
        source.  Unknown proxies cannot use this to get in.
        """
        limits = Limits(
            idleTimeout=0, maxPerSource=1, connectRate=RateLimit(1), networks=CUSTOMERS
        )
        checks = (LOCAL, b"PROXY TCP4 192.0.2.1 192.0.2.9 40000 80\r\n")
        self.assertEqual(self.outcomes(limits, PROXIES, checks, 2), [None, None])
        self.assertEqual(self.outcomes(limits, None, checks), [DENIED, DENIED])
