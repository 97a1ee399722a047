"""
Tests for L{echod.uvloopreactor.connection}.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from threading import Event, Thread
from typing import Any

from twisted.internet import tcp
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, connectionDone
from twisted.python import context, log
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.support.daemon import PATIENCE
from tests.support.protocols import FailingProducer
from tests.support.uvloopserving import Recorder, UVLoopTestCase, sendingAll


class ConnectionTests(UVLoopTestCase):
    """
    Tests for L{Connection<echod.uvloopreactor.connection.Connection>}.
    """

    def test_readSize(self) -> None:
        """
        Data is delivered in pieces of the usual size, even if libuv has read more at
        once.
        """
        protocol = Recorder()
        data = bytes(range(256)) * 4096
        self.serve(protocol, sendingAll(data))
        self.assertTrue(protocol.received == data)
        self.assertLessEqual(max(map(len, protocol.pieces)), tcp.Connection.bufferSize)

    def test_pausedFromTheStart(self) -> None:
        """
        Data and the end of the stream that arrive before the application wants to read
        are delivered when it does, also while there is data to write: as much as the socket
        takes, or more.
        """

        class Paused(Recorder):
            greeting: bytes

            def connectionMade(self) -> None:
                self.transport.pauseProducing()
                self.transport.write(self.greeting)
                reactor = self.factory.reactor
                reactor.callLater(0.05, self.transport.resumeProducing)

        for greeting in (b"hello", b"", b"x" * 10_000_000):
            for data in (b"early", b""):
                protocol = Paused()
                protocol.greeting = greeting
                self.serve(protocol, sendingAll(data))
                self.assertEqual(protocol.received, data)

    def test_pausedWhileDelivering(self) -> None:
        """
        A paused protocol gets no more of the data that was already read, until it
        resumes.
        """

        class Pausing(Recorder):
            resumed = True

            def connectionMade(self) -> None:
                self.undelivered: list[int] = []

            def dataReceived(self, data: bytes) -> None:
                assert self.resumed
                super().dataReceived(data)
                self.resumed = False
                self.undelivered.append(self.transport.undelivered)
                self.transport.pauseProducing()
                self.factory.reactor.callLater(0, self.resume)

            def resume(self) -> None:
                self.resumed = True
                self.transport.resumeProducing()

        protocol = Pausing()
        data = bytes(range(256)) * 2048
        self.serve(protocol, sendingAll(data))
        self.assertTrue(protocol.received == data)
        self.assertEqual(protocol.undelivered[-1], 0)
        self.assertGreater(max(protocol.undelivered), 0)

    def test_writesAreJoined(self) -> None:
        """
        Many small writes become one, in order, while data is delivered and at other
        times.
        """
        written: list[bytes] = []

        class Recording:
            def __init__(self, uv: Any) -> None:
                self.uv = uv

            def write(self, data: bytes) -> None:
                written.append(bytes(data))
                self.uv.write(data)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.uv, name)

        class Replying(Recorder):
            def dataReceived(self, data: bytes) -> None:
                self.transport._uv = Recording(self.transport._uv)
                for number in range(10):
                    self.transport.write(b"%d" % number)
                self.transport.loseConnection()

        self.serve(Replying(), lambda client: client.sendall(b"x"))
        self.assertEqual([data for data in written if data], [b"0123456789"])

    def test_largeWrite(self) -> None:
        """
        A write of more data than a socket takes arrives completely and in order.
        """
        data = bytes(range(251)) * 40_000
        received = bytearray()
        written = Event()

        class Writing(Recorder):
            def connectionMade(self) -> None:
                self.transport.write(data)
                written.set()

        self.serve(Writing(), lambda client: self.read(client, len(data), received, written))
        self.assertTrue(received == data)

    def test_restOfWrite(self) -> None:
        """
        An answer that the socket takes only in part at first arrives completely, and the
        connection stays.
        """
        answer = bytes(range(250)) * 400
        received = bytearray()
        written = Event()

        class Answering(Recorder):
            def connectionMade(self) -> None:
                self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)

            def dataReceived(self, data: bytes) -> None:
                self.transport.write(answer)
                written.set()

        def start(client: socket.socket) -> None:
            client.send(b"x")

            def askAgain() -> None:
                if len(received) == len(answer):
                    client.send(b"x")
                else:
                    protocol.factory.reactor.callLater(0, askAgain)

            self.read(client, 2 * len(answer), received, written)
            askAgain()

        protocol = Answering()
        self.serve(protocol, start)
        self.assertTrue(received == answer * 2)

    def test_writeAfterDelivery(self) -> None:
        """
        Data that a protocol writes after C{dataReceived} is sent, also if no more data arrives.
        """
        received = bytearray()
        sent = Event()

        class Late(Recorder):
            def dataReceived(self, data: bytes) -> None:
                self.factory.reactor.callLater(0, self.transport.write, data)

        def start(client: socket.socket) -> None:
            client.sendall(b"late")
            self.read(client, 4, received, sent)

        sent.set()
        self.serve(Late(), start)
        self.assertEqual(received, b"late")

    def manyWrites(self, outside: bool) -> None:
        """
        Write more than a socket takes, in pieces that each could be sent at once, while
        data is delivered or at other times.
        """
        piece = bytes(range(250)) * 250
        count = 400
        received = bytearray()
        blocked = Event()

        class Writing(Recorder):
            sent = 0

            def dataReceived(self, data: bytes) -> None:
                if not outside:
                    self.more()
                elif not self.sent:
                    self.checkDone()

            def checkDone(self) -> None:
                self.more()
                if self.sent < count:
                    self.factory.reactor.callLater(0, self.checkDone)

            def more(self) -> None:
                if self.sent < count:
                    self.sent += 1
                    self.transport.write(piece)
                if self.sent == count:
                    blocked.set()

        def start(client: socket.socket) -> None:
            def feed() -> None:
                with contextlib.suppress(OSError):
                    for _ in range(count):
                        client.sendall(b"x" * 65536)

            self.read(client, count * len(piece), received, blocked)
            feeder = Thread(target=feed)
            self.addCleanup(feeder.join)
            feeder.start()

        self.serve(Writing(), start)
        self.assertTrue(received == piece * count)

    def test_manyWritesWhileDelivering(self) -> None:
        """
        Many writes while data is delivered arrive completely and in order.
        """
        self.manyWrites(False)

    def test_manyWritesOutside(self) -> None:
        """
        Many writes at other times arrive completely and in order.
        """
        self.manyWrites(True)

    def test_failingProtocol(self) -> None:
        """
        An error in a protocol is logged with the name of the protocol, and ends the
        connection.
        """

        class Failing(Recorder):
            def dataReceived(self, data: bytes) -> None:
                raise OSError(data)

        events: list[dict[str, Any]] = []
        log.addObserver(events.append)
        self.addCleanup(log.removeObserver, events.append)
        self.serve(Failing(), lambda client: client.sendall(b"x"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        (system,) = [event["system"] for event in events if event["isError"]]
        self.assertRegex(system, r"^Failing,\d+,127\.0\.0\.1$")

    def test_failingAtTheEnd(self) -> None:
        """
        An error of a protocol in C{connectionLost} is logged.
        """

        class Failing(Recorder):
            def connectionLost(self, reason: Failure = connectionDone) -> None:
                super().connectionLost(reason)
                raise OSError(reason)

        self.serve(Failing(), socket.socket.close)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_failingTwice(self) -> None:
        """
        Errors of a protocol in C{dataReceived} and in C{connectionLost} are logged, and do
        not name this protocol in messages that others log later.
        """

        class Failing(Recorder):
            def dataReceived(self, data: bytes) -> None:
                raise OSError(data)

            def connectionLost(self, reason: Failure = connectionDone) -> None:
                super().connectionLost(reason)
                raise OSError(reason)

        before = context.get(log.ILogContext)
        self.serve(Failing(), lambda client: client.sendall(b"x"))
        self.assertEqual(context.get(log.ILogContext), before)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 2)

    def test_failingProducer(self) -> None:
        """
        An error in a producer is logged, and ends the connection.
        """

        class Failing(FailingProducer, Recorder):
            pass

        protocol = Failing()
        self.serve(protocol, lambda client: None)
        self.assertEqual(protocol.asked, 3)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_failingToPause(self) -> None:
        """
        An error of a producer that is paused is logged, and ends the connection.
        """

        class Failing(Recorder):
            def connectionMade(self) -> None:
                self.transport.registerProducer(self, True)

            def dataReceived(self, data: bytes) -> None:
                self.transport.write(data * 10_000_000)

            def pauseProducing(self) -> None:
                raise OSError()

            def stopProducing(self) -> None:
                pass

        self.serve(Failing(), lambda client: client.sendall(b"x"))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_noDelay(self) -> None:
        """
        The application decides about Nagle's algorithm.
        """
        for wanted in (False, True):

            class Asking(Recorder):
                def connectionMade(self, wanted: bool = wanted) -> None:
                    self.transport.setTcpNoDelay(wanted)
                    self.early = self.transport.getTcpNoDelay()

                def dataReceived(self, data: bytes) -> None:
                    self.noDelay = self.transport.getTcpNoDelay()
                    self.transport.setTcpNoDelay(not self.early)
                    self.late = self.transport.getTcpNoDelay()
                    self.transport.loseConnection()

            protocol = Asking()
            self.serve(protocol, lambda client: client.sendall(b"x"))
            self.assertEqual((protocol.early, protocol.noDelay), (wanted, wanted))
            self.assertEqual(protocol.late, not wanted)

    def test_pausedAndResumedAtOnce(self) -> None:
        """
        A protocol that pauses and resumes at once gets its data.
        """

        class Wavering(Recorder):
            def connectionMade(self) -> None:
                self.transport.pauseProducing()
                self.transport.write(b"x" * 10_000_000)
                self.factory.reactor._asyncioEventloop.call_soon(self.resume)

            def resume(self) -> None:
                self.factory.reactor._asyncioEventloop.call_soon(self.transport.resumeProducing)

        protocol = Wavering()
        self.serve(protocol, sendingAll(b"early"))
        self.assertEqual(protocol.pieces, [b"early"])

    def test_handedOver(self) -> None:
        """
        A connection that was removed from the reactor leaves all data to the new owner of
        its socket, which does not block.  The stream ends when the new owner closes it.
        """

        class HandingOver(Recorder):
            def connectionMade(self) -> None:
                reactor = self.factory.reactor
                reactor.removeReader(self.transport)
                reactor.removeWriter(self.transport)
                self.blocks = os.get_blocking(self.transport.fileno())
                factory: Any = Factory()
                factory.reactor = reactor
                successor.factory = factory
                factory.buildProtocol = lambda address: successor
                descriptor = self.transport.fileno()
                reactor.adoptStreamConnection(descriptor, socket.AF_INET, factory)

        def start(client: socket.socket) -> None:
            sendingAll(b"early")(client)
            clients.append(client)

        clients: list[socket.socket] = []
        protocol, successor = HandingOver(), Recorder()
        self.serve(protocol, start)
        self.assertFalse(protocol.blocks)
        clients[0].settimeout(PATIENCE)
        self.assertEqual(clients[0].recv(1), b"")
        protocol.transport.socket.close()
        self.assertEqual(protocol.pieces, [])
        self.assertEqual(successor.pieces, [b"early"])

    def test_halfClosed(self) -> None:
        """
        After the peer has closed, the connection is no longer read.
        """

        @implementer(IHalfCloseableProtocol)
        class HalfClosed(Recorder):
            def connectionMade(self) -> None:
                self.read: list[bool] = []

            def dataReceived(self, data: bytes) -> None:
                self.read.append(self.transport in self.factory.reactor.getReaders())

            def readConnectionLost(self) -> None:
                self.read.append(self.transport in self.factory.reactor.getReaders())
                self.transport.loseConnection()

            def writeConnectionLost(self) -> None:
                pass

        protocol = HalfClosed()
        self.serve(protocol, sendingAll(b"x"))
        self.assertEqual(protocol.read, [True, False])

    def test_backpressure(self) -> None:
        """
        An answer that the peer does not read pauses the producer, also if it is one long
        write.  Messages that the producer logs then have the name of the connection.
        """

        class Producing(Recorder):
            long = b""
            paused = ""

            def connectionMade(self) -> None:
                self.transport.registerProducer(self, True)

            def dataReceived(self, data: bytes) -> None:
                self.transport.write(self.long or data)

            def pauseProducing(self) -> None:
                self.paused = context.get(log.ILogContext)["system"]
                self.transport.abortConnection()

            def stopProducing(self) -> None:
                pass

        protocol = Producing()

        def send(client: socket.socket, times: int) -> None:
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client.send(b"x" * 65536, socket.MSG_DONTWAIT)
            if times and not protocol.paused:
                protocol.factory.reactor.callLater(0, send, client, times - 1)
            else:
                protocol.transport.abortConnection()

        self.serve(protocol, lambda client: send(client, 2000))
        self.assertRegex(protocol.paused, "^Producing,")
        protocol = Producing()
        protocol.long = b"x" * 10_000_000
        self.serve(protocol, lambda client: client.sendall(b"x"))
        self.assertRegex(protocol.paused, "^Producing,")

    def test_writeAfterHalfClose(self) -> None:
        """
        A write after C{loseWriteConnection} is ignored, and the peer's data still arrives.
        """

        @implementer(IHalfCloseableProtocol)
        class HalfClosing(Recorder):
            client: socket.socket

            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                if len(self.pieces) == 1:
                    self.transport.write(b"answer")
                    self.transport.loseWriteConnection()

            def writeConnectionLost(self) -> None:
                self.factory.reactor.callLater(0, self.writeMore)

            def writeMore(self) -> None:
                self.transport.write(b"too late")
                self.factory.reactor.callLater(0.01, self.client.sendall, b"second")
                self.factory.reactor.callLater(0.02, self.client.close)

            def readConnectionLost(self) -> None:
                self.transport.loseConnection()

        protocol = HalfClosing()

        def start(client: socket.socket) -> None:
            protocol.client = client
            client.sendall(b"first")

        self.serve(protocol, start)
        self.assertEqual(protocol.pieces, [b"first", b"second"])

    def test_reset(self) -> None:
        """
        A connection that the peer resets is lost.
        """

        class Losing(Recorder):
            def connectionLost(self, reason: Any = None) -> None:
                self.reason = reason
                super().connectionLost(reason)

        protocol = Losing()

        def start(client: socket.socket) -> None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            protocol.factory.reactor.callLater(0.01, client.close)

        self.serve(protocol, start)
        self.assertTrue(protocol.reason.check(ConnectionLost))

    def test_closedBeforehand(self) -> None:
        """
        A connection whose socket was closed elsewhere is lost.
        """

        class Closing(Recorder):
            def connectionMade(self) -> None:
                self.transport.socket.close()

        protocol = Closing()
        self.serve(protocol, lambda client: None)
        self.assertEqual(protocol.pieces, [])
