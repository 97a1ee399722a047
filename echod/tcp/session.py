"""
The base class of all TCP sessions: connections that are counted, drained and logged.
"""

from __future__ import annotations

from typing import Protocol as Interface

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from echod.limits.capacity import Limits
from echod.net.format import addressName, escaped
from echod.net.transport import HandshakeFailed
from echod.tcp.closing import ClosingHost, GracefulConnection
from echod.tcp.states import DRAIN

_log = Logger(namespace="echod.tcp")

CLOSED_BY_PEER = "closed by peer"
CONNECTION_LOST = "lost"
CHECK = "check"
"""
The outcome of a session whose peer has sent nothing, or of a proxy's own connection: a
load balancer or a port scanner has checked whether the service answers.
"""
HANDSHAKE_FAILED = "TLS handshake failed"
DRAINED = "drained"


class SessionHost(ClosingHost, Interface):
    """
    The part of its factory that a session uses.

    @ivar service: The name of the service in the log.
    """

    service: str
    reactor: IReactorTime
    limits: Limits

    def entered(self, session: Session) -> None:
        """
        Log and count a session that has started.
        """

    def left(self, session: Session) -> None:
        """
        Log and count a session that has ended.
        """


class Session(GracefulConnection):
    """
    One connection of a peer.  It discards received bytes; subclasses do more.

    @ivar address: The address of the peer; L{None} if the transport knows it.

    @ivar began: When the session started, by the reactor's clock.

    @ivar details: Text that the log adds to the outcome.
    """

    factory: SessionHost
    address: IAddress | None = None
    details = ""
    # How many of the received bytes are not returned.
    _kept = 0

    @property
    def peer(self) -> str:
        """
        The address of the peer as text.
        """
        return addressName(self.address or self.transport.getPeer())

    @property
    def returned(self) -> int:
        """
        How many bytes were written to the peer.
        """
        return self.received - self._kept

    @property
    def duration(self) -> float:
        """
        The age of the session in seconds.
        """
        return self.factory.reactor.seconds() - self.began

    def connectionMade(self) -> None:
        """
        Start the session.
        """
        self.began = self.factory.reactor.seconds()
        self.factory.entered(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Count and discard.
        """
        self.received += len(data)
        self._kept += len(data)

    def notReturned(self, number: int) -> None:
        """
        Count bytes that were written but will never be sent.
        """
        self._kept += number

    def drain(self) -> None:
        """
        Return all data that the peer has sent so far, then close.
        """
        if self.advance(DRAIN):
            self.startDraining()

    def startDraining(self) -> None:
        """
        Close when everything is returned: here, at once.
        """
        self.close(DRAINED)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave the factory, which logs and counts the end of the session.
        """
        super().connectionLost(reason)
        if isinstance(reason.value, HandshakeFailed):
            # The peer has received nothing, not even a greeting.
            self.outcome = HANDSHAKE_FAILED
            self.details = f" ({reason.value})"
        elif self.outcome is None:
            self.outcome = self._ownEnd(reason)
        self.factory.left(self)

    def _ownEnd(self, reason: Failure) -> str:
        """
        @return: The outcome of a session that echod has not ended.
        """
        isLost = isinstance(reason.value, (ConnectionDone, ConnectionLost))
        if (isLost and not self.received) or getattr(self.address, "isCheck", False):
            return CHECK
        isDone = isinstance(reason.value, ConnectionDone)
        return CLOSED_BY_PEER if isDone else CONNECTION_LOST


class _ShowingMessages(Session):
    def dataReceived(self, data: bytes) -> None:
        _log.info(
            "{service}: from {peer}: {text}",
            service=self.factory.service,
            peer=self.peer,
            text=escaped(data),
        )
        super().dataReceived(data)


def showingMessages(protocol: type[Session]) -> type[Session]:
    """
    @return: A subclass that logs each message before it receives it.
    """
    return type(protocol.__name__, (_ShowingMessages, protocol), {})
