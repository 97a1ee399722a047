"""
Tests for L{echod.tcp.promptconnection}.
"""

from __future__ import annotations

import socket
from time import monotonic, time
from types import SimpleNamespace
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.selectreactor import SelectReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from echod.tcp.listeningsocket import ListeningReactor
from echod.tcp.promptconnection import sendPromptly
from tests.support.daemon import PATIENCE
from tests.support.protocols import FailingProducer, RecordingProtocol


class Reactor(SelectReactor):
    """
    A reactor that records which connections wait until their sockets take data.
    """

    def __init__(self) -> None:
        self.waited: list[Any] = []
        super().__init__()

    def addWriter(self, writer: Any) -> None:
        """
        Record the writer.
        """
        self.waited.append(writer)
        super().addWriter(writer)


@implementer(IHalfCloseableProtocol)
class Greeting(RecordingProtocol):
    """
    Sends a greeting, and closes its sending side.
    """

    greeting = b"hello"

    def connectionMade(self) -> None:
        """
        Greet.
        """
        self.transport: Any
        self.transport.write(self.greeting[:2])
        self.transport.write(self.greeting[2:])
        self.transport.loseWriteConnection()

    def writeConnectionLost(self) -> None:
        """
        Go on reading.
        """

    def readConnectionLost(self) -> None:
        """
        Close.
        """
        self.transport.loseConnection()


class PromptConnectionTests(SynchronousTestCase):
    """
    Tests for L{PromptConnection<echod.tcp.promptconnection.PromptConnection>}.
    """

    def connect(self, protocol: Protocol, clock: Any = monotonic) -> None:
        """
        Connect a client to a protocol.
        """
        self.reactor = Reactor()
        self.reactor.seconds = clock
        factory: Any = Factory()
        factory.noisy = False
        factory.buildProtocol = lambda address: protocol
        port = ListeningReactor(self.reactor).listenTCP(0, factory, 5, "127.0.0.1")
        self.addCleanup(self.reactor.disconnectAll)
        self.client = socket.create_connection(port.socket.getsockname())
        self.addCleanup(self.client.close)
        self.client.settimeout(PATIENCE)

    def until(self, condition: Any) -> None:
        """
        Run the reactor until a condition is true.
        """
        deadline = monotonic() + PATIENCE
        while not condition():
            self.assertLess(monotonic(), deadline)
            self.reactor.iterate(0.01)

    def read(self) -> bytes:
        """
        Read to the end of the stream while the reactor runs.
        """
        received = bytearray()
        self.client.setblocking(False)

        def ended() -> bool:
            try:
                data = self.client.recv(1 << 16)
            except BlockingIOError:
                return False
            received.extend(data)
            return not data

        self.until(ended)
        return bytes(received)

    def test_prompt(self) -> None:
        """
        A greeting and the end of the stream are sent without waiting for the socket, and the
        peer's data is received until the peer closes.
        """
        protocol = Greeting()
        self.connect(protocol)
        self.assertEqual(self.read(), b"hello")
        self.client.sendall(b"thanks")
        self.client.close()
        self.until(lambda: protocol.lost.called)
        self.assertIs(self.successResultOf(protocol.lost), ConnectionDone)
        self.assertEqual(protocol.received, b"thanks")
        self.assertEqual(self.reactor.waited, [])

    def test_large(self) -> None:
        """
        The rest of a greeting that the socket does not take at once is sent when it does.
        """
        protocol = Greeting()
        protocol.greeting = bytes(range(251)) * 40_000
        self.connect(protocol)
        self.assertTrue(self.read() == protocol.greeting)
        self.assertIn(protocol.transport, self.reactor.waited)

    def test_aborted(self) -> None:
        """
        Data of a connection that has ended is not sent.
        """

        class Losing(Greeting):
            def connectionMade(self) -> None:
                super().connectionMade()
                self.transport.connectionLost(Failure(ConnectionAborted()))

        protocol = Losing()
        self.connect(protocol)
        self.until(lambda: protocol.lost.called)
        self.reactor.iterate(0)
        self.assertRaises(ConnectionResetError, self.client.recv, 1)

    def test_failing(self) -> None:
        """
        An error in a producer is logged, and ends the connection.
        """
        protocol = FailingProducer()
        self.connect(protocol)
        self.until(lambda: protocol.lost.called)
        self.assertEqual(len(self.flushLoggedErrors(OSError)), 1)
        self.assertEqual(self.client.recv(100), b"xx")

    def test_otherTransports(self) -> None:
        """
        A port whose connections are not Twisted's own keeps them.
        """
        port = SimpleNamespace(transport=Greeting)
        self.assertIs(sendPromptly(port).transport, Greeting)

    def test_timeOfDay(self) -> None:
        """
        A reactor whose timers use the time of day sends also when the clock is set back.
        """

        protocol = Greeting()
        self.connect(protocol, time)
        self.until(lambda: protocol.connected)
        self.reactor.seconds = lambda: time() - 3600
        self.assertEqual(self.read(), b"hello")
