"""
The plain TCP echo: every byte comes back (RFC 862).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IPushProducer, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.sockets import unread
from echod.tcp.session import DRAINED, Session

if TYPE_CHECKING:
    from echod.tcp.echo import EchoFactory

DRAIN_TICK = 0.02
"""
How often a draining session checks whether it has returned everything, in seconds:
several times within a delay that a person does not notice.
"""


@implementer(IPushProducer)
class EchoProtocol(Session):
    """
    Returns every byte as it arrives (RFC 862).

    Backpressure: a peer that does not read is not read from.  The session is the
    producer of its own transport; when the transport pauses it, it pauses reading.
    """

    # Every message needs these attributes.  As slots they are next to each other in memory.
    __slots__ = ("_returns", "received", "transport")

    factory: EchoFactory
    _paused = False
    # How much the peer had sent when the drain began; None before.
    _end: int | None = None

    def __init__(self) -> None:
        self.received = 0
        self.transport = None  # type: ignore[assignment]
        self._returns = True

    def connectionMade(self) -> None:
        """
        Register as the producer of the transport.
        """
        super().connectionMade()
        address = self.transport.getPeer()
        if ITCPTransport.providedBy(self.transport) and not isinstance(address, UNIXAddress):
            # Send each message at once, and not when the peer has acknowledged the
            # one before it (RFC 896).
            self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """
        Return the received bytes.
        """
        self.received += len(data)
        if self._returns:
            self.transport.write(data)
        else:
            self._kept += len(data)

    def close(self, outcome: str) -> None:
        """
        Close.  Read again even if the transport has paused the session: a peer that
        sends before it reads would never come to reading.
        """
        super().close(outcome)
        self.transport.resumeProducing()

    def startDraining(self) -> None:
        """
        Return all data that the peer has sent so far: also bytes that only the system has
        received, and bytes for which the peer must make room first.
        """
        self._end = self.received + unread(self.transport)
        self.factory.ending.add(self)

    def stopReturning(self) -> None:
        """
        Discard all bytes that are received from now on.
        """
        self._returns = False
        self.cancelWaits()
        # A registered producer would delay the close.
        self.transport.unregisterProducer()

    def pauseProducing(self) -> None:
        """
        Stop reading: the peer does not read as fast as it sends.
        """
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read again: the transport has sent its data.
        """
        self._paused = False
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """
        Do nothing: L{connectionLost} cleans up.
        """

    def checkDrained(self) -> None:
        """
        Finish if everything that the peer had sent is returned.
        """
        assert self._end is not None
        if self._paused or (self.received < self._end and unread(self.transport)):
            self.factory.draining.add(self)
        else:
            self.finish()

    def finish(self) -> None:
        """
        End the drain: the peer gets nothing more.
        """
        self.close(DRAINED)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        End the session.
        """
        self.cancelWaits()
        super().connectionLost(reason)

    def cancelWaits(self) -> None:
        """
        Leave all timers but those of L{Session}.
        """
        if self._end is not None:
            self.factory.ending.discard(self)
            self.factory.draining.discard(self)
