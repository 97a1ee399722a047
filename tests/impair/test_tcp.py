"""
Tests for L{echod.impair.tcp} and L{echod.impair.connection}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IPushProducer,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.testing import AccumulatingProtocol
from twisted.test.iosim import connectedServerAndClient
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from echod.impair.connection import CLOSED, RESET, ROOM
from echod.impair.spec import ConnectionImpairments
from echod.impair.stream import MESSAGE, OVERHEAD, PIECE_GAP
from echod.impair.tcp import REFUSED, ImpairedEchoFactory, ImpairedGreetingFactory
from echod.limits.capacity import NO_ROOM, Capacity, Limits
from echod.tcp.closing import CUT, IDLE
from echod.tcp.goodbyeecho import GOODBYE
from echod.tcp.greeting import GREETED, GREETING
from echod.tcp.session import DRAINED
from tests.support import (
    PEER,
    UNTIMED,
    MemoryTCPTransport,
    MemoryTLSTransport,
    MemoryTransport,
    clock,
    logged,
    turn,
)


class Wire(MemoryTCPTransport):
    """
    A transport that records each write.
    """

    def __init__(self, protocol: Any) -> None:
        self.pieces: list[bytes] = []
        super().__init__(protocol)

    def write(self, data: bytes) -> None:
        """
        Record the data.
        """
        self.pieces.append(data)
        super().write(data)


class ImpairedTests(SynchronousTestCase):
    """
    A factory, and connections to it.
    """

    limits = UNTIMED

    def listen(self, specification: str, goodbye: bool = True) -> ImpairedEchoFactory:
        """
        @return: A factory that listens.
        """
        self.clock = clock()
        self.factory = ImpairedEchoFactory(
            self.clock,
            goodbye=goodbye,
            limits=self.limits,
            impairments=ConnectionImpairments.parse(specification),
        )
        self.factory.doStart()
        return self.factory

    def connect(self, specification: str = "", wire: type[MemoryTransport] = Wire) -> Any:
        """
        @return: The transport of a new connection.
        """
        if specification:
            self.listen(specification)
        protocol: Any = self.factory.buildProtocol(PEER)
        self.connection = protocol
        self.session = protocol.wrappedProtocol
        return wire(protocol)

    def echo(self, data: bytes, wire: Any, seconds: float = 1.0) -> list[bytes]:
        """
        @return: The data that is returned, one element for each write.
        """
        before = len(wire.pieces)
        wire.protocol.dataReceived(data)
        self.clock.pump([0.0, *[seconds / 1000] * 1000])
        return wire.pieces[before:]  # type: ignore[no-any-return]


class DelayTests(ImpairedTests):
    """
    Tests for delays.
    """

    def test_delay(self) -> None:
        """
        With a delay, all bytes come back late, in order.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"one")
        self.clock.advance(0.03)
        wire.protocol.dataReceived(b"two")
        self.clock.advance(0.01)
        self.assertEqual(wire.pieces, [])
        self.clock.advance(0.01)
        self.assertEqual(wire.pieces, [b"one"])
        self.clock.advance(0.03)
        self.assertEqual(wire.pieces, [b"one", b"two"])
        self.assertEqual(self.factory.impaired, {"delay": 2})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_goodbye(self) -> None:
        """
        A goodbye closes the connection when all bytes before it are returned.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"all of it\nbye\n")
        self.assertFalse(wire.writeClosed)
        self.clock.advance(0.05)
        self.assertEqual((wire.value(), wire.writeClosed), (b"all of it\n", True))
        self.assertIsNone(wire.producer)
        self.assertEqual(self.session.outcome, GOODBYE)
        wire.protocol.writeConnectionLost()
        wire.protocol.readConnectionLost()
        self.assertTrue(wire.disconnecting)

    def test_halfClose(self) -> None:
        """
        A peer that shuts down its sending side still receives all delayed bytes.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"all of it")
        wire.protocol.readConnectionLost()
        self.assertFalse(wire.disconnecting)
        self.clock.advance(0.05)
        self.assertEqual((wire.value(), wire.disconnecting), (b"all of it", True))
        self.assertIsNone(wire.producer)

    def test_drain(self) -> None:
        """
        A stop lets the delayed bytes go back.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"all of it")
        drained = self.factory.drain()
        self.clock.pump([0.01] * 6)
        self.assertEqual((wire.value(), wire.writeClosed), (b"all of it", True))
        self.assertEqual(self.session.outcome, DRAINED)
        wire.connectionDone()
        self.successResultOf(drained)

    def test_cut(self) -> None:
        """
        A session that still delays bytes when the drain timeout is over is cut, and leaves no
        timer.
        """
        wire = self.connect("delay=2min")
        wire.protocol.dataReceived(b"all of it")
        drained = self.factory.drain()
        self.clock.pump([1] * 6)
        self.successResultOf(drained)
        self.assertEqual((self.session.outcome, wire.aborted), (CUT, True))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """
        Bytes that wait when the connection is lost are lost.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"x")
        wire.connectionDone()
        self.assertEqual((self.session.received, self.session.returned), (1, 0))
        self.assertEqual((wire.pieces, self.clock.getDelayedCalls()), ([], []))
        self.assertFalse(self.factory.sessions)

    def test_lostHalfway(self) -> None:
        """
        Bytes that were sent before the connection is lost count as returned.
        """
        wire = self.connect("pieces=1")
        wire.protocol.dataReceived(b"abc")
        turn(self.clock)
        wire.connectionDone()
        self.assertEqual((self.session.received, self.session.returned), (3, 1))

    def test_writes(self) -> None:
        """
        Several parts of one write are sent as one.  Empty writes, and writes after the end,
        are not delayed.
        """
        wire = self.connect("delay=50ms")
        self.connection.writeSequence([b"a", b"b"])
        self.clock.advance(0.05)
        self.assertEqual(wire.pieces, [b"ab"])
        self.connection.write(b"")
        self.connection.loseConnection()
        self.connection.write(b"x")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(wire.disconnecting)


class BackpressureTests(ImpairedTests):
    """
    Tests for the limit of the memory of a connection.
    """

    def test_full(self) -> None:
        """
        While too many bytes wait, the server does not read; it reads again when half
        of the room is free.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"x" * (ROOM - OVERHEAD))
        self.assertEqual(wire.producerState, "producing")
        wire.protocol.dataReceived(b"y" * (ROOM * 3 // 5))
        wire.protocol.dataReceived(b"z")
        self.assertEqual(wire.producerState, "paused")
        self.clock.rightNow += 0.05
        turn(self.clock)
        self.assertEqual(wire.producerState, "paused")
        turn(self.clock)
        self.assertEqual(wire.producerState, "producing")
        self.clock.advance(0)
        self.assertEqual(len(wire.value()), ROOM - OVERHEAD + ROOM * 3 // 5 + 1)

    def test_peerThatDoesNotRead(self) -> None:
        """
        While the peer does not read, nothing is written.
        """
        wire = self.connect("pieces=1")
        wire.protocol.dataReceived(b"ab")
        wire.producer.pauseProducing()
        self.clock.pump([1.0] * 2)
        self.assertEqual(wire.pieces, [b"a"])
        wire.producer.resumeProducing()
        self.clock.advance(0)
        self.assertEqual(wire.pieces, [b"a", b"b"])
        wire.producer.stopProducing()
        self.assertTrue(verifyObject(IPushProducer, wire.producer))

    def test_endWhileFull(self) -> None:
        """
        A peer that shuts down its sending side while the room is full receives everything.
        """
        wire = self.connect("delay=50ms")
        wire.protocol.dataReceived(b"x" * ROOM)
        wire.protocol.readConnectionLost()
        self.clock.advance(0.05)
        self.assertEqual((len(wire.value()), wire.disconnecting), (ROOM, True))


class PiecesTests(ImpairedTests):
    """
    Tests for pieces and for rates.
    """

    def test_pieces(self) -> None:
        """
        All bytes come back, in pieces of the given sizes.
        """
        wire = self.connect("pieces=1-7,seed=7")
        message = bytes(range(200)) * 5
        pieces = self.echo(message, wire)
        self.assertEqual(b"".join(pieces), message)
        self.assertEqual({len(piece) for piece in pieces[:-1]}, set(range(1, 8)))
        self.assertEqual(self.factory.impaired, {"pieces": len(pieces)})

    def test_apart(self) -> None:
        """
        There is a gap between the pieces of a message, so that its reader reads each alone.
        """
        wire = self.connect("pieces=1")
        wire.protocol.dataReceived(b"abc")
        for time in range(3):
            self.assertEqual(len(wire.pieces), time)
            self.clock.advance(PIECE_GAP)

    def test_stream(self) -> None:
        """
        A long stream sends one piece in each turn of the reactor.
        """
        wire = self.connect("pieces=1000")
        wire.protocol.dataReceived(b"x" * (4000 + MESSAGE))
        for time in range(4):
            self.assertEqual(len(wire.pieces), time)
            turn(self.clock)
        self.assertEqual(len(wire.pieces), 4)
        turn(self.clock)
        self.assertEqual(len(wire.pieces), 4)

    def test_seed(self) -> None:
        """
        The same seed gives each connection the same pieces again; another seed does not, and
        another connection has other pieces.
        """

        def conversation(seed: int) -> list[list[bytes]]:
            self.listen(f"pieces=1-7,seed={seed}")
            return [self.echo(b"x" * 200, self.connect()) for _ in range(2)]

        first, second = conversation(7)
        self.assertEqual([first, second], conversation(7))
        self.assertNotEqual(first, second)
        self.assertNotEqual([first, second], conversation(8))

    def test_rate(self) -> None:
        """
        The bytes come back evenly, as many a second as the rate says, also in pieces and with
        timers that are a little late.
        """
        for specification, interval, number, expected, tolerance in (
            ("rate=1kB/s", 0.01, 50, 500, 20),
            ("rate=1kB/s", 0.015, 60, 900, 20),
            ("rate=100B/s,pieces=1-7", 0.01, 50, 50, 7),
        ):
            wire = self.connect(specification)
            wire.protocol.dataReceived(b"x" * 1000)
            self.clock.pump([interval] * number)
            self.assertApproximates(len(wire.value()), expected, tolerance)
            self.clock.pump([interval] * 1000)
            self.assertEqual(len(wire.value()), 1000)
        self.connect("rate=1kB/s").protocol.dataReceived(b"x" * 1000)
        self.clock.pump([0.01] * 110)
        self.assertEqual(self.factory.impaired, {"rate": 100})

    def test_slowRate(self) -> None:
        """
        A rate of less than one byte in each tick is exact, too.
        """
        wire = self.connect("rate=1B/s")
        wire.protocol.dataReceived(b"abc")
        turn(self.clock)
        for _ in range(15):
            self.clock.rightNow += 0.1
            turn(self.clock)
        self.assertEqual(wire.value(), b"ab")


class EndTests(ImpairedTests):
    """
    Tests for the ends of connections.
    """

    def test_close(self) -> None:
        """
        close-after closes the connection after its number of bytes, without losing them.
        """
        wire = self.connect("close-after=5B")
        wire.protocol.dataReceived(b"abc")
        wire.protocol.dataReceived(b"defgh")
        wire.protocol.dataReceived(b"i")
        self.clock.pump([0.0] * 5)
        self.assertEqual((wire.value(), wire.writeClosed), (b"abcde", True))
        self.assertEqual(self.session.outcome, CLOSED)
        self.assertEqual(self.factory.impaired, {"close-after": 1})
        wire.connectionDone()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closeAfterEnd(self) -> None:
        """
        close-after also limits a connection that is closing already.
        """
        wire = self.connect("close-after=5B")
        wire.protocol.dataReceived(b"abcdefgh")
        wire.protocol.readConnectionLost()
        self.clock.pump([0.0] * 5)
        self.assertEqual((wire.value(), wire.disconnecting), (b"abcde", True))

    def test_reset(self) -> None:
        """
        reset-after resets the connection when its number of bytes is sent.
        """
        wire = self.connect("reset-after=5B,pieces=5")
        wire.protocol.dataReceived(b"abcdefgh")
        for _ in range(2):
            turn(self.clock)
            self.assertEqual((wire.value(), wire.aborted), (b"abcde", False))
        turn(self.clock)
        self.assertTrue(wire.aborted)
        self.assertEqual(self.session.outcome, RESET)
        self.assertEqual(self.factory.impaired, {"pieces": 1, "reset-after": 1})
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stall(self) -> None:
        """
        stall-after sends nothing after its number of bytes, and keeps the connection open.
        """
        with logged() as lines:
            wire = self.connect("stall-after=5B")
            self.assertEqual(self.echo(b"abcdefgh", wire), [b"abcde"])
        self.assertEqual(lines[-1], "TCP echo: 192.0.2.1:40000 is stalled on purpose")
        wire.protocol.dataReceived(b"x")
        wire.protocol.readConnectionLost()
        self.clock.advance(100)
        self.assertEqual((wire.value(), wire.disconnecting), (b"abcde", False))
        self.assertEqual(self.factory.impaired, {"stall-after": 1})

    def test_stallWithNothingLeft(self) -> None:
        """
        A stalled connection stays open even if there is nothing more to return.
        """
        wire = self.connect("stall-after=3B")
        self.assertEqual(self.echo(b"abc", wire), [b"abc"])
        wire.protocol.readConnectionLost()
        self.assertFalse(wire.disconnecting)

    def test_atOnce(self) -> None:
        """
        A connection that ends after 0 bytes ends at once.
        """
        for end, outcome in (
            ("close-after", (True, False)),
            ("reset-after", (False, True)),
            ("stall-after", (False, False)),
        ):
            wire = self.connect(f"{end}=0")
            self.assertEqual(self.echo(b"abc", wire), [])
            self.assertEqual((wire.writeClosed, wire.aborted), outcome)

    def test_cutStalled(self) -> None:
        """
        A stop cuts a stalled connection.
        """
        wire = self.connect("stall-after=0")
        self.clock.advance(0)
        drained = self.factory.drain()
        self.clock.pump([1] * 6)
        self.successResultOf(drained)
        self.assertEqual((self.session.outcome, wire.aborted), (CUT, True))

    def test_greeting(self) -> None:
        """
        The greeting can be impaired as well.
        """
        self.clock = clock()
        factory = ImpairedGreetingFactory(
            self.clock,
            limits=UNTIMED,
            impairments=ConnectionImpairments.parse("delay=50ms,pieces=5"),
        )
        protocol: Any = factory.buildProtocol(PEER)
        wire = Wire(protocol)
        self.assertEqual((wire.pieces, wire.writeClosed), ([], False))
        self.clock.pump([0.05] * 6)
        self.assertEqual((wire.value(), wire.writeClosed), (GREETING, True))
        self.assertEqual([len(piece) for piece in wire.pieces], [5] * 5 + [1])
        self.assertEqual(protocol.wrappedProtocol.outcome, GREETED)


class IdleTests(ImpairedTests):
    """
    Tests for the idle timeout of an impaired connection.
    """

    limits = Limits(idleTimeout=8)

    def test_stalled(self) -> None:
        """
        A stalled connection is cut after the idle timeout.
        """
        wire = self.connect("stall-after=0")
        self.clock.pump([1] * 20)
        self.assertEqual((self.session.outcome, wire.aborted), (IDLE, True))
        self.assertEqual(self.clock.getDelayedCalls(), [])


class FactoryTests(ImpairedTests):
    """
    Tests for L{ImpairedEchoFactory}.
    """

    def accepted(self, specification: str, number: int = 1000) -> list[bool]:
        """
        @return: For each of many connections, whether it was accepted.
        """
        self.listen(specification)
        protocols = [self.factory.buildProtocol(PEER) for _ in range(number)]
        return [protocol is not None for protocol in protocols]

    def test_refuse(self) -> None:
        """
        The given share of the connections is refused at once, and counted.
        """
        refused = self.accepted("refuse=10%,seed=7").count(False)
        self.assertApproximates(refused, 100, 5 * 9.5)
        self.assertEqual(self.factory.impaired, {"refuse": refused})
        self.assertEqual(self.factory.refusals.counts, {REFUSED: refused})

    def test_refuseSeed(self) -> None:
        """
        The same seed refuses the same connections; another seed refuses others.
        """
        first = self.accepted("refuse=10%,seed=7")
        self.assertEqual(self.accepted("refuse=10%,seed=7"), first)
        self.assertNotEqual(self.accepted("refuse=10%,seed=8"), first)

    def test_refuseAll(self) -> None:
        """
        A share of 100% refuses all connections, and 0% none.
        """
        self.assertEqual(set(self.accepted("refuse=100%", 20)), {False})
        self.assertEqual(set(self.accepted("refuse=0%", 20)), {True})

    def test_limits(self) -> None:
        """
        A connection that the limits refuse does not count as refused on purpose.
        """
        self.limits = Limits(capacity=Capacity(1), idleTimeout=0)
        self.connect("refuse=0%")
        self.assertIsNone(self.factory.buildProtocol(PEER))
        self.assertEqual(
            (self.factory.impaired, self.factory.refusals.counts), ({}, {NO_ROOM: 1})
        )

    def test_log(self) -> None:
        """
        The log has a warning at the start, and the counts at the end.
        """
        with logged() as lines:
            self.listen("pieces=1-7,seed=7")
        self.assertEqual(lines, ["TCP echo: IMPAIRED ON PURPOSE: pieces=1-7,seed=7"])
        self.factory.impaired["pieces"] = 3
        with logged() as lines:
            self.successResultOf(self.factory.drain())
        self.assertEqual(lines, ["TCP echo: impaired on purpose; pieces: 3"])

    def test_transports(self) -> None:
        """
        The session sees the interfaces of the transport, and the transport sees a protocol
        that can be half-closed.
        """
        for kind, tcp, tls in (
            (MemoryTransport, False, False),
            (MemoryTCPTransport, True, False),
            (MemoryTLSTransport, True, True),
        ):
            self.connect("pieces=1", kind)
            self.assertEqual(ITCPTransport.providedBy(self.connection), tcp)
            self.assertEqual(ISSLTransport.providedBy(self.connection), tls)
            self.assertTrue(IHalfCloseableProtocol.providedBy(self.connection))

    def test_noDelay(self) -> None:
        """
        A piece is sent at once, and does not wait for the acknowledgement of the one before.
        """
        self.assertTrue(self.connect("pieces=1").noDelay)

    def test_conversation(self) -> None:
        """
        A client on a simulated network receives everything.
        """

        self.listen("delay=5ms,pieces=1-3")
        client, _, network = connectedServerAndClient(
            lambda: self.factory.buildProtocol(PEER), AccumulatingProtocol
        )
        assert client.transport is not None
        client.transport.write(b"there and back\nbye\n")
        for _ in range(100):
            network.flush()
            self.clock.advance(0.001)
        self.assertEqual(client.data, b"there and back\n")
