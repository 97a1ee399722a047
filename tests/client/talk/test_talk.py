"""
Tests for the talking clients, L{echod.client.talk}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import TimeoutError
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides

from echod.client.exitstatus import REFUSED, SILENT, SOME, ClientError
from echod.client.talk.greet import GreetedProtocol
from echod.client.talk.lineeditor import HISTORY, LineEditor
from echod.client.talk.tcp import ConversationProtocol, Exchanged
from echod.client.talk.terminal import PAUSE, LineDisplay
from echod.client.talk.udp import MAX_PAYLOAD, DatagramConversationProtocol, LineSplitter
from echod.tcp.echo import EchoFactory
from echod.tcp.greeting import GreetingFactory
from echod.udp.echo import UDPEchoProtocol
from tests.client.ping.test_pinger import Wire
from tests.support import MemoryTCPTransport, MemoryTLSTransport, clock
from tests.support.link import Link


class GreetedTests(SynchronousTestCase):
    """
    Tests for L{GreetedProtocol}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.heard: list[bytes] = []
        self.client = GreetedProtocol(self.clock, 3, self.heard.append)

    def test_greeting(self) -> None:
        """
        echod's greeting is heard, and then it is over.
        """
        Link(GreetingFactory(clock()), self.client).flush()
        self.assertEqual(self.successResultOf(self.client.finished), 26)
        self.assertEqual(self.heard, [b"Thank you for connecting\r\n"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def connected(self) -> StringTransport:
        """
        @return: The transport of a client that is connected.
        """
        transport = StringTransport()
        self.client.makeConnection(transport)
        return transport

    def test_goesOnListening(self) -> None:
        """
        Of a server that does not close, silence is the end.
        """
        transport = self.connected()
        for _ in range(3):
            self.clock.advance(2)
            self.client.dataReceived(b"hello")
        self.assertFalse(transport.disconnecting)
        self.clock.advance(3)
        self.assertTrue(transport.disconnecting)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.successResultOf(self.client.finished), 15)

    def test_saysNothing(self) -> None:
        """
        A server that says nothing at all is silent.
        """
        self.connected()
        self.clock.advance(3)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(self.client.finished, TimeoutError)

    def test_lost(self) -> None:
        """
        A connection that is lost is no greeting.
        """
        self.client.abort()
        self.connected()
        self.client.connectionLost(Failure(ConnectionLost()))
        self.failureResultOf(self.client.finished, ConnectionLost)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Producer:
    """
    Takes note of what it is told.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def resumeProducing(self) -> None:
        """
        Go on.
        """
        self.told.append("resume")

    def pauseProducing(self) -> None:
        """
        Wait.
        """
        self.told.append("pause")

    def stopProducing(self) -> None:
        """
        Stop.
        """
        self.told.append("stop")


class ConversationTests(SynchronousTestCase):
    """
    Tests for L{ConversationProtocol}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.output = StringTransport()
        self.client = ConversationProtocol(self.clock, 3, self.output)

    def connected(self) -> Any:
        """
        @return: The transport of a client that is connected by TCP.
        """
        return MemoryTCPTransport(self.client)  # type: ignore[arg-type]

    def connectedByTLS(self) -> Any:
        """
        @return: The transport of a client that is connected by TLS.
        """
        return MemoryTLSTransport(self.client)  # type: ignore[arg-type]

    def finished(self) -> Exchanged:
        """
        @return: What the conversation came to.
        """
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return self.successResultOf(self.client.finished)

    def test_echo(self) -> None:
        """
        What is said to echod comes back, and then it is over.
        """
        pump = Link(EchoFactory(clock(), goodbye=False), self.client)
        data = bytes(range(256)) * 1000
        self.client.send(data)
        pump.flush()
        self.client.send(b"bye")
        self.client.finishSending()
        pump.flush()
        self.assertEqual(self.output.value(), data + b"bye")
        self.assertEqual(self.finished(), Exchanged(True, 256_003, 256_003))

    def test_goodbye(self) -> None:
        """
        The server's end is noticed while there is more to say.
        """
        pump = Link(EchoFactory(clock()), self.client)
        self.client.send(b"hello\nbye\n")
        pump.flush()
        self.assertEqual(self.output.value(), b"hello\n")
        self.assertEqual(self.finished(), Exchanged(False, 10, 6))

    def test_greeting(self) -> None:
        """
        A server that only talks is heard.
        """
        Link(GreetingFactory(clock()), self.client).flush()
        self.assertEqual(self.output.value(), b"Thank you for connecting\r\n")

    def test_halfClose(self) -> None:
        """
        Over TCP the server is told that this was all, and may go on.
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
        self.assertEqual(self.finished(), Exchanged(True, 4, 13))

    def test_noHalfClose(self) -> None:
        """
        Where there is no half-close, and less comes back than was sent, silence is
        the end.
        """
        transport = self.connectedByTLS()
        self.client.send(b"data")
        self.client.finishSending()
        self.clock.advance(2)
        self.client.dataReceived(b"dat")
        self.clock.advance(2)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(1)
        self.assertTrue(transport.disconnecting)

    def test_allCameBack(self) -> None:
        """
        Where there is no half-close, and all has come back, it is over.
        """
        transport = self.connectedByTLS()
        self.client.send(b"data")
        self.client.finishSending()
        self.client.dataReceived(b"data")
        self.assertTrue(transport.disconnecting)
        self.client.connectionLost(Failure(ConnectionDone()))
        self.finished()

    def test_unixSocket(self) -> None:
        """
        A UNIX socket has no Nagle's algorithm to switch off.
        """
        transport = StringTransport(peerAddress=UNIXAddress(b"/run/echod.sock"))
        alsoProvides(transport, ITCPTransport)
        self.client.makeConnection(transport)
        self.assertFalse(hasattr(transport, "noDelay"))

    def test_backpressure(self) -> None:
        """
        What it says and what it hears go no faster than the other side takes it.
        """
        transport = self.connected()
        self.assertIs(self.output.producer, transport)
        producer: Any = Producer()
        self.client.sendFrom(producer)
        self.assertEqual(producer.told, ["resume"])
        self.assertIs(transport.producer, producer)
        transport.abortConnection()
        self.failureResultOf(self.client.finished, ConnectionLost)
        self.assertIsNone(self.output.producer)

    def test_abort(self) -> None:
        """
        It can be broken off, connected or not.
        """
        self.client.abort()
        transport = self.connected()
        self.client.abort()
        self.assertTrue(transport.aborted)
        self.failureResultOf(self.client.finished, ConnectionLost, ConnectionAborted)


class DatagramConversationTests(SynchronousTestCase):
    """
    Tests for L{DatagramConversationProtocol}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.heard: list[bytes] = []
        self.client = DatagramConversationProtocol(self.clock, 3, self.heard.append)
        self.wire = Wire(self.client, UDPEchoProtocol(clock()))

    def ended(self, status: int) -> str:
        """
        @return: The words that it ended with.
        """
        self.assertEqual(self.clock.getDelayedCalls(), [])
        outcome = self.failureResultOf(self.client.finished, ClientError).value.outcome
        self.assertEqual(outcome.status, status)
        return str(outcome.message)

    def test_echo(self) -> None:
        """
        echod returns what is said, one after the other, and then it is over.
        """
        for line in (b"one", b"", b"bye"):
            self.client.send(line)
        self.assertEqual(self.wire.waiting, [b"one"])
        self.client.finishSending()
        self.wire.flush()
        self.assertEqual(self.heard, [b"one", b"", b"bye"])
        self.successResultOf(self.client.finished)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nothingToSay(self) -> None:
        """
        Where nothing is said, nothing is waited for; what comes is heard.
        """
        self.client.datagramReceived(b"hello", None)
        self.client.finishSending()
        self.successResultOf(self.client.finished)
        self.assertEqual(self.heard, [b"hello"])

    def test_silent(self) -> None:
        """
        When nothing answers, it says so.
        """
        self.client.send(b"one")
        self.client.send(b"two")
        self.clock.advance(3)
        self.assertIn("[!] Server not running: no answer within 3 s", self.ended(SILENT))

    def test_silentLater(self) -> None:
        """
        When it has answered before, that is told apart.
        """
        self.client.send(b"one")
        self.wire.flush()
        self.client.send(b"two")
        self.clock.advance(3)
        self.assertIn("no answer within 3 s, after 1 that came", self.ended(SOME))

    def test_refused(self) -> None:
        """
        When the port is closed, it says so, whether it hears of it in sending or
        later.
        """
        error = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        self.client.send(b"one")
        self.client.failed(error, b"one")
        self.client.failed(error, b"one")
        self.assertIn("[!] Server not running: its port is closed", self.ended(REFUSED))
        self.setUp()
        self.wire.error = error
        self.client.send(b"one")
        self.assertIn("its port is closed", self.ended(REFUSED))

    def test_unreachable(self) -> None:
        """
        When there is no way, it says so.
        """
        self.client.failed(OSError(errno.EHOSTUNREACH, "no route"), b"")
        self.assertIn("unreachable", self.ended(SILENT))

    def test_backpressure(self) -> None:
        """
        No more is read than is answered.
        """
        producer: Any = Producer()
        self.client.sendFrom(producer)
        self.client.send(b"one")
        self.client.send(b"two")
        self.wire.flush()
        self.assertEqual(producer.told, ["resume", "pause", "resume"])
        self.client.end()
        self.assertEqual(producer.told[3:], ["stop"])


class LineSplitterTests(SynchronousTestCase):
    """
    Tests for L{LineSplitter}.
    """

    def setUp(self) -> None:
        self.said: list[bytes] = []
        self.tooLong: list[str] = []
        self.lines = LineSplitter(
            self.said.append, lambda outcome: self.tooLong.append(outcome.message)
        )

    def test_lines(self) -> None:
        """
        Each line is one, however it is read; so is what follows the last.
        """
        for data in (b"one\ntw", b"o\n\nthr", b"ee"):
            self.lines.read(data)
        self.lines.end()
        self.lines.end()
        self.assertEqual(self.said, [b"one", b"two", b"", b"three"])

    def test_tooLong(self) -> None:
        """
        A line that no datagram carries is not said, whether it has an end or not.
        """
        longest = bytes(MAX_PAYLOAD)
        self.lines.read(longest + b"\n" + longest + b"x\n")
        self.lines.read(longest + b"x")
        self.assertEqual(self.said, [longest])
        self.assertEqual(
            [words[:18] for words in self.tooLong],
            ["line 2 is too long"] * 1 + ["line 3 is too long"],
        )


class LineEditorTests(SynchronousTestCase):
    """
    Tests for L{LineEditor}.
    """

    def setUp(self) -> None:
        self.editor = LineEditor("> ")

    def typed(self, keys: str) -> list[str | None]:
        """
        @return: The lines that come of some keys.
        """
        return list(self.editor.type(keys.encode()))

    def test_line(self) -> None:
        """
        What was typed is a line at Enter.
        """
        self.assertEqual(self.typed("hel"), [])
        self.assertEqual(self.typed("lo\rwörld\n"), ["hello", "wörld"])

    def test_pieces(self) -> None:
        """
        Characters and keys may come byte by byte; what no key sends is ignored.
        """
        lines: list[str | None] = []
        for byte in "añ€\x1b[D\x1b[99~\x1bx\x1bO\x07!\r".encode():
            lines += self.editor.type(bytes([byte]))
        self.assertEqual(lines, ["añ!€"])

    def test_text(self) -> None:
        """
        Every character that is not a control character is kept: joiners, wide spaces and
        spaces that do not break.
        """
        for text in ("\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f467", "a\u3000b\xa0c"):
            self.assertEqual(self.typed(text + "\x00\r"), [text])
        self.typed("\x01ab\u200d")
        self.assertTrue(self.editor.draw(80).endswith("> ab\u200d"))

    def test_keys(self) -> None:
        """
        The keys do what they do in a shell.
        """
        for keys, line in {
            "bc\x1b[D\x1b[Da\x1b[C\x1b[C\x1b[Cd": "abcd",
            "bc\x01a\x05d": "abcd",
            "bc\x1b[Ha\x1b[Fd": "abcd",
            "abx\x7fc": "abc",
            "xabc\x01\x1b[3~": "abc",
            "xabc\x01\x04": "abc",
            "abc\x02\x02\x0b": "a",
            "abc\x02\x15": "c",
            "one two  \x17three": "one three",
            "\x7f\x08\x02\x06\x0b\x15\x17ok": "ok",
        }.items():
            self.assertEqual(self.typed(keys + "\r"), [line], repr(keys))

    def test_history(self) -> None:
        """
        The arrows lead through what was typed, and back to what was begun.
        """
        self.typed("one\rtwo\rtwo\r\rth")
        up, down = "\x1b[A", "\x1b[B"
        self.typed(up)
        self.assertEqual(self.editor.before, "two")
        self.typed(up + up + up)
        self.assertEqual(self.editor.before, "one")
        self.typed(down + down + down)
        self.assertEqual(self.editor.before, "th")
        self.assertEqual(self.typed(up + up + "!\r"), ["one!"])

    def test_historyEnds(self) -> None:
        """
        Not everything is remembered.
        """
        for number in range(HISTORY + 10):
            self.typed(f"{number}\r")
        self.typed("\x10" * 2 * HISTORY)
        self.assertEqual(self.editor.before, "11")

    def test_end(self) -> None:
        """
        Ctrl-D is the end on an empty line only.
        """
        self.assertEqual(self.typed("a\x04\r\x04"), ["a", None])

    def test_draw(self) -> None:
        """
        The line is drawn on one row, with the cursor where it is.
        """
        self.typed("hello\x02\x02")
        self.assertEqual(self.editor.draw(80), "\r\x1b[K> hello\x1b[2D")
        self.typed("\x05")
        self.assertEqual(self.editor.draw(80), "\r\x1b[K> hello")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> ello")
        self.typed("\x01")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> hell\x1b[4D")
        self.typed("\x0b日本e\u0301")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> 本e\u0301")


class LineDisplayTests(SynchronousTestCase):
    """
    Tests for L{LineDisplay}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.shown: list[str] = []
        self.words = LineDisplay(self.clock, self.shown.append)
        self.words.registerProducer(None, True)
        self.addCleanup(self.words.unregisterProducer)

    def test_lines(self) -> None:
        """
        Each line is shown when it is whole, with nothing in it that could harm the
        terminal.
        """
        for data in (b"he", b"llo\r\nwor", b"ld\x1b[2J\n"):
            self.words.write(data)
        self.assertEqual(self.shown, ["From Server : hello", "From Server : world\\x1b[2J"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unfinished(self) -> None:
        """
        What is no whole line is shown when nothing follows, or when it gets long.
        """
        self.words.write(b"login: ")
        self.assertEqual(self.shown, [])
        self.clock.advance(PAUSE)
        self.assertEqual(self.shown, ["From Server : login: "])
        self.words.write(b"x" * 2000)
        self.assertEqual(len(self.shown), 2)
        self.words.flush()
        self.assertEqual(len(self.shown), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])
