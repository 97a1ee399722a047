"""
Tests for L{echod.tcp.echo}, and for its sessions: L{echod.tcp.plainecho} and
L{echod.tcp.goodbyeecho}.
"""

from __future__ import annotations

from socket import socketpair

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IPushProducer, ISystemHandle, ITCPTransport
from twisted.internet.testing import AccumulatingProtocol
from twisted.test.iosim import connectedServerAndClient
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides
from zope.interface.verify import verifyObject

from echod.tcp.echo import EchoFactory
from echod.tcp.goodbye import FULL_READ, Goodbye
from echod.tcp.goodbyeecho import GOODBYE, SILENCE, GoodbyeEchoProtocol
from echod.tcp.plainecho import DRAIN_TICK, EchoProtocol
from echod.tcp.session import DRAINED
from tests.support import UNTIMED, MemoryTCPTransport, clock, connect, turn


class BlockedTransport(MemoryTCPTransport):
    """
    A transport whose buffer is full after each write.
    """

    protocol: EchoProtocol

    def write(self, data: bytes) -> None:
        """
        Pause the producer.
        """
        self.protocol.pauseProducing()


class EchoTests(SynchronousTestCase):
    """
    Tests for all echo sessions, with and without goodbyes.
    """

    goodbye = False

    def setUp(self) -> None:
        self.reactor = clock()
        self.factory = EchoFactory(self.reactor, goodbye=self.goodbye, limits=UNTIMED)
        self.session, self.transport = connect(self.factory)

    def test_echo(self) -> None:
        """
        Received data is returned at once, in one write, as the same object.
        """
        written: list[bytes] = []

        class Transport(MemoryTCPTransport):
            def write(self, data: bytes) -> None:
                written.append(data)

        session, _ = connect(EchoFactory(self.reactor, goodbye=self.goodbye), Transport)
        segment = b"a\nb\0\xff" * 1000
        session.dataReceived(segment)
        self.assertEqual(len(written), 1)
        self.assertIs(written[0], segment)
        self.assertEqual((session.received, session.returned), (5000, 5000))

    def test_noDelay(self) -> None:
        """
        A TCP transport sends each message at once.
        """
        _, transport = connect(self.factory)
        self.assertTrue(transport.noDelay)

        class UNIXTransport(MemoryTCPTransport):
            def getPeer(self) -> UNIXAddress:
                return UNIXAddress(None)

        _, transport = connect(self.factory, UNIXTransport)
        self.assertFalse(transport.noDelay)

    def test_backpressure(self) -> None:
        """
        A peer that does not read is not read from.
        """
        self.assertIs(self.transport.producer, self.session)
        self.assertTrue(self.transport.streaming)
        self.session.pauseProducing()
        self.assertEqual(self.transport.producerState, "paused")
        self.session.resumeProducing()
        self.assertEqual(self.transport.producerState, "producing")
        self.session.stopProducing()
        self.assertTrue(verifyObject(IPushProducer, self.session))

    def test_halfClose(self) -> None:
        """
        If a peer shuts down its sending side, all of its data is returned, and the
        connection is closed; no producer delays that.
        """
        self.session.dataReceived(b"all of it")
        self.session.readConnectionLost()
        self.assertEqual(self.transport.value(), b"all of it")
        self.assertIsNone(self.transport.producer)
        self.assertTrue(self.transport.disconnecting)

    def test_drain(self) -> None:
        """
        A drain returns the received data, and closes the session.
        """
        self.session.dataReceived(b"all of it")
        self.session.drain()
        self.reactor.advance(0)
        self.assertEqual(self.transport.value(), b"all of it")
        self.assertEqual(self.session.outcome, DRAINED)
        self.assertTrue(self.transport.writeClosed)
        self.session.dataReceived(b"too late")
        self.assertEqual((self.session.received, self.session.returned), (17, 9))

    def test_drainUnread(self) -> None:
        """
        A drain also returns the bytes that the system has received and the session has
        not read yet, but not the bytes that arrive after those.
        """
        near, far = socketpair()
        with near, far:
            directlyProvides(self.transport, ITCPTransport, ISystemHandle)
            self.transport.getHandle = lambda: near
            far.send(b"12345")
            self.session.drain()
            self.reactor.advance(0)
            self.assertIsNone(self.session.outcome)
            self.session.dataReceived(near.recv(3))
            self.reactor.advance(DRAIN_TICK)
            self.assertIsNone(self.session.outcome)
            far.send(b"678")
            self.session.dataReceived(near.recv(3))
            self.reactor.advance(DRAIN_TICK)
            self.assertEqual(self.session.outcome, DRAINED)
            self.assertEqual(self.transport.value(), b"123456")

    def test_drainOverTLS(self) -> None:
        """
        Over TLS the system holds more bytes than the session receives: the drain ends
        when the system holds none.
        """
        near, far = socketpair()
        with near, far:
            directlyProvides(self.transport, ITCPTransport, ISystemHandle)
            self.transport.getHandle = lambda: near
            far.send(b"encrypted")
            self.session.drain()
            near.recv(9)
            self.session.dataReceived(b"plain")
            self.reactor.advance(0)
            self.assertEqual(self.session.outcome, DRAINED)
            self.assertEqual(self.transport.value(), b"plain")

    def test_closeWhileDraining(self) -> None:
        """
        A session that closes for another reason does not wait for its drain any more.
        """
        for paused in (False, True):
            session, _ = connect(self.factory)
            if paused:
                session.pauseProducing()
            session.drain()
            session.close("done")
            self.reactor.advance(0)
            # The idle timeout is left.
            self.assertEqual(len(self.reactor.getDelayedCalls()), 1)

    def test_drainPaused(self) -> None:
        """
        A drain waits for a peer that does not read.
        """
        self.session.pauseProducing()
        self.session.drain()
        self.reactor.advance(10)
        self.assertIsNone(self.session.outcome)
        self.session.resumeProducing()
        self.reactor.advance(DRAIN_TICK)
        self.assertEqual(self.session.outcome, DRAINED)

    def test_lostWhileDraining(self) -> None:
        """
        A connection that is lost during a drain leaves no timer.
        """
        self.session.drain()
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_conversation(self) -> None:
        """
        A conversation with a client works in memory.
        """
        factory = EchoFactory(self.reactor, goodbye=self.goodbye)
        client, _, pumped = connectedServerAndClient(
            lambda: factory.buildProtocol(None), AccumulatingProtocol
        )
        assert client.transport is not None
        for word in (b"This is from Client", b"hello\n"):
            client.transport.write(word)
            pumped.flush()
        self.assertEqual(client.data, b"This is from Clienthello\n")


class PlainEchoTests(SynchronousTestCase):
    """
    Tests for L{EchoProtocol}.
    """

    def test_noGoodbye(self) -> None:
        """
        Without goodbyes everything is returned: RFC 862.
        """
        session, transport = connect(EchoFactory(clock(), goodbye=False))
        self.assertIs(type(session), EchoProtocol)
        session.dataReceived(b"bye\n")
        self.assertEqual(transport.value(), b"bye\n")


class GoodbyeEchoTests(EchoTests):
    """
    Tests for L{GoodbyeEchoProtocol}.
    """

    goodbye = True

    def test_default(self) -> None:
        """
        A goodbye ends the session unless goodbyes are switched off.
        """
        self.assertIs(EchoFactory(self.reactor).protocol, GoodbyeEchoProtocol)

    def test_goodbye(self) -> None:
        """
        After a goodbye, all data before it is returned, later data is discarded, and the
        session closes.
        """
        self.session.dataReceived(b"a\nbye\nmore\n")
        self.session.dataReceived(b"and more\n")
        self.assertEqual(self.transport.value(), b"a\n")
        self.assertEqual(self.session.outcome, GOODBYE)
        self.assertTrue(self.transport.writeClosed)
        self.assertIsNone(self.transport.producer)
        self.assertEqual((self.session.received, self.session.returned), (20, 2))

    def test_ordinaryMessages(self) -> None:
        """
        A session decides as the rule does, although it asks the rule only about messages that
        are not ordinary.
        """
        for first, second in (
            (b"x\n", b"bye\n"),
            (b"x", b"bye\n"),
            (b"xb", b"bye\n"),
            (b"b", b"ye\n"),
            (b"x\nby", b"e\n"),
            (b"x\nbye\n", b"x"),
            (b"x\r\0", b"bye\n"),
            (b"\xff\xfd", b"\x03bye\n"),
            (b"x" * FULL_READ, b"bye"),
            (b"bye " * FULL_READ, b"bye"),
        ):
            rule = Goodbye()
            returned = rule.receive(first) + rule.receive(second)
            session, transport = connect(self.factory)
            session.dataReceived(first)
            session.dataReceived(second)
            turn(self.reactor)
            self.reactor.advance(SILENCE)
            turn(self.reactor)
            returned += rule.silence()
            self.assertEqual((first, transport.value()), (first, returned))
            self.assertEqual((first, session.outcome), (first, GOODBYE if rule.over else None))

    def test_goodbyeToABlockedPeer(self) -> None:
        """
        After a goodbye, the session reads again from a peer that does not read, so that
        the peer can finish sending.
        """
        session, transport = connect(self.factory, BlockedTransport)
        session.dataReceived(b"x" * 100000 + b"\nbye\n")
        self.assertEqual(transport.producerState, "producing")

    def test_goodbyeInSilence(self) -> None:
        """
        C{bye} without a line ending is a goodbye when the silence after it is over.
        """
        self.session.dataReceived(b"bye")
        self.reactor.advance(SILENCE - 0.01)
        self.assertIsNone(self.session.outcome)
        self.reactor.advance(0.01)
        self.assertEqual(self.session.outcome, GOODBYE)
        self.assertEqual(self.transport.value(), b"")

    def test_withheld(self) -> None:
        """
        Withheld bytes are returned together with the bytes which show that they are not a
        goodbye.
        """
        self.session.dataReceived(b"b")
        self.assertEqual(self.transport.value(), b"")
        self.session.dataReceived(b"anana")
        self.assertEqual(self.transport.value(), b"banana")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.session.returned, 6)

    def test_withheldNoLonger(self) -> None:
        """
        Withheld bytes are returned when their time is over, even if more withheld bytes
        have arrived.
        """
        self.session.dataReceived(b"b")
        self.reactor.advance(SILENCE - 0.01)
        self.session.dataReceived(b"y")
        self.reactor.advance(0.01)
        self.assertEqual(self.transport.value(), b"by")

    def test_silenceAfterALateReturn(self) -> None:
        """
        Silence is counted from the last byte, also if the bytes before it have been
        withheld for long enough meanwhile.
        """
        for following, outcome in ((b"", GOODBYE), (b"x", None)):
            session, transport = connect(self.factory)
            session.dataReceived(b"bye")
            self.reactor.advance(SILENCE - 0.01)
            session.dataReceived(b"\r")
            self.reactor.advance(0.01)
            self.assertEqual((transport.value(), session.outcome), (b"bye\r", None))
            session.dataReceived(following or b"\0")
            self.reactor.advance(SILENCE)
            self.assertEqual(session.outcome, outcome)

    def test_typedSlowly(self) -> None:
        """
        The line C{bye} ends the session however slowly it is typed.
        """
        for key in (b"b", b"y", b"e"):
            self.session.dataReceived(key)
            self.reactor.advance(SILENCE)
        self.assertEqual(self.transport.value(), b"bye")
        self.session.dataReceived(b"\r")
        self.reactor.advance(SILENCE)
        self.assertEqual((self.transport.value(), self.session.outcome), (b"bye", GOODBYE))

    def test_lineEndedBySilence(self) -> None:
        """
        A carriage return and silence end a line, though no byte is withheld.
        """
        self.session.dataReceived(b"hello\r")
        self.assertEqual(self.transport.value(), b"hello\r")
        self.reactor.advance(SILENCE)
        self.session.dataReceived(b"bye\n")
        self.assertEqual(self.session.outcome, GOODBYE)

    def test_newlyWithheld(self) -> None:
        """
        The time of withheld bytes does not include the time of bytes that were withheld
        before them.
        """
        self.session.dataReceived(b"b")
        self.reactor.advance(SILENCE - 0.01)
        self.session.dataReceived(b"anana\nb")
        self.reactor.advance(SILENCE - 0.01)
        self.assertEqual(self.transport.value(), b"banana\n")
        self.reactor.advance(0.01)
        self.assertEqual(self.transport.value(), b"banana\nb")

    def test_lateProcess(self) -> None:
        """
        Bytes that have arrived but are not read yet end a silence: after a process was
        stopped, the time in which it was stopped is not a silence.
        """
        self.session.dataReceived(b"bye")
        self.reactor.rightNow += SILENCE
        # The reactor runs what is due, then reads.
        turn(self.reactor)
        self.session.dataReceived(b"-bye")
        self.reactor.advance(0)
        self.assertEqual(self.transport.value(), b"bye-bye")
        self.assertIsNone(self.session.outcome)

    def test_lateGrowth(self) -> None:
        """
        Nor does such a process, if what has come does not decide either.
        """
        self.session.dataReceived(b"bye")
        self.reactor.rightNow += SILENCE
        turn(self.reactor)
        self.session.dataReceived(b"\r")
        self.reactor.advance(0)
        self.assertIsNone(self.session.outcome)

    def test_silenceOfAPausedTransport(self) -> None:
        """
        While nothing is read, there is no silence.
        """
        self.session.dataReceived(b"bye")
        self.session.pauseProducing()
        self.reactor.advance(SILENCE * 10)
        self.assertIsNone(self.session.outcome)
        self.session.resumeProducing()
        self.reactor.advance(SILENCE)
        self.assertEqual(self.session.outcome, GOODBYE)

    def test_withheldWhilePaused(self) -> None:
        """
        There is no silence if the data that contains the withheld bytes makes the
        transport pause.
        """
        session, transport = connect(self.factory, BlockedTransport)
        session.dataReceived(b"x" * 100000 + b"\nb")
        self.assertEqual(transport.producerState, "paused")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_goodbyeAtTheEnd(self) -> None:
        """
        C{bye} at the end of the stream is a goodbye.
        """
        self.session.dataReceived(b"a\nbye")
        self.session.readConnectionLost()
        self.assertEqual(self.transport.value(), b"a\n")
        self.assertEqual(self.session.outcome, GOODBYE)
        self.assertTrue(self.transport.disconnecting)

    def test_withheldAtTheEnd(self) -> None:
        """
        Withheld bytes are returned at the end of the stream.
        """
        self.session.dataReceived(b"by")
        self.session.readConnectionLost()
        self.assertEqual(self.transport.value(), b"by")
        self.assertEqual(self.session.returned, 2)
        self.assertIsNone(self.session.outcome)

    def test_drainWithheld(self) -> None:
        """
        A drain is the end of the stream for withheld bytes: they are returned, or are a
        goodbye.
        """
        self.session.dataReceived(b"by")
        self.session.drain()
        self.reactor.advance(0)
        self.assertEqual((self.transport.value(), self.session.outcome), (b"by", DRAINED))
        session, transport = connect(self.factory)
        session.dataReceived(b"bye")
        session.drain()
        self.reactor.advance(0)
        self.assertEqual((transport.value(), session.outcome), (b"", GOODBYE))

    def test_drainAfterGoodbye(self) -> None:
        """
        A drain after a goodbye returns nothing more.
        """
        self.session.dataReceived(b"bye\n")
        self.session.drain()
        self.assertEqual(self.session.outcome, GOODBYE)

    def test_endAfterGoodbye(self) -> None:
        """
        After a goodbye, the session is over when the peer shuts down its sending side.
        """
        self.session.dataReceived(b"bye\n")
        self.session.writeConnectionLost()
        self.session.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)

    def test_lostWhileWithholding(self) -> None:
        """
        A connection that is lost while bytes are withheld leaves no timer.
        """
        self.session.dataReceived(b"b")
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
