"""
Tests for L{echod.client.talk.tcp}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from echod.client.exitstatus import Outcome
from echod.client.talk.commands import judge
from echod.client.talk.tcp import CLOSED, LAST_LOOK, LOST, ConversationProtocol
from echod.client.talk.window import WINDOW
from echod.tcp.echo import EchoFactory
from echod.tcp.greeting import GreetingFactory
from tests.support import MemoryTCPTransport, MemoryTLSTransport, clock
from tests.support.link import Link


class Producer:
    """
    Records the calls of a transport.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []

    def resumeProducing(self) -> None:
        """
        Record C{resume}.
        """
        self.calls.append("resume")

    def pauseProducing(self) -> None:
        """
        Record C{pause}.
        """
        self.calls.append("pause")

    def stopProducing(self) -> None:
        """
        Record C{stop}.
        """
        self.calls.append("stop")


class ConversationTestCase(SynchronousTestCase):
    """
    A client with a timeout of three seconds.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.output: Any = StringTransport()
        self.client = ConversationProtocol(self.clock, 3, self.output)

    def connected(self) -> Any:
        """
        @return: The transport of the client, connected by TCP.
        """
        return MemoryTCPTransport(self.client)  # type: ignore[arg-type]

    def connectedByTLS(self) -> Any:
        """
        @return: The transport of the client, connected by TLS.
        """
        return MemoryTLSTransport(self.client)  # type: ignore[arg-type]

    def finished(self) -> str:
        """
        @return: How the connection ended.
        """
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIsNone(self.output.producer)
        return self.successResultOf(self.client.finished)


class ConversationTests(ConversationTestCase):
    """
    Tests for L{ConversationProtocol}.
    """

    def test_echo(self) -> None:
        """
        Everything that is sent to echod comes back, and the server closes.
        """
        link = Link(EchoFactory(clock(), goodbye=False), self.client)
        data = bytes(range(256)) * 1000
        self.client.send(data)
        link.flush()
        self.client.send(b"bye")
        self.client.finishSending()
        link.flush()
        self.assertEqual(self.output.value(), data + b"bye")
        self.assertEqual(self.finished(), CLOSED)
        self.assertEqual(self.client.comparison.received, 256_003)

    def test_goodbye(self) -> None:
        """
        The client notices that the server closes, before it has finished sending.
        """
        link = Link(EchoFactory(clock()), self.client)
        self.client.send(b"hello\nbye\n")
        link.flush()
        self.assertEqual(self.output.value(), b"hello\n")
        self.assertEqual(self.finished(), CLOSED)
        self.assertFalse(self.client.sentAll)

    def test_greeting(self) -> None:
        """
        The client receives from a server that only sends.
        """
        Link(GreetingFactory(clock()), self.client).flush()
        self.assertEqual(self.output.value(), b"Thank you for connecting\r\n")

    def test_halfClose(self) -> None:
        """
        Over TCP the client closes its sending side, and receives until the server closes.
        """
        transport = self.connected()
        self.assertTrue(transport.noDelay)
        self.client.send(b"data")
        self.client.finishSending()
        self.client.writeConnectionLost()
        self.assertTrue(transport.writeClosed)
        self.client.dataReceived(b"data and more")
        self.assertFalse(transport.disconnecting)
        self.client.readConnectionLost()
        self.assertTrue(transport.disconnecting)
        transport.connectionDone()
        self.assertEqual(self.finished(), CLOSED)

    def test_noHalfClose(self) -> None:
        """
        Over TLS, the client closes shortly after everything has come back.
        """
        transport = self.connectedByTLS()
        self.client.send(b"data")
        self.client.finishSending()
        self.client.dataReceived(b"dat")
        self.clock.advance(LAST_LOOK)
        self.client.dataReceived(b"a")
        self.assertFalse(transport.disconnecting)
        self.clock.advance(LAST_LOOK)
        self.assertTrue(transport.disconnecting)
        self.clock.advance(2)
        transport.connectionDone()
        self.assertEqual(self.finished(), CLOSED)

    def test_noClosingWithoutHalfClose(self) -> None:
        """
        Over TLS, the client does not wait for ever for the server to close.
        """
        for answers in (1, 2):
            self.setUp()
            transport = self.connectedByTLS()
            self.client.send(b"data")
            self.client.finishSending()
            self.client.dataReceived(b"data" * answers)
            self.clock.pump([LAST_LOOK, 3])
            self.assertTrue(transport.aborted)
            self.assertEqual(self.finished(), "the server did not close within 3 s")

    def test_tooMuchWithoutHalfClose(self) -> None:
        """
        Over TLS, the client closes if more has come back than it has sent.
        """
        transport = self.connectedByTLS()
        self.client.send(b"data")
        self.client.finishSending()
        self.client.dataReceived(b"data")
        self.client.dataReceived(b"data")
        self.assertTrue(transport.disconnecting)

    def test_timeout(self) -> None:
        """
        The client ends if an echo or the end of the connection is due and nothing comes.
        """
        for connect in (self.connected, self.connectedByTLS):
            for answer, finish in ((b"", True), (b"", False), (b"dat", True), (b"dat", False)):
                self.setUp()
                transport = connect()
                self.clock.advance(10)
                self.client.send(b"data")
                if finish:
                    self.client.finishSending()
                self.clock.advance(2)
                self.client.dataReceived(answer)
                self.clock.advance(2)
                self.assertFalse(transport.aborted)
                self.clock.advance(1)
                self.assertTrue(transport.aborted)
                self.assertEqual(self.finished(), "nothing more came within 3 s")

    def test_foreverWrong(self) -> None:
        """
        A server that sends other data for ever does not delay the end, even if it reads
        nothing and the consumer is full at times.
        """
        for finish in (True, False):
            self.setUp()
            transport = self.connected()
            if finish:
                self.client.finishSending()
            else:
                self.client.sendFrom(Producer())  # type: ignore[arg-type]
                self.client.send(b"data" * 1000)
            self.client.dataReceived(b"?")
            for _ in range(5):
                self.output.producer.pauseProducing()
                self.clock.advance(0.5)
                self.output.producer.resumeProducing()
                self.client.dataReceived(b"?" * 5000)
            self.assertFalse(transport.aborted)
            self.clock.advance(0.5)
            self.assertTrue(transport.aborted)
            self.finished()

    def test_foreverWrongAtTerminal(self) -> None:
        """
        A person can talk to a server that answers with other data.
        """
        transport = self.connected()
        for _ in range(5):
            self.client.send(b"HELP\n")
            self.client.dataReceived(b"no\n")
            self.clock.advance(2)
        self.assertFalse(transport.aborted)

    def test_neverCloses(self) -> None:
        """
        The client ends when all has come back and the server does not close.
        """
        transport = self.connected()
        self.client.send(b"data")
        self.client.dataReceived(b"data")
        self.clock.advance(10)
        self.client.finishSending()
        self.clock.advance(3)
        self.assertTrue(transport.aborted)
        self.assertEqual(self.finished(), "the server did not close within 3 s")

    def test_fullOutput(self) -> None:
        """
        While the consumer is full the client does not read, and the server is not late.
        """
        transport = self.connected()
        producer = self.output.producer
        self.client.send(b"data")
        producer.pauseProducing()
        self.assertEqual(transport.producerState, "paused")
        self.client.send(b"more")
        self.clock.advance(10)
        self.assertFalse(transport.aborted)
        producer.resumeProducing()
        self.assertEqual(transport.producerState, "producing")
        self.clock.advance(3)
        self.assertTrue(transport.aborted)

    def test_outputGone(self) -> None:
        """
        When the consumer is gone, the client closes at once.
        """
        transport = self.connected()
        self.output.producer.stopProducing()
        self.assertTrue(transport.aborted)

    def test_unixSocket(self) -> None:
        """
        A UNIX socket has no Nagle algorithm to switch off.
        """
        transport = StringTransport(peerAddress=UNIXAddress(b"/run/echod.sock"))
        alsoProvides(transport, ITCPTransport)
        self.client.makeConnection(transport)
        self.assertFalse(hasattr(transport, "noDelay"))

    def test_backpressure(self) -> None:
        """
        The source pauses while the transport is full, and while too much has not come
        back.
        """
        transport = self.connected()
        source: Any = Producer()
        self.client.sendFrom(source)
        window = transport.producer
        self.client.send(bytes(WINDOW))
        self.assertEqual(source.calls[-1], "pause")
        window.resumeProducing()
        self.assertEqual(source.calls[-1], "pause")
        window.pauseProducing()
        self.client.dataReceived(bytes(1000))
        self.assertEqual(source.calls[-1], "pause")
        window.resumeProducing()
        self.assertEqual(source.calls[-1], "resume")
        window.stopProducing()
        self.assertEqual(source.calls[-1], "stop")
        self.client.abort()
        self.assertEqual(self.finished(), LOST)

    def test_abort(self) -> None:
        """
        The client can be aborted, connected or not.
        """
        self.client.abort()
        transport = self.connected()
        self.client.abort()
        self.assertTrue(transport.aborted)
        self.assertEqual(self.finished(), LOST)


class JudgeTests(ConversationTestCase):
    """
    Tests for L{judge}.
    """

    def judged(
        self, returned: bytes, end: str = CLOSED, sent: bytes = b"hello\nworld\n"
    ) -> Outcome:
        """
        @return: The outcome after some bytes were sent and some have come back.
        """
        self.setUp()
        self.connected()
        self.client.send(sent)
        self.client.finishSending()
        self.client.dataReceived(returned)
        return judge(end, self.client)

    def test_all(self) -> None:
        """
        Everything has come back, and the server has closed.  A goodbye need not come back.
        """
        self.assertEqual(self.judged(b"hello\nworld\n"), (0, ""))
        self.assertEqual(self.judged(b"hello\n", sent=b"hello\nbye\n"), (0, ""))
        self.assertEqual(self.judged(b"", sent=b""), (0, ""))

    def test_failures(self) -> None:
        """
        Each failure has a status, and one line with the numbers of bytes and the first
        difference.
        """
        for returned, end, status, message in (
            (b"", CLOSED, 1, "connected, but no echo: is this an echo server? does it expect"),
            (b"hello\n", CLOSED, 1, "12 bytes sent, 6 received; the first that is missing is"),
            (b"hello\n", "why", 1, "is byte 7; why"),
            (b"hello\nworld\n", LOST, 1, "12 bytes sent, 12 received; the connection was lost"),
            (b"hello\nWORLD\n", CLOSED, 5, "12 received; what came back differs at byte 7"),
            (b"hello\nworld\n!", CLOSED, 5, "13 received; what came back differs at byte 13"),
            (b"world\n", CLOSED, 1, "6 received; the first that is missing is byte 1;"),
            (b"?", "silence", 5, "differs at byte 1: is this an echo server? does it"),
        ):
            outcome = self.judged(returned, end)
            self.assertEqual(outcome.status, status, returned)
            self.assertIn(message, outcome.message)

    def test_cutByGoodbye(self) -> None:
        """
        Data after a goodbye, which the server has discarded, is reported.
        """
        outcome = self.judged(b"hello\n", sent=b"hello\nbye\nworld\n")
        self.assertEqual(outcome.status, 1)
        self.assertIn(
            "ended the session at the line 'bye', byte 7, and 6 bytes after it did not come "
            "back",
            outcome.message,
        )

    def test_endedEarly(self) -> None:
        """
        A server that closes before the client has finished sending has ended too early.
        """
        self.connected()
        self.client.send(b"bye\n")
        self.assertEqual(
            judge(CLOSED, self.client),
            (1, "4 bytes sent, 0 received; the server closed the connection"),
        )
