"""
A conversation by datagrams.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from echod.client.datagrams import Receiver
from echod.client.exitstatus import REFUSED, SILENT, SOME, ClientError, Outcome, explain

MAX_PAYLOAD = 65507
"""
The largest payload of a datagram over IPv4, in bytes.
"""

NOT_RUNNING = "[!] Server not running: "


class DatagramConversationProtocol(DatagramProtocol):
    """
    Sends one datagram at a time, and the next when an answer has come.  So a lost
    datagram is noticed, and a slow server is not overrun.

    @ivar finished: Fires when all datagrams have been answered; fails with
        L{ClientError} if an error came back, or no answer.
    """

    transport: IUDPTransport
    _silence: IDelayedCall | None = None
    _producer: IPushProducer | None = None

    def __init__(self, reactor: IReactorTime, patience: float, receiver: Receiver) -> None:
        """
        @param patience: How long to wait for an answer, in seconds.

        @param receiver: Called with each datagram that comes.
        """
        self.finished: Deferred[None] = Deferred()
        self.answered = 0
        self._reactor = reactor
        self._patience = patience
        self._receiver = receiver
        self._waiting: deque[bytes] = deque()
        self._sentAll = False

    def send(self, datagram: bytes) -> None:
        """
        Send a datagram, after those that are waiting.
        """
        self._waiting.append(datagram)
        if self._silence is None:
            self._sendNext()
        elif self._producer is not None:
            self._producer.pauseProducing()

    def sendFrom(self, producer: IPushProducer) -> None:
        """
        Start a producer that calls L{send}, and pause it while an answer is awaited.
        """
        self._producer = producer
        producer.resumeProducing()

    def finishSending(self) -> None:
        """
        Finish when all datagrams have been answered.
        """
        self._sentAll = True
        self._producer = None
        if self._silence is None:
            self.end()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Deliver a datagram, and send the next.
        """
        self.answered += 1
        self._receiver(datagram)
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
            self._sendNext()

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        End with an error that was raised in sending or came back.
        """
        outcome = explain(error, "its port")
        if outcome.status == REFUSED:
            message = "its port is closed (ICMP says so)"
        else:
            message = outcome.message
        self.end(Outcome(outcome.status, NOT_RUNNING + message))

    def end(self, outcome: Outcome | None = None) -> None:
        """
        End now.

        @param outcome: The failure, if this is one.
        """
        self._waiting.clear()
        self._sentAll = True
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._producer is not None:
            self._producer.stopProducing()
        if not self.finished.called:
            if outcome is None:
                self.finished.callback(None)
            else:
                self.finished.errback(ClientError(outcome))

    def _sendNext(self) -> None:
        if self._waiting:
            self._silence = self._reactor.callLater(self._patience, self._timedOut)
            datagram = self._waiting.popleft()
            try:
                self.transport.write(datagram, None)
            except OSError as error:
                self.failed(error, datagram)
        elif self._producer is not None:
            self._producer.resumeProducing()
        elif self._sentAll:
            self.end()

    def _timedOut(self) -> None:
        self._silence = None
        message = f"{NOT_RUNNING}no answer within {self._patience:g} s"
        if self.answered:
            self.end(Outcome(SOME, f"{message}, after {self.answered} that came"))
        else:
            self.end(Outcome(SILENT, f"{message}; it is down, or something drops it"))


class LineSplitter:
    """
    Splits a stream of bytes into lines that fit into datagrams.
    """

    def __init__(self, receiver: Receiver, tooLong: Callable[[Outcome], object]) -> None:
        """
        @param receiver: Called with each line, without its line ending.

        @param tooLong: Called instead for a line that does not fit.
        """
        self._receiver = receiver
        self._tooLong = tooLong
        self._begun = b""
        self._count = 0

    def read(self, data: bytes) -> None:
        """
        Take more bytes.
        """
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._begun) > MAX_PAYLOAD:
            self.end()

    def end(self) -> None:
        """
        Emit the last line if it has no line ending.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._emit(begun)

    def _emit(self, line: bytes) -> None:
        self._count += 1
        if len(line) <= MAX_PAYLOAD:
            self._receiver(line)
        else:
            message = f"line {self._count} is too long: a datagram carries {MAX_PAYLOAD} bytes"
            self._tooLong(Outcome(SOME, message))
