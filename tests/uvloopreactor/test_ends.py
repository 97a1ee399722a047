"""
Tests for L{echod.uvloopreactor.ends}.
"""

from __future__ import annotations

import socket
import struct
import sys
from functools import partial
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from threading import Event

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.support import lacking
from tests.support.daemon import PATIENCE
from tests.support.uvloopserving import Ends, Recorder, UVLoopTestCase, sendingAll


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


class EndsTests(UVLoopTestCase):
    """
    Tests for L{Ends<echod.uvloopreactor.ends.Ends>}, and for connections that need it.
    """

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
        self.assertEqual(protocol.usesLibuv, not Ends.works)
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
        A connection is lost when the peer resets it, before or after it has sent a greeting.
        """

        def start(client: socket.socket, late: bool) -> None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if late:
                protocol.factory.reactor.callLater(0.1, client.close)
            else:
                client.close()

        for late in (False, True):
            protocol = Greeting()
            self.serve(protocol, partial(start, late=late))
            self.assertTrue(protocol.reason.check(ConnectionLost))

    def test_greetingAndLosing(self) -> None:
        """
        A connection that is closed after it has closed its sending side ends at once, when
        the greeting is sent.
        """

        class Losing(Greeting):
            def connectionMade(self) -> None:
                super().connectionMade()
                self.transport.loseConnection()

        protocol = Losing()
        clients: list[socket.socket] = []
        self.serve(protocol, clients.append)
        self.assertEqual(clients[0].recv(100), b"hello")

    def test_greetingInOnePacket(self) -> None:
        """
        On Linux, a greeting and the end of the stream arrive in one packet.
        """
        if sys.platform != "linux":
            lacking("Linux")
        clients: list[socket.socket] = []

        class Counting(Greeting):
            def connectionLost(self, reason: Failure = connectionDone) -> None:
                clients[0].settimeout(PATIENCE)
                received.append(clients[0].recv(100))
                received.append(clients[0].recv(100))
                information = clients[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144)
                # The first of them has opened the connection.
                packets.append(struct.unpack("@140xI", information)[0] - 1)
                super().connectionLost(reason)

            def writeConnectionLost(self) -> None:
                self.transport.loseConnection()

        received: list[bytes] = []
        packets: list[int] = []
        self.serve(Counting(), clients.append)
        self.assertEqual((received, packets), ([b"hello", b""], [1]))

    def test_greetingWithoutEpoll(self) -> None:
        """
        On a system without epoll, a connection that sends only a greeting ends as it does
        elsewhere.
        """
        self.patch(Ends, "works", False)
        protocol = Greeting()
        self.serve(protocol, sendingAll(b"first"))
        self.assertEqual(protocol.received, b"first")
        self.assertTrue(protocol.reason.check(ConnectionDone))

    def test_longGreeting(self) -> None:
        """
        A greeting that the socket does not take at once arrives completely.
        """
        written = Event()

        class LongGreeting(Greeting):
            greeting = bytes(range(251)) * 40_000

            def connectionMade(self) -> None:
                super().connectionMade()
                # The connection starts in this turn.
                self.factory.reactor.callLater(0, written.set)

        protocol = LongGreeting()
        received = bytearray()
        size = len(protocol.greeting)
        self.serve(protocol, lambda client: self.read(client, size, received, written))
        self.assertTrue(received == protocol.greeting)
        self.assertTrue(protocol.usesLibuv)
