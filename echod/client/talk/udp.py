"""
A conversation by datagrams.
"""

from __future__ import annotations

from collections import deque
from hashlib import blake2b

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from echod.client.exitstatus import REFUSED, ClientError, Outcome, explain
from echod.client.talk.answers import NOT_RUNNING, Answers
from echod.client.talk.lines import Receiver

REMEMBERED = 1000
"""
How many earlier lines to remember, to recognize late and repeated answers.
"""

LAST_LOOK = 0.2
"""
How long to wait for repeated answers to the last line, in seconds.
"""


class DatagramConversationProtocol(DatagramProtocol):
    """
    Sends one datagram at a time, and the next when an answer has come or the time for it
    is over.  So a slow server is not overrun.

    @ivar finished: Fires with L{Answers} at the end; fails with L{ClientError} if an error
        came back.
    """

    transport: IUDPTransport
    _timer: IDelayedCall | None = None
    _producer: IPushProducer | None = None
    _current: bytes | None = None

    def __init__(
        self,
        reactor: IReactorTime,
        patience: float,
        receiver: Receiver,
        lost: Receiver,
    ) -> None:
        """
        @param patience: How long to wait for an answer, in seconds.

        @param receiver: Called with each datagram that comes.

        @param lost: Called with each datagram to which no answer came in time.
        """
        self.finished: Deferred[Answers] = Deferred()
        self.answers = Answers()
        self._reactor = reactor
        self._patience = patience
        self._receiver = receiver
        self._lost = lost
        self._waiting: deque[bytes] = deque()
        # The earlier lines, and whether each has been answered.
        self._earlier: dict[bytes, bool] = {}
        self._sentAll = False

    def send(self, datagram: bytes) -> None:
        """
        Send a datagram, after those that are waiting.
        """
        self._waiting.append(datagram)
        if self._current is None:
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
        Finish when all datagrams have been answered.  If there were none, send an empty
        one: it shows whether the port is open.
        """
        self._sentAll = True
        self._producer = None
        if not self.answers.sent and not self._waiting:
            self._receiver = lambda datagram: None
            self.send(b"")
        elif self._current is None:
            self._lookAgain()

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Deliver a datagram, and send the next.
        """
        self._receiver(datagram)
        current, earlier = self._current, self._earlier.get(_key(datagram))
        answers = self.answers
        if current is not None and datagram == current:
            answers.answered += 1
            self._next(answered=True)
        elif earlier is not None:
            if earlier:
                answers.repeated += 1
            else:
                answers.late += 1
                answers.lost -= 1
                self._earlier[_key(datagram)] = True
        else:
            if current is not None and datagram and current.startswith(datagram):
                answers.shortened += 1
            else:
                answers.wrong += 1
            if current is not None:
                self._next(answered=True)

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
        self._current = None
        self._sentAll = True
        self._stopTimer()
        if self._producer is not None:
            self._producer.stopProducing()
        if not self.finished.called:
            if outcome is None:
                self.finished.callback(self.answers)
            else:
                self.finished.errback(ClientError(outcome))

    def _next(self, answered: bool) -> None:
        assert self._current is not None
        self._stopTimer()
        self._earlier[_key(self._current)] = answered
        if len(self._earlier) > REMEMBERED:
            del self._earlier[next(iter(self._earlier))]
        self._current = None
        self._sendNext()

    def _sendNext(self) -> None:
        if self._waiting:
            self._current = self._waiting.popleft()
            self.answers.sent += 1
            self._timer = self._reactor.callLater(self._patience, self._timedOut)
            try:
                self.transport.write(self._current, None)
            except OSError as error:
                self.failed(error, self._current)
        elif self._producer is not None:
            self._producer.resumeProducing()
        elif self._sentAll:
            self._lookAgain()

    def _lookAgain(self) -> None:
        self._timer = self._reactor.callLater(LAST_LOOK, self.end)

    def _stopTimer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _timedOut(self) -> None:
        assert self._current is not None
        self.answers.lost += 1
        self._lost(self._current)
        if self._current is not None:
            self._next(answered=False)


def _key(datagram: bytes) -> bytes:
    """
    @return: A short stand-in for a datagram.
    """
    return blake2b(datagram, digest_size=16).digest()
