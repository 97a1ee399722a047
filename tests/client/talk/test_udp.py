"""
Tests for L{echod.client.talk.udp}, L{echod.client.talk.answers} and
L{echod.client.talk.lines}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import REFUSED, SILENT, ClientError
from echod.client.talk.lines import MAX_PAYLOAD, LineSplitter
from echod.client.talk.udp import (
    LAST_LOOK,
    REMEMBERED,
    DatagramConversationProtocol,
)
from echod.udp.echo import UDPEchoProtocol
from tests.client.ping.test_pinger import Wire
from tests.client.talk.test_tcp import Producer
from tests.support import clock


class DatagramConversationTests(SynchronousTestCase):
    """
    Tests for L{DatagramConversationProtocol}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.received: list[bytes] = []
        self.lost: list[bytes] = []
        self.client = DatagramConversationProtocol(
            self.clock, 3, self.received.append, self.lost.append
        )
        self.wire = Wire(self.client, UDPEchoProtocol(clock()))

    def failed(self, status: int) -> str:
        """
        @return: The message of the failure.
        """
        self.assertEqual(self.clock.getDelayedCalls(), [])
        outcome = self.failureResultOf(self.client.finished, ClientError).value.outcome
        self.assertEqual(outcome.status, status)
        return str(outcome.message)

    def outcome(self) -> tuple[int, str]:
        """
        @return: The exit status and the message after the last look.
        """
        self.client.finishSending()
        self.clock.advance(LAST_LOOK)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        return self.successResultOf(self.client.finished).outcome(3)

    def answer(self, *datagrams: bytes) -> None:
        """
        Let datagrams arrive.
        """
        for datagram in datagrams:
            self.client.datagramReceived(datagram, None)

    def test_echo(self) -> None:
        """
        echod returns what is sent, one datagram after the other.
        """
        for line in (b"one", b"", b"bye"):
            self.client.send(line)
        self.assertEqual(self.wire.waiting, [b"one"])
        self.wire.flush()
        self.assertEqual(self.received, [b"one", b"", b"bye"])
        self.assertEqual(self.outcome(), (0, ""))

    def test_nothingToSend(self) -> None:
        """
        If there is nothing to send, an empty datagram finds out whether the port is open.
        """
        self.client.finishSending()
        self.assertEqual(self.wire.waiting, [b""])
        self.wire.flush()
        self.assertEqual(self.received, [])
        self.assertEqual(self.outcome(), (0, ""))

    def test_lost(self) -> None:
        """
        A lost answer is reported, and the next line is sent.
        """
        self.client.send(b"one")
        self.client.send(b"two")
        self.clock.advance(3)
        self.assertEqual(self.lost, [b"one"])
        self.answer(b"two")
        self.assertEqual(self.outcome(), (1, "2 lines sent, 1 came back, 1 lost"))

    def test_silent(self) -> None:
        """
        If no answer has come to any line, the server is silent.
        """
        self.client.send(b"one")
        self.clock.advance(3)
        status, message = self.outcome()
        self.assertEqual(status, SILENT)
        self.assertIn("[!] Server not running: no answer within 3 s", message)

    def test_late(self) -> None:
        """
        An answer after the timeout belongs to its line, not to the line that is waiting.
        """
        self.client.send(b"one")
        self.clock.advance(3)
        self.client.send(b"two")
        self.answer(b"one", b"two")
        self.assertEqual(self.outcome(), (1, "2 lines sent, 1 came back, 1 late"))

    def test_repeated(self) -> None:
        """
        An answer that comes again is counted: while the next line waits, and at the end.
        """
        self.client.send(b"one")
        self.answer(b"one")
        self.client.send(b"two")
        self.answer(b"one", b"two", b"two")
        self.assertEqual(self.outcome(), (5, "2 lines sent, 2 came back, 2 repeated"))

    def test_wrong(self) -> None:
        """
        An answer that equals no line is wrong.  An answer that is the beginning of its line is
        shortened.
        """
        for line in (b"one", b"two", b"three"):
            self.client.send(line)
        self.answer(b"ONE", b"tw", b"three", b"four")
        self.assertEqual(self.outcome(), (5, "3 lines sent, 1 came back, 1 shortened, 2 wrong"))
        self.setUp()
        self.client.send(b"one")
        self.answer(b"on")
        self.assertEqual(self.outcome(), (1, "1 line sent, 0 came back, 1 shortened"))

    def test_forgets(self) -> None:
        """
        The client remembers only the last lines.
        """
        for number in range(REMEMBERED + 2):
            self.client.send(b"%d" % number)
        self.wire.flush()
        self.answer(b"0", b"1", b"2")
        answers = self.client.answers
        self.assertEqual((answers.wrong, answers.repeated), (2, 1))

    def test_refused(self) -> None:
        """
        A closed port is reported, whether the error comes while sending or later.
        """
        error = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
        self.client.send(b"one")
        self.client.failed(error, b"one")
        self.client.failed(error, b"one")
        self.assertIn("[!] Server not running: its port is closed", self.failed(REFUSED))
        self.setUp()
        self.wire.error = error
        self.client.send(b"one")
        self.assertIn("its port is closed", self.failed(REFUSED))

    def test_unreachable(self) -> None:
        """
        A missing route is reported.
        """
        self.client.failed(OSError(errno.EHOSTUNREACH, "no route"), b"")
        self.assertIn("unreachable", self.failed(SILENT))

    def test_endedByReceiver(self) -> None:
        """
        The client can be ended while it reports a lost answer.
        """
        self.client = DatagramConversationProtocol(
            self.clock, 3, self.received.append, lambda _: self.client.end()
        )
        Wire(self.client, UDPEchoProtocol(clock()))
        self.client.send(b"one")
        self.client.send(b"two")
        self.clock.advance(3)
        self.assertEqual(self.successResultOf(self.client.finished).lost, 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_backpressure(self) -> None:
        """
        The source pauses while an answer is awaited.
        """
        producer: Any = Producer()
        self.client.sendFrom(producer)
        self.client.send(b"one")
        self.client.send(b"two")
        self.wire.flush()
        self.assertEqual(producer.calls, ["resume", "pause", "resume"])
        self.client.end()
        self.assertEqual(producer.calls[3:], ["stop"])


class LineSplitterTests(SynchronousTestCase):
    """
    Tests for L{LineSplitter}.
    """

    def setUp(self) -> None:
        self.lines: list[bytes] = []
        self.tooLong: list[str] = []
        self.splitter = LineSplitter(
            self.lines.append, lambda outcome: self.tooLong.append(outcome.message)
        )

    def test_lines(self) -> None:
        """
        The lines do not depend on the pieces that are read.  The last line needs no line
        ending.
        """
        for data in (b"one\ntw", b"o\n\nthr", b"ee"):
            self.splitter.read(data)
        self.splitter.end()
        self.splitter.end()
        self.assertEqual(self.lines, [b"one", b"two", b"", b"three"])

    def test_tooLong(self) -> None:
        """
        A line that does not fit into a datagram is not sent, with or without an ending.
        """
        longest = bytes(MAX_PAYLOAD)
        self.splitter.read(longest + b"\n" + longest + b"x\n")
        self.splitter.read(longest + b"x")
        self.assertEqual(self.lines, [longest])
        self.assertEqual(
            [message[:18] for message in self.tooLong],
            ["line 2 is too long", "line 3 is too long"],
        )
