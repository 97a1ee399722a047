"""
Tests for L{echod.tcp.proxyprotocol}.
"""

from __future__ import annotations

import struct
from socket import socketpair
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IHalfCloseableProtocol, ISystemHandle
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides, noLongerProvides
from zope.interface.verify import verifyObject

from echod.limits.capacity import NO_ROOM, Capacity, Limits
from echod.tcp.echo import EchoFactory
from echod.tcp.factory import SessionFactory
from echod.tcp.greeting import GREETING, GreetingFactory
from echod.tcp.proxyprotocol import (
    HEADER_TIMEOUT,
    LATE,
    MALFORMED,
    MISSING,
    V1_LIMIT,
    V2_LIMIT,
    ProxyFactory,
    ProxyProtocol,
    headerSize,
    sourceAddress,
)
from echod.tcp.session import DRAINED
from tests.support import PEER, UNTIMED, MemoryTCPTransport, clock, lacking, logged

try:
    from hypothesis import given
    from hypothesis import strategies as st
except ImportError:
    given = None  # type: ignore[assignment]

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

REAL = IPv4Address("TCP", "198.51.100.7", 5000)
REAL6 = IPv6Address("TCP", "2001:db8::7", 5000)


def v2(kind: int, addresses: bytes = b"", command: int = 0x21) -> bytes:
    """
    @return: A header of version 2.

    @param kind: The byte for family and protocol.
    """
    return SIGNATURE + struct.pack("!BBH", command, kind, len(addresses)) + addresses


INET = struct.pack("!4s4sHH", bytes([198, 51, 100, 7]), bytes([127, 0, 0, 1]), 5000, 80)
INET6 = struct.pack(
    "!16s16sHH", bytes.fromhex("20010db8" + "00" * 11 + "07"), bytes(15) + b"\1", 5000, 80
)
UNIX = struct.pack("!108s108s", b"/run/client", b"/run/server")
EXTENSION = b"\x04\0\3abc"

HEADERS: dict[bytes, Any] = {
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80\r\n": REAL,
    b"PROXY TCP6 2001:db8:0::7 ::1 5000 80\r\n": REAL6,
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN who knows \xff\r\n": None,
    v2(0x11, INET): REAL,
    v2(0x12, INET): REAL,
    v2(0x11, INET + EXTENSION): REAL,
    v2(0x21, INET6): REAL6,
    v2(0x21, INET6 + EXTENSION): REAL6,
    v2(0x31, UNIX): UNIXAddress("/run/client"),
    v2(0x31, bytes(216)): UNIXAddress(b""),
    v2(0x00): None,
    v2(0x00, b"of some family"): None,
    v2(0x10, INET): None,
    v2(0x00, command=0x20): None,
    v2(0x11, INET, command=0x20): None,
}
"""
Headers, and whom they name.
"""

BAD = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"PROXY\r\n\r\n",
    b"proxy TCP4 198.51.100.7 127.0.0.1 5000 80\r\n",
    b"PROXY \r\n",
    b"PROXY UNKNOWNS\r\n",
    b"PROXY TCP5 198.51.100.7 127.0.0.1 5000 80\r\n",
    b"PROXY TCP4\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80 more\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 65536\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 +5000 80\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 \r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5_0 80\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 \xb2\r\n",
    b"PROXY TCP4 198.51.100.700 127.0.0.1 5000 80\r\n",
    b"PROXY TCP4 198.51.100.7 localhost 5000 80\r\n",
    b"PROXY TCP4 198.51.100.7\xff 127.0.0.1 5000 80\r\n",
    b"PROXY TCP4 ::1 ::1 5000 80\r\n",
    b"PROXY TCP6 198.51.100.7 127.0.0.1 5000 80\r\n",
    b"PROXY TCP6 fe80::1%\x1b[2J ::1 5000 80\r\n",
    b"PROXY UNKNOWN " + b"x" * (V1_LIMIT - 15) + b"\r\n",
    b"PROXY TCP4 " + b"1" * V1_LIMIT,
    b"\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    v2(0x11, INET, command=0x11),
    v2(0x11, INET, command=0x22),
    v2(0x41, INET),
    v2(0x13, INET),
    v2(0x11, INET[:-1]),
    v2(0x21, INET6[:-1]),
    v2(0x31, UNIX[:-1]),
    v2(0x11, INET + bytes(V2_LIMIT))[:16],
)
"""
What is no header.
"""


class HeaderTests(SynchronousTestCase):
    """
    Tests for L{headerSize} and L{sourceAddress}.
    """

    def test_headers(self) -> None:
        """
        A header ends where it ends, whatever follows; and names its source, or
        nobody.
        """
        for header, source in HEADERS.items():
            self.assertEqual(headerSize(header), len(header), header)
            self.assertEqual(headerSize(header + b"\r\nhello"), len(header), header)
            self.assertEqual(sourceAddress(header), source, header)

    def test_incomplete(self) -> None:
        """
        Of no beginning of a header is the size told.
        """
        for header in HEADERS:
            for end in range(1, len(header)):
                self.assertIsNone(headerSize(header[:end]), header[:end])

    def test_bad(self) -> None:
        """
        What is no header, or one that is too long, is a C{ValueError}.
        """

        def read(data: bytes) -> None:
            size = headerSize(data)
            assert size is not None
            sourceAddress(data[:size])

        for data in BAD:
            self.assertRaises(ValueError, read, data)

    def test_longest(self) -> None:
        """
        The longest header of either version is one still.
        """
        for header in (
            b"PROXY UNKNOWN " + b"x" * (V1_LIMIT - 16) + b"\r\n",
            v2(0x11, INET + bytes(V2_LIMIT - 16 - len(INET))),
        ):
            self.assertIn(len(header), (V1_LIMIT, V2_LIMIT))
            self.assertEqual(headerSize(header), len(header))

    def test_anything(self) -> None:
        """
        Whatever is made of the signatures and any bytes is a header or a
        C{ValueError}.
        """
        if given is None:
            lacking("hypothesis")

        @given(
            st.one_of(
                st.builds(bytes.__add__, st.just(b"PROXY "), st.binary()),
                st.builds(
                    lambda words: b"PROXY " + b" ".join(words) + b"\r\n",
                    st.lists(
                        st.sampled_from([b"TCP4", b"TCP6", b"::1", b"1.2.3.4", b"80", b""])
                    ),
                ),
                st.builds(v2, st.integers(0, 255), st.binary(), st.integers(0, 255)),
                st.binary(min_size=1),
            )
        )
        def check(data: bytes) -> None:
            try:
                size = headerSize(data)
                if size is not None:
                    sourceAddress(data[:size])
            except ValueError:
                pass

        check()


class ProxyTests(SynchronousTestCase):
    """
    Tests for L{ProxyFactory} and L{ProxyProtocol}.
    """

    def setUp(self) -> None:
        self.reactor = clock()

    def connect(self, wrapped: SessionFactory | None = None) -> tuple[ProxyFactory, Any]:
        """
        @return: A factory with a header in front of an echo or another service,
            and the transport of a new connection.
        """
        factory = ProxyFactory(
            self.reactor, wrapped or EchoFactory(self.reactor, limits=UNTIMED)
        )
        protocol: Any = factory.buildProtocol(PEER)
        return factory, MemoryTCPTransport(protocol)

    def receive(self, transport: Any, data: bytes) -> None:
        """
        Deliver data as a transport does.
        """
        transport.protocol.dataReceived(data)

    def check(self, header: bytes, *pieces: bytes) -> None:
        """
        The pieces, a header and C{hello}, are the beginning of a session with
        the one whom the header names.
        """
        factory, transport = self.connect()
        for piece in pieces:
            self.receive(transport, piece)
        self.assertEqual(transport.value(), b"hello", pieces)
        session = transport.protocol
        self.assertEqual(session.address, HEADERS[header] or PEER)
        self.assertEqual(session.received, 5)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(factory.waiting, set())

    def test_everySplit(self) -> None:
        """
        A header may come in one segment with what follows, or in any two, or
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
        Or in any pieces at all.
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
        Nothing is said before the header is there; then the session starts at
        once, and what it logs is the name of the real peer.
        """
        _, transport = self.connect(GreetingFactory(self.reactor))
        header = b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80\r\n"
        self.receive(transport, header[:-1])
        self.assertEqual(transport.value(), b"")
        with logged() as lines:
            self.receive(transport, header[-1:])
        self.assertEqual(transport.value(), GREETING)
        self.assertEqual(lines, ["TCP greeting: 198.51.100.7:5000 connected"])

    def test_aloneWithItsTransport(self) -> None:
        """
        From the header on the session is the transport's protocol, so that a
        half-close and a goodbye are what they are without a proxy.
        """
        _, transport = self.connect()
        self.receive(transport, b"PROXY UNKNOWN\r\nbye")
        transport.protocol.readConnectionLost()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(transport.protocol.outcome, "goodbye")
        self.assertTrue(transport.noDelay)

    def refused(self, factory: ProxyFactory, transport: Any, reason: str) -> None:
        """
        The connection is closed, and counted, and nothing more is taken from it.
        """
        self.assertTrue(transport.disconnecting, reason)
        self.assertEqual(factory.refusals.counts, {reason: 1})
        self.assertEqual(factory.waiting, set())
        factory.refusals.stop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.receive(transport, b"PROXY UNKNOWN\r\nhello")
        self.assertIsInstance(transport.protocol, ProxyProtocol)
        self.assertEqual(transport.value(), b"")
        transport.connectionDone()

    def test_malformed(self) -> None:
        """
        A connection that starts with anything but a header is closed, with the
        first byte that shows it, and logged with its own address.
        """
        for data in BAD:
            factory, transport = self.connect()
            with logged() as lines:
                self.receive(transport, data)
            self.refused(factory, transport, MALFORMED)
            self.assertEqual(lines, [f"TCP echo: refused 192.0.2.1:40000: {MALFORMED}"])
        factory, transport = self.connect()
        self.receive(transport, b"G")
        self.refused(factory, transport, MALFORMED)

    def test_late(self) -> None:
        """
        A connection whose header does not come in time is closed.
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
        self.receive(transport, b"PROXY UNKNOWN\r")
        transport.protocol.readConnectionLost()
        self.refused(factory, transport, MISSING)

    def test_lostBefore(self) -> None:
        """
        One that just goes away is no concern of anybody.
        """
        factory, transport = self.connect()
        with logged() as lines:
            transport.connectionDone()
        self.assertEqual((lines, factory.refusals.counts, factory.waiting), ([], {}, set()))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_refusedByFactory(self) -> None:
        """
        When the factory does not want the peer whom the header names, the
        connection is closed.
        """
        asked = []

        class Refusing(EchoFactory):
            def buildProtocol(self, addr: Any) -> None:
                asked.append(addr)

        _, transport = self.connect(Refusing(self.reactor))
        self.receive(transport, b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80\r\nhello")
        self.assertEqual(asked, [REAL])
        self.assertTrue(transport.disconnecting)
        self.assertEqual(transport.value(), b"")

    def test_capacity(self) -> None:
        """
        A connection takes room from the start, and until it ends.
        """
        limits = Limits(Capacity(1), idleTimeout=0)
        wrapped = EchoFactory(self.reactor, limits=limits)
        factory, transport = self.connect(wrapped)
        self.assertIsNone(factory.buildProtocol(PEER))
        self.receive(transport, b"PROXY UNKNOWN\r\n")
        self.assertIsNone(factory.buildProtocol(PEER))
        self.assertEqual(wrapped.refusals.counts, {NO_ROOM: 2})
        transport.connectionDone()
        self.assertEqual(limits.capacity.taken, 0)
        self.assertIsInstance(factory.buildProtocol(PEER), ProxyProtocol)

    def test_overTLS(self) -> None:
        """
        What is refused is counted with what the service behind refuses, also
        with TLS between the two; any other factory has none of it.
        """
        wrapped = EchoFactory(self.reactor)
        layers: list[Any] = [wrapped, WrappingFactory(wrapped)]
        for between in layers:
            factory = ProxyFactory(self.reactor, between)
            self.assertIs(factory.refusals, wrapped.refusals)
            self.assertIs(factory.capacity, wrapped.limits.capacity)
        self.assertFalse(ProxyFactory(self.reactor, Factory()).capacity.full)

    def test_drain(self) -> None:
        """
        When the service is told to end, a connection of which something has come
        is waited for, and served to its end; others are closed.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        factory, transport = self.connect(served)
        other = MemoryTCPTransport(factory.buildProtocol(PEER))
        near, far = socketpair()
        with near, far:
            far.sendall(b"PROXY UNKNOWN\r\nhello")
            alsoProvides(transport, ISystemHandle)
            transport.getHandle = lambda: near
            drained = served.drain()
            self.assertEqual((transport.disconnecting, other.disconnecting), (False, True))
            self.assertNoResult(drained)
            self.receive(transport, near.recv(100))
        del transport.getHandle
        noLongerProvides(transport, ISystemHandle)
        self.reactor.advance(0)
        self.reactor.advance(0)
        self.assertEqual((transport.value(), transport.protocol.outcome), (b"hello", DRAINED))
        self.assertNoResult(drained)
        transport.connectionDone()
        self.successResultOf(drained)

    def test_cut(self) -> None:
        """
        When it is to end now, nobody is waited for.
        """
        served = EchoFactory(self.reactor, limits=UNTIMED)
        _, transport = self.connect(served)
        served.abort()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(served.waiting, set())

    def test_stop(self) -> None:
        """
        When its last port has stopped to listen, connections of which nothing is
        known are closed; the factory behind is started and stopped as well.
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
        A connection that waits for its header hears of half-closes.
        """
        protocol = ProxyProtocol()
        self.assertTrue(verifyObject(IHalfCloseableProtocol, protocol))
        protocol.writeConnectionLost()
