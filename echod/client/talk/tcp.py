"""
A conversation over a stream.
"""

from __future__ import annotations

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

from echod.client.talk.comparison import Comparison
from echod.client.talk.window import WindowedProducer
from echod.net.transport import ISessionTransport


def setNoDelay(transport: ISessionTransport) -> None:
    """
    Send each write at once, without waiting for the acknowledgement of earlier ones
    (RFC 896).
    """
    if ITCPTransport.providedBy(transport) and not isinstance(transport.getPeer(), UNIXAddress):
        transport.setTcpNoDelay(True)


LAST_LOOK = 0.2
"""
How long to wait for bytes too many, in seconds, before this side closes.
"""

CLOSED = "the server closed the connection"
LOST = "the connection was lost"


@implementer(IHalfCloseableProtocol, IPushProducer)
class ConversationProtocol(Protocol):
    """
    Sends bytes, compares the answer with them, and writes the answer to a consumer.  It is
    the producer of the consumer.  Backpressure: it does not read faster than the consumer
    takes the bytes.

    @ivar finished: Fires when the connection has ended, with the reason in words.

    @ivar comparison: Compares the answer with the sent bytes.

    @ivar sentAll: True if L{finishSending} was called.
    """

    transport: ISessionTransport
    _silence: IDelayedCall | None = None
    _source: WindowedProducer | None = None
    _halfCloses = True
    _paused = False
    _closing = False
    _timedOut = False

    def __init__(self, reactor: IReactorTime, patience: float, output: IConsumer) -> None:
        """
        @param patience: How long to wait, in seconds, while bytes or the end of the
            connection are due and nothing comes.  After a wrong byte from a source that is not
            a person, this is the longest time until the end.
        """
        self.finished: Deferred[str] = Deferred()
        self.comparison = Comparison()
        self.sentAll = False
        self._reactor = reactor
        self._patience = patience
        self._output = output

    def connectionMade(self) -> None:
        """
        Prepare the connection.
        """
        setNoDelay(self.transport)
        self._output.registerProducer(self, True)

    def send(self, data: bytes) -> None:
        """
        Send bytes.
        """
        self.comparison.send(data)
        self.transport.write(data)
        if self._silence is None:
            self._wait()
        if self._source is not None:
            self._source.update()

    def sendFrom(self, producer: IPushProducer) -> None:
        """
        Start a producer that calls L{send}, and pause it while the server does not read
        or does not return.
        """
        self._source = WindowedProducer(producer, self.comparison)
        self.transport.registerProducer(self._source, True)
        producer.resumeProducing()

    def finishSending(self) -> None:
        """
        Tell the server that nothing more will be sent, and go on receiving.
        """
        self.sentAll = True
        self._stopSending()
        if ITCPTransport.providedBy(self.transport) and not ISSLTransport.providedBy(
            self.transport
        ):
            self.transport.loseWriteConnection()
        else:
            # Twisted's TLS has no half-close: close when everything has come back.
            self._halfCloses = False
        self._wait()

    def pauseProducing(self) -> None:
        """
        Stop reading for now: the consumer is full.  The server need not hurry.
        """
        self._paused = True
        self._wait()
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Go on reading.
        """
        self._paused = False
        self._wait()
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """
        Close at once: the consumer is gone.
        """
        self.abort()

    def abort(self) -> None:
        """
        Close at once, and discard later data.
        """
        if self.connected:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """
        Write bytes to the consumer.
        """
        self.comparison.receive(data)
        self._wait()
        self._output.write(data)
        if self._source is not None:
            self._source.update()
        elif not self._halfCloses and self.comparison.wrong:
            self._close()

    def writeConnectionLost(self) -> None:
        """
        Do nothing: the half-close was sent before.
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
        if self._timedOut:
            missing = self.comparison.outstanding
            what = "nothing more came" if missing else "the server did not close"
            self.finished.callback(f"{what} within {self._patience:g} s")
        else:
            self.finished.callback(CLOSED if reason.check(ConnectionDone) else LOST)

    def _close(self) -> None:
        self._closing = True
        self._stopSending()
        self.transport.loseConnection()

    def _stopSending(self) -> None:
        self._source = None
        self.transport.unregisterProducer()

    def _allCame(self) -> bool:
        return self.sentAll and not self._halfCloses and not self.comparison.outstanding

    def _isHopeless(self) -> bool:
        # A server that sends other data for ever must not delay the end.  A person at a
        # terminal may talk to such a server.
        return self.comparison.wrong and (self.sentAll or self._source is not None)

    def _wait(self) -> None:
        hopeless = self._isHopeless()
        due = self.sentAll or self.comparison.outstanding or hopeless
        if not due or (self._paused and not hopeless):
            self._stopWaiting()
            return
        patience = LAST_LOOK if self._allCame() else self._patience
        if self._silence is None:
            self._silence = self._reactor.callLater(patience, self._timeOut)
        elif not hopeless:
            self._silence.reset(patience)

    def _stopWaiting(self) -> None:
        silence, self._silence = self._silence, None
        if silence is not None:
            silence.cancel()

    def _timeOut(self) -> None:
        self._silence = None
        if self._allCame() and not self._closing:
            self._close()
            # TLS waits until the server closes as well.
            self._silence = self._reactor.callLater(self._patience, self._timeOut)
        else:
            self._timedOut = True
            self.abort()
