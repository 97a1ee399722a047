"""
What every TCP session of echod has, whatever it serves: it is logged when it
starts and when it has ended, it closes so that the peer can read all that was
written to it, and it does not last for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.format import addressName, escaped
from echod.net.sockets import acknowledged, innermost
from echod.net.transport import IHalfCloseableTLS, ISessionTransport

if TYPE_CHECKING:
    from echod.tcp.factory import SessionFactory

_log = Logger(namespace="echod.tcp")

QUIET = 2.0
"""
How long a session that has sent all it had to send waits for a word from its
peer, in seconds: what a peer on a slow path needs to take notice of the end.
Apache waits as long.
"""

LINGER = 10.0
"""
How long it waits for a peer that goes on talking, in seconds.
"""

IDLE_CHECKS = 4
"""
How often to look, within the time of the limit, whether a session is idle.  One
that has become so lasts up to a quarter longer than the limit, and nothing
has to be noted for each message.
"""

CLOSED_BY_PEER = "closed by peer"
LOST = "lost"
IDLE = "idle"
DRAINED = "drained"
CUT = "cut"


@implementer(IHalfCloseableProtocol)
class Session(Protocol):
    """
    One connection of a peer.  What it receives, it discards: what is to be done
    with it is for subclasses to say.

    @ivar address: The peer's; L{None} if that is for the transport to say.

    @ivar peer: The same, as people write it.

    @ivar began: When it started, as the reactor tells the time.

    @ivar received: How many bytes the peer has sent.

    @ivar outcome: How the session ended, as logged; L{None} until that is known.
    """

    factory: SessionFactory
    transport: ISessionTransport
    address: IAddress | None = None
    received = 0
    outcome: str | None = None
    _kept = 0
    _lingers = False
    # For checkLinger: what had come at the last look, and when to look no more.
    _heard = 0
    _lingerEnd = 0.0
    # For checkIdle: what had come and gone at the last look, and how many times
    # in a row that was the same.
    _progress = (0, 0)
    _idleChecks = 0

    @property
    def returned(self) -> int:
        """
        How many bytes were written to the peer.
        """
        return self.received - self._kept

    @property
    def duration(self) -> float:
        """
        For how long it has lasted, in seconds.
        """
        return self.factory.reactor.seconds() - self.began

    def connectionMade(self) -> None:
        """
        The session starts.
        """
        address = self.transport.getPeer()
        self.peer = addressName(self.address or address)
        if ITCPTransport.providedBy(self.transport) and not isinstance(address, UNIXAddress):
            # What goes back goes at once, not when the peer has acknowledged what
            # went before (RFC 896).
            self.transport.setTcpNoDelay(True)
        self.began = self.factory.reactor.seconds()
        if self.factory.showMessages:
            # Each message costs this only where it was asked for.
            self._receive = self.dataReceived
            self.dataReceived = self._show  # type: ignore[method-assign]
        self.factory.entered(self)
        self._waitIdly()
        _log.info("{service}: {peer} connected", service=self.factory.service, peer=self.peer)

    def dataReceived(self, data: bytes) -> None:
        """
        Discard what the peer sends, but count it.
        """
        self.received += len(data)
        self._kept += len(data)

    def notReturned(self, number: int) -> None:
        """
        So many of the bytes that were written will never leave.
        """
        self._kept += number

    def close(self, outcome: str) -> None:
        """
        Close, so that nothing which was written is lost.

        A socket that is closed with input unread sends a reset, and a reset
        destroys what its peer has not read yet (RFC 1122, 4.2.2.13).  So the
        sending side is shut down first; then what comes is discarded until the
        peer closes as well, or says nothing for L{QUIET} seconds, or L{LINGER}
        seconds are up.

        @param outcome: Why, for the log.
        """
        self.outcome = outcome
        # Also what was to return it.
        self.dataReceived = self._discard  # type: ignore[method-assign]
        transport = self.transport
        if ISSLTransport.providedBy(transport) and not IHalfCloseableTLS.providedBy(transport):
            # Twisted's TLS knows no half-close, but waits for the peer's closing
            # alert of its own accord, for ever, and reads meanwhile.
            transport.loseConnection()
            self._linger()
        elif ITCPTransport.providedBy(transport):
            transport.loseWriteConnection()
        else:
            transport.loseConnection()

    def drain(self) -> None:
        """
        Come to an end, without taking anything from the peer that it has sent so
        far.
        """
        if self.outcome is None:
            self.close(DRAINED)

    def abort(self) -> None:
        """
        End now, whatever that takes from the peer.
        """
        if self._lingers:
            self._leave()
        else:
            self.outcome = CUT
            self.transport.abortConnection()

    def writeConnectionLost(self) -> None:
        """
        All that was written is on its way, and the end of the stream with it.
        """
        self._lingers = True
        self._linger()

    def readConnectionLost(self) -> None:
        """
        The peer has shut down its sending side: nothing is left unread.
        """
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The session has ended.
        """
        self.factory.lingering.discard(self)
        self.factory.idling.discard(self)
        if self.outcome is None:
            self.outcome = CLOSED_BY_PEER if reason.check(ConnectionDone) else LOST
        _log.info(
            "{service}: {peer} ended: {outcome}; "
            "{received} bytes in, {returned} bytes out, {duration:.3f} s",
            service=self.factory.service,
            peer=self.peer,
            outcome=self.outcome,
            received=self.received,
            returned=self.returned,
            duration=self.duration,
        )
        self.factory.left(self)

    def _show(self, data: bytes) -> None:
        _log.info(
            "{service}: from {peer}: {text}",
            service=self.factory.service,
            peer=self.peer,
            text=escaped(data),
        )
        self._receive(data)

    def checkLinger(self) -> None:
        """
        Close, unless the peer has talked since the last look, and may go on.
        """
        heard, self._heard = self._heard, self.received
        if self.received > heard and self.factory.reactor.seconds() < self._lingerEnd:
            self.factory.lingering.add(self)
        else:
            self._leave()

    def checkIdle(self) -> None:
        """
        End the session, if nothing has come or gone at the last L{IDLE_CHECKS}
        looks.
        """
        # Once it is over, what counts is what the peer takes.
        received = self.received if self.outcome is None else 0
        progress = (received, acknowledged(self.transport))
        self._idleChecks = self._idleChecks + 1 if progress == self._progress else 0
        self._progress = progress
        if self._idleChecks < IDLE_CHECKS:
            self._waitIdly()
        elif self.outcome is None:
            self.close(IDLE)
            # From now on nothing counts as received; one more look is left.
            self._progress = (0, progress[1])
            self._idleChecks = IDLE_CHECKS - 1
            self._waitIdly()
        else:
            self.transport.abortConnection()

    def _linger(self) -> None:
        self._heard = self.received
        self._lingerEnd = self.factory.reactor.seconds() + LINGER
        self.factory.lingering.add(self)

    def _leave(self) -> None:
        # Not aborted: whatever the peer has yet to receive is sent, by the
        # transport below TLS or by the system.
        innermost(self.transport).loseConnection()

    def _discard(self, data: bytes) -> None:
        Session.dataReceived(self, data)

    def _waitIdly(self) -> None:
        if self.factory.limits.idleTimeout:
            self.factory.idling.add(self)
