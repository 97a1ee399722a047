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
    Let what is sent go at once, not when the server has acknowledged what went
    before (RFC 896).
    """
    if ITCPTransport.providedBy(transport) and not isinstance(transport.getPeer(), UNIXAddress):
        transport.setTcpNoDelay(True)


class Exchanged(NamedTuple):
    """
    What a conversation came to.

    @ivar finished: Whether this side had said all it had to say.

    @ivar sent: How many bytes were said.

    @ivar received: How many were heard.
    """

    finished: bool
    sent: int
    received: int


@implementer(IHalfCloseableProtocol)
class ConversationProtocol(Protocol):
    """
    Says what it is given to say, and hands on what it hears to a consumer, not
    faster than that takes it.

    @ivar finished: Fires with L{Exchanged} when the connection has closed, or
        fails when it was lost.
    """

    transport: ISessionTransport
    _silence: IDelayedCall | None = None
    _expected: int | None = None

    def __init__(self, reactor: IReactorTime, patience: float, output: IConsumer) -> None:
        """
        @param patience: How long a silence is an end, after the last was said on
            a transport that knows no half-close, in seconds.
        """
        self.finished: Deferred[Exchanged] = Deferred()
        self._reactor = reactor
        self._patience = patience
        self._output = output
        self._saidAll = False
        self.sent = 0
        self.received = 0

    def connectionMade(self) -> None:
        """
        The conversation can start.
        """
        setNoDelay(self.transport)
        self._output.registerProducer(self.transport, True)

    def say(self, data: bytes) -> None:
        """
        Send this.
        """
        self.sent += len(data)
        self.transport.write(data)

    def sayFrom(self, producer: IPushProducer) -> None:
        """
        Let what calls L{say} do so only as fast as the server listens.
        """
        self.transport.registerProducer(producer, True)
        producer.resumeProducing()

    def saidAll(self) -> None:
        """
        There is nothing more to say; there may be much to hear.
        """
        self._saidAll = True
        self.transport.unregisterProducer()
        if ITCPTransport.providedBy(self.transport) and not ISSLTransport.providedBy(
            self.transport
        ):
            self.transport.loseWriteConnection()
        else:
            # TLS knows no half-close here: an echo is over when as much has
            # come back as was sent; anything else, when it is silent.
            self._expected = self.sent
            self._silence = self._reactor.callLater(self._patience, self._close)
            self._considerClosing()

    def abort(self) -> None:
        """
        Nobody listens any more.
        """
        if self.connected:
            self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """
        Hand on what the server says.
        """
        self.received += len(data)
        self._output.write(data)
        if self._expected is not None:
            self._considerClosing()

    def writeConnectionLost(self) -> None:
        """
        The server has been told that this was all.
        """

    def readConnectionLost(self) -> None:
        """
        The server has said all: whatever was still to be said, it will not
        return.
        """
        self._close()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The conversation is over.
        """
        self._stopWaiting()
        self._output.unregisterProducer()
        if reason.check(ConnectionDone):
            self.finished.callback(Exchanged(self._saidAll, self.sent, self.received))
        else:
            self.finished.errback(reason)

    def _considerClosing(self) -> None:
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
