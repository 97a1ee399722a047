"""
Tests for L{echod.uvloopreactor}.

Most of what a reactor has to do is told by Twisted's own tests, which run here
for this one.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import sys
from collections.abc import Callable
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from subprocess import PIPE, STDOUT, run
from threading import Event, Thread
from typing import Any
from weakref import WeakSet

from twisted.internet import tcp
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionDone, ConnectionLost, ProcessDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol, connectionDone
from twisted.python import context, log
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.support import CHECKOUT, MEASURED, lacking, program
from tests.support.daemon import PATIENCE
from tests.support.protocols import RecordingProtocol

try:
    from echod import uvloopreactor
except ModuleNotFoundError:
    uvloopreactor = None  # type: ignore[assignment]


class Recorder(RecordingProtocol):
    """
    Records the data that it receives, and stops its reactor at the end.
    """

    address: Any
    factory: Any
    transport: Any

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Stop the reactor.
        """
        self.factory.reactor.stop()


@implementer(IHalfCloseableProtocol)
class Greeting(Recorder):
    """
    Sends a greeting, closes its sending side, and then does not read for a moment.

    @ivar reason: Why the connection has ended.

    @ivar usesLibuv: True if libuv had the connection at its end.
    """

    greeting = b"hello"
    reason: Failure
    usesLibuv: bool

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.transport.write(self.greeting)
        self.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:
        """
        Do not read for a moment.
        """
        self.transport.pauseProducing()
        self.factory.reactor.callLater(0.05, self.transport.resumeProducing)

    def readConnectionLost(self) -> None:
        """
        Close.
        """
        self.usesLibuv = self.transport._uv is not None
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Keep the reason.
        """
        self.reason = reason
        super().connectionLost(reason)


def sendingAll(data: bytes) -> Callable[[socket.socket], None]:
    """
    @return: A function that sends data on a client, at once, and nothing more.
    """

    def start(client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, max(len(data), 1 << 16))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    return start


class UVLoopReactorTests(SynchronousTestCase):
    """
    Tests for L{UVLoopReactor<echod.uvloopreactor.UVLoopReactor>}.
    """

    def setUp(self) -> None:
        if uvloopreactor is None:
            lacking("uvloop")

    def test_internals(self) -> None:
        """
        The internals of Twisted are as the reactor expects them.
        """
        reactor = uvloopreactor.UVLoopReactor()
        self.assertEqual(len(reactor._signalsFactory()._signalHandlings), 2)
        self.assertEqual(tcp.Connection.bufferSize, 65536)

    def serve(self, protocol: Recorder, start: Any, interface: str = "127.0.0.1") -> None:
        """
        Serve one connection until its end.

        @param start: Called with a socket that is connected.
        """
        reactor = uvloopreactor.UVLoopReactor()
        factory: Any = Factory()
        factory.noisy = False
        factory.reactor = reactor
        protocol.factory = factory

        def build(address: Any) -> Protocol:
            protocol.address = address
            return protocol

        factory.buildProtocol = build
        port = reactor.listenTCP(0, factory, interface=interface)
        client = socket.create_connection((interface, port.getHost().port))
        self.addCleanup(client.close)
        reactor.callWhenRunning(start, client)
        timeout = reactor.callLater(PATIENCE, reactor.stop)
        reactor.run(installSignalHandlers=False)
        self.assertTrue(timeout.active())

    def test_cancelledCalls(self) -> None:
        """
        Cancelled calls leave memory before another call is due, and the other calls are
        made.
        """
        reactor = uvloopreactor.UVLoopReactor()
        calls: WeakSet[Any] = WeakSet()
        left: list[int] = []
        made: list[str] = []

        def set(later: int) -> None:
            for _ in range(100):
                calls.add(call := reactor.callLater(PATIENCE, reactor.stop))
                call.cancel()
            if later:
                reactor._asyncioEventloop.call_soon(set, later - 1)
            else:
                left.append(len(calls))
                reactor.callLater(0.01, made.append, "early")
                reactor.callLater(0.02, reactor.stop)

        timeout = reactor.callLater(PATIENCE, made.append, "late")
        reactor.callWhenRunning(set, 100)
        reactor.run(installSignalHandlers=False)
        # Of 10,100 there are some of the last two turns.
        self.assertLess(left[0], 400)
        self.assertEqual(made, ["early"])
        self.assertEqual(reactor.getDelayedCalls(), [timeout])

    def test_readSize(self) -> None:
        """
        Data is delivered in pieces of the usual size, even if libuv has read more at
        once.
        """
        protocol = Recorder()
        data = bytes(range(256)) * 4096
        self.serve(protocol, sendingAll(data))
        self.assertTrue(protocol.received == data)
        self.assertLessEqual(max(map(len, protocol.pieces)), uvloopreactor.READ_SIZE)

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

    def read(self, client: socket.socket, size: int, received: bytearray, when: Event) -> None:
        """
        Read this number of bytes in a thread, and close.
        """
        client.settimeout(PATIENCE)

        def run() -> None:
            when.wait(PATIENCE)
            while len(received) < size and (data := client.recv(65536)):
                received.extend(data)
            client.close()

        thread = Thread(target=run)
        self.addCleanup(thread.join)
        thread.start()

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

    def test_port(self) -> None:
        """
        The socket of a port can be duplicated, and does not block.
        """
        reactor = uvloopreactor.UVLoopReactor()
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        with port.socket.dup() as copy:
            self.assertEqual(copy.getsockname()[1], port.getHost().port)
        self.assertEqual(port.socket.gettimeout(), 0)
        port.stopListening()
        reactor.removeAll()

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

        class Failing(Recorder):
            def connectionMade(self) -> None:
                self.asked = 0
                self.transport.registerProducer(self, False)

            def resumeProducing(self) -> None:
                self.asked += 1
                self.transport.write(b"x")
                if self.asked == 3:
                    raise OSError()

            def stopProducing(self) -> None:
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
        its socket.
        """

        class HandingOver(Recorder):
            def connectionMade(self) -> None:
                reactor = self.factory.reactor
                reactor.removeReader(self.transport)
                reactor.removeWriter(self.transport)
                factory: Any = Factory()
                factory.reactor = reactor
                successor.factory = factory
                factory.buildProtocol = lambda address: successor
                descriptor = self.transport.fileno()
                reactor.adoptStreamConnection(descriptor, socket.AF_INET, factory)

        protocol, successor = HandingOver(), Recorder()
        self.serve(protocol, sendingAll(b"early"))
        protocol.transport.socket.close()
        self.assertEqual(protocol.pieces, [])
        self.assertEqual(successor.pieces, [b"early"])

    def test_takenOutAndPutBack(self) -> None:
        """
        A connection that was removed from the reactor neither reads nor writes, until it
        is added again.
        """

        class TakenOut(Recorder):
            client: socket.socket

            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                self.transport.write(data.upper())
                if len(self.pieces) == 1:
                    self.factory.reactor.removeReader(self.transport)
                    self.factory.reactor.removeWriter(self.transport)
                    self.factory.reactor.callLater(0.02, self.putBack)
                else:
                    self.transport.loseConnection()

            def putBack(self) -> None:
                with case.assertRaises(BlockingIOError):
                    self.client.recv(100, socket.MSG_DONTWAIT)
                self.factory.reactor.addReader(self.transport)
                self.factory.reactor.addWriter(self.transport)
                self.client.sendall(b"again")

        def start(client: socket.socket) -> None:
            protocol.client = client
            client.sendall(b"first")

        case, protocol = self, TakenOut()
        self.serve(protocol, start)
        self.assertEqual(protocol.pieces, [b"first", b"again"])
        self.assertEqual(protocol.client.recv(100), b"FIRSTAGAIN")

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

    def test_greeting(self) -> None:
        """
        A connection that sends only a greeting is not given to libuv, and receives
        everything that the peer sends.
        """
        protocol = Greeting()

        def start(client: socket.socket) -> None:
            client.sendall(b"first")
            later = protocol.factory.reactor.callLater
            later(0.1, client.sendall, b", second")
            later(0.15, client.shutdown, socket.SHUT_WR)

        self.serve(protocol, start)
        self.assertEqual(protocol.received, b"first, second")
        self.assertEqual(protocol.usesLibuv, not uvloopreactor.Ends.works)
        self.assertTrue(protocol.reason.check(ConnectionDone))
        self.assertEqual(protocol.factory.reactor._ends._connections, {})
        self.assertEqual(protocol.transport.fileno(), -1)
        self.assertRegex(repr(protocol.transport), r"^<Greeting #\d+ on ")
        # As it may happen when a protocol aborts its connection and raises an error.
        protocol.transport.connectionLost(protocol.reason)

    def test_greetingPausedByData(self) -> None:
        """
        A connection that has sent a greeting and pauses while it receives data gets no more
        until it resumes.
        """

        class Pausing(Greeting):
            paused = False

            def dataReceived(self, data: bytes) -> None:
                assert not self.paused
                super().dataReceived(data)
                self.paused = True
                self.transport.pauseProducing()
                self.factory.reactor.callLater(0.02, self.resume)

            def resume(self) -> None:
                self.paused = False
                self.transport.resumeProducing()

        protocol = Pausing()
        data = bytes(range(256)) * 1024
        self.serve(protocol, sendingAll(data))
        self.assertTrue(protocol.received == data)

    def test_greetingFailing(self) -> None:
        """
        An error in a protocol that has sent a greeting is logged, and ends the connection.
        """

        class Failing(Greeting):
            def dataReceived(self, data: bytes) -> None:
                raise OSError(data)

        protocol = Failing()
        self.serve(protocol, lambda client: client.sendall(b"x"))
        self.assertTrue(protocol.reason.check(OSError))
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)

    def test_greetingWithoutDescriptors(self) -> None:
        """
        A connection is lost if the system has no descriptor to wait for its end.
        """

        class Limiting(Greeting):
            def connectionMade(self) -> None:
                setrlimit(RLIMIT_NOFILE, (self.transport.fileno(), limits[1]))
                super().connectionMade()

            def connectionLost(self, reason: Failure = connectionDone) -> None:
                setrlimit(RLIMIT_NOFILE, limits)
                super().connectionLost(reason)

        limits = getrlimit(RLIMIT_NOFILE)
        self.addCleanup(setrlimit, RLIMIT_NOFILE, limits)
        protocol = Limiting()
        self.serve(protocol, lambda client: None)
        self.assertTrue(protocol.reason.check(ConnectionLost))

    def test_greetingAbortedByPeer(self) -> None:
        """
        A connection that has sent a greeting is lost when the peer resets it.
        """
        protocol = Greeting()

        def start(client: socket.socket) -> None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            protocol.factory.reactor.callLater(0.1, client.close)

        self.serve(protocol, start)
        self.assertTrue(protocol.reason.check(ConnectionLost))

    def test_greetingWithoutEpoll(self) -> None:
        """
        On a system without epoll, a connection that sends only a greeting ends as it does
        elsewhere.
        """
        self.patch(uvloopreactor.Ends, "works", False)
        protocol = Greeting()
        self.serve(protocol, sendingAll(b"first"))
        self.assertEqual(protocol.received, b"first")
        self.assertTrue(protocol.reason.check(ConnectionDone))

    def test_longGreeting(self) -> None:
        """
        A greeting that the socket does not take at once arrives completely.
        """
        protocol = Greeting()
        protocol.greeting = bytes(range(251)) * 40_000
        received = bytearray()
        written = Event()
        written.set()
        size = len(protocol.greeting)
        self.serve(protocol, lambda client: self.read(client, size, received, written))
        self.assertTrue(received == protocol.greeting)
        self.assertTrue(protocol.usesLibuv)

    def test_loggingContext(self) -> None:
        """
        A connection is the logging context of its protocol, and of nothing else.
        """
        contexts: list[Any] = []

        class Looking(Recorder):
            def dataReceived(self, data: bytes) -> None:
                contexts.append(context.get(log.ILogContext))
                contexts.append(context.get(Looking))
                self.transport.loseConnection()

        context.setDefault(Looking, {"its": "value"})
        self.addCleanup(context.defaultContextDict.__delitem__, Looking)
        self.serve(Looking(), sendingAll(b"x"))
        self.assertRegex(contexts[0]["system"], r"^Looking,\d+,127\.0\.0\.1$")
        self.assertEqual(contexts[1], {"its": "value"})

    def test_addressOfPeer(self) -> None:
        """
        A connection and its factory have the same address of the peer, with all that the
        socket knows of it.
        """

        class Asking(Recorder):
            def connectionMade(self) -> None:
                self.peer = self.transport.getPeer()
                self.client = self.transport.client
                self.transport.loseConnection()

        clients: list[socket.socket] = []
        for interface, kind in (("127.0.0.1", IPv4Address), ("::1", IPv6Address)):
            protocol = Asking()
            self.serve(protocol, clients.append, interface)
            name = clients[-1].getsockname()
            self.assertEqual(protocol.client, name)
            self.assertEqual(protocol.peer, kind("TCP", *name))
            self.assertIs(protocol.address, protocol.peer)

    def test_timers(self) -> None:
        """
        The reactor does not wake up several times before a timer is due.
        """

        class Counting(uvloopreactor.UVLoopReactor):
            turns = 0

            def runUntilCurrent(self) -> None:
                self.turns += 1
                super().runUntilCurrent()

        reactor = Counting()
        timers = 50
        for number in range(timers):
            reactor.callLater(0.0015 * number + 0.0005, lambda: None)
        reactor.callLater(0.0015 * timers + 0.01, reactor.stop)
        reactor.run(installSignalHandlers=False)
        self.assertLess(reactor.turns, 3 * timers)

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

    def test_install(self) -> None:
        """
        The reactor can be installed as the global one.
        """
        installed: list[Any] = []
        self.patch(uvloopreactor, "installReactor", installed.append)
        uvloopreactor.install()
        (reactor,) = installed
        self.assertIsInstance(reactor, uvloopreactor.UVLoopReactor)

    def test_childEnds(self) -> None:
        """
        The end of a child process is reported, also if it shares no pipe with its parent.
        """
        reactor = uvloopreactor.UVLoopReactor()
        ended: list[Failure] = []

        class Watching(ProcessProtocol):
            def processEnded(self, reason: Failure) -> None:
                ended.append(reason)
                reactor.stop()

        timeout = reactor.callLater(PATIENCE, reactor.stop)
        command = program("sleep"), ["sleep", "0.1"]
        reactor.callWhenRunning(reactor.spawnProcess, Watching(), *command, childFDs={})
        before = signal.getsignal(signal.SIGINT)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        reactor.run()
        self.assertTrue(timeout.active())
        self.assertTrue(ended[0].check(ProcessDone))

    def test_twistedTests(self) -> None:
        """
        Twisted's own tests of connections pass, as far as they pass on epoll.  C{make
        test-all} runs all tests of reactors.
        """
        names = [f"twisted.internet.test.test_{name}" for name in ("tcp", "tls", "unix")]
        done = run(
            [sys.executable, "-m", "tests.extended.reactorsuite", *names],
            cwd=CHECKOUT,
            env=MEASURED,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=PATIENCE * 10,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"\d\d\d tests, .* 0 of them only here")
