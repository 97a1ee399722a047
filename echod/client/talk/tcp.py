"""
A conversation over a stream.
"""

from __future__ import annotations

from typing import NamedTuple

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.transport import ISessionTransport


def setNoDelay(transport: ISessionTransport) -> None:
    """
    Send each write at once, without waiting for the acknowledgement of earlier ones
    (RFC 896).
    """
    if ITCPTransport.providedBy(transport) and not isinstance(transport.getPeer(), UNIXAddress):
        transport.setTcpNoDelay(True)


class Exchanged(NamedTuple):
    """
    The result of a conversation.

    @ivar finished: Whether this side had finished sending when the server closed.

    @ivar sent: The number of bytes sent.

    @ivar received: The number of bytes received.
    """

    finished: bool
    sent: int
    received: int


@implementer(IHalfCloseableProtocol)
class ConversationProtocol(Protocol):
    """
    Sends what it is given, and writes what it receives to a consumer.  Backpressure: it
    does not read faster than the consumer takes the bytes.

    @ivar finished: Fires with L{Exchanged} when the connection has been closed, or fails
        if it was lost.
    """

    transport: ISessionTransport
    _silence: IDelayedCall | None = None
    _expected: int | None = None

    def __init__(self, reactor: IReactorTime, patience: float, output: IConsumer) -> None:
        """
        @param patience: After L{finishSending} on a transport without half-close:
            after how many seconds of silence to close.
        """
        self.finished: Deferred[Exchanged] = Deferred()
        self._reactor = reactor
        self._patience = patience
        self._output = output
        self._sentAll = False
        self.sent = 0
        self.received = 0

    def connectionMade(self) -> None:
        """
        Prepare the connection.
        """
        setNoDelay(self.transport)
        self._output.registerProducer(self.transport, True)

    def send(self, data: bytes) -> None:
        """
        Send bytes.
        """
        self.sent += len(data)
        self.transport.write(data)

    def sendFrom(self, producer: IPushProducer) -> None:
        """
        Start a producer that calls L{send}, and pause it while the server does not read.
        """
        self.transport.registerProducer(producer, True)
        producer.resumeProducing()

    def finishSending(self) -> None:
        """
        Tell the server that nothing more will be sent, and go on receiving.
        """
        self._sentAll = True
        self.transport.unregisterProducer()
        if ITCPTransport.providedBy(self.transport) and not ISSLTransport.providedBy(
            self.transport
        ):
            self.transport.loseWriteConnection()
        else:
            # Twisted's TLS has no half-close.  Close when as many bytes have come back
            # as were sent (an echo), or after a silence (any other server).
            self._expected = self.sent
            self._silence = self._reactor.callLater(self._patience, self._close)
            self._checkDone()

    def abort(self) -> None:
        """
        Close at once, whatever else may come.
        """
        if self.connected:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """
        Write bytes to the consumer.
        """
        self.received += len(data)
        self._output.write(data)
        if self._expected is not None:
            self._checkDone()

    def writeConnectionLost(self) -> None:
        """
        Do nothing: the server has been told of the half-close.
        """

    def readConnectionLost(self) -> None:
        """
        Close: the server sends nothing more, so an echo of further bytes cannot come.
        """
        self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Report the end.
        """
        self._stopWaiting()
        self._output.unregisterProducer()
        if reason.check(ConnectionDone):
            self.finished.callback(Exchanged(self._sentAll, self.sent, self.received))
        else:
            self.finished.errback(reason)

    def _checkDone(self) -> None:
        assert self._silence is not None
        assert self._expected is not None
        if self.received >= self._expected:
            self._close()
        else:
            self._silence.reset(self._patience)

    def _close(self) -> None:
        self._stopWaiting()
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def _stopWaiting(self) -> None:
        self._expected = None
        if self._silence is not None and self._silence.active():
            self._silence.cancel()
