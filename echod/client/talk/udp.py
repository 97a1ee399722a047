"""
A conversation in datagrams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from echod.client.datagrams import Receiver
from echod.client.exitstatus import REFUSED, SILENT, SOME, Ended, Outcome, explained

MAX_PAYLOAD = 65507
"""
What one datagram carries at most over IPv4, in bytes.
"""

NOT_RUNNING = "[!] Server not running: "


class DatagramConversationProtocol(DatagramProtocol):
    """
    Says one datagram at a time, and the next when that was answered: what a
    network loses is noticed, and what a server cannot take is not sent.

    @ivar finished: Fires when all that was to be said was answered; fails with
        L{Ended} when the port is closed, or nothing answers.
    """

    transport: IUDPTransport
    _silence: IDelayedCall | None = None
    _producer: IPushProducer | None = None

    def __init__(self, reactor: IReactorTime, patience: float, heard: Receiver) -> None:
        """
        @param patience: How long to wait for an answer, in seconds.

        @param heard: Is called with each datagram that comes.
        """
        self.finished: Deferred[None] = Deferred()
        self.answered = 0
        self._reactor = reactor
        self._patience = patience
        self._heard = heard
        self._waiting: deque[bytes] = deque()
        self._saidAll = False

    def say(self, datagram: bytes) -> None:
        """
        Send this, when it is its turn.
        """
        self._waiting.append(datagram)
        if self._silence is None:
            self._sayNext()
        elif self._producer is not None:
            self._producer.pauseProducing()

    def sayFrom(self, producer: IPushProducer) -> None:
        """
        Let what calls L{say} do so only as fast as the server answers.
        """
        self._producer = producer
        producer.resumeProducing()

    def saidAll(self) -> None:
        """
        There is nothing more to say.
        """
        self._saidAll = True
        self._producer = None
        if self._silence is None:
            self.end()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Hand on what the server says.
        """
        self.answered += 1
        self._heard(datagram)
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
            self._sayNext()

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        A datagram could not be sent, or was refused.
        """
        outcome = explained(error, "its port")
        if outcome.status == REFUSED:
            words = "its port is closed (ICMP says so)"
        else:
            words = outcome.words
        self.end(Outcome(outcome.status, NOT_RUNNING + words))

    def end(self, outcome: Outcome | None = None) -> None:
        """
        It is over.

        @param outcome: Why, if it should not be.
        """
        self._waiting.clear()
        self._saidAll = True
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._producer is not None:
            self._producer.stopProducing()
        if not self.finished.called:
            if outcome is None:
                self.finished.callback(None)
            else:
                self.finished.errback(Ended(outcome))

    def _sayNext(self) -> None:
        if self._waiting:
            self._silence = self._reactor.callLater(self._patience, self._heardNothing)
            datagram = self._waiting.popleft()
            try:
                self.transport.write(datagram, None)
            except OSError as error:
                self.failed(error, datagram)
        elif self._producer is not None:
            self._producer.resumeProducing()
        elif self._saidAll:
            self.end()

    def _heardNothing(self) -> None:
        self._silence = None
        words = f"no answer within {self._patience:g} s"
        if self.answered:
            self.end(Outcome(SOME, f"{NOT_RUNNING}{words}, after {self.answered} that came"))
        else:
            self.end(
                Outcome(SILENT, f"{NOT_RUNNING}{words}; it is down, or something drops it")
            )


class Lines:
    """
    Cuts a stream of bytes into lines, each fit for a datagram.
    """

    def __init__(self, line: Receiver, tooLong: Callable[[Outcome], object]) -> None:
        """
        @param line: Is called with each line, without its end.

        @param tooLong: Is called instead when one does not fit.
        """
        self._line = line
        self._tooLong = tooLong
        self._begun = b""
        self._count = 0

    def read(self, data: bytes) -> None:
        """
        Read on.
        """
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._begun) > MAX_PAYLOAD:
            self.end()

    def end(self) -> None:
        """
        What is left is a line too.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._emit(begun)

    def _emit(self, line: bytes) -> None:
        self._count += 1
        if len(line) <= MAX_PAYLOAD:
            self._line(line)
        else:
            words = f"line {self._count} is too long: a datagram carries {MAX_PAYLOAD} bytes"
            self._tooLong(Outcome(SOME, words))
