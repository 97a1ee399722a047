"""
What every TCP session of echod has, whatever it serves: it is counted, it is
logged when it starts and when it has ended, and it closes so that the peer can
read all that was written to it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
    ISSLTransport,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.display import addressName, shown

QUIET = 2.0
"""
How long a session that has said all it had to say waits for a word from its
peer, in seconds: what a peer on a slow path needs to take notice of the end.
Apache waits as long.
"""

LINGER = 10.0
"""
How long it waits for a peer that goes on talking, in seconds.
"""

CLOSED_BY_PEER = "closed by peer"
LOST = "lost"


class ISessionTransport(ITCPTransport, IConsumer, IPushProducer):
    """
    What the stream transports of Twisted's reactors are.
    """


class IHalfCloseableTLS(ISSLTransport):
    """
    TLS that can be half-closed as TCP can, unlike Twisted's own.
    """


@implementer(IHalfCloseableProtocol)
class Session(Protocol):
    """
    One connection of a peer.  What it receives, it discards: what is to be done
    with it is for subclasses to say.

    @ivar address: Whose connection it is; L{None} if that is for the transport
        to say.

    @ivar received: How many bytes the peer has sent.

    @ivar outcome: How the session ended, as logged; L{None} until that is known.
    """

    log = Logger()

    factory: SessionFactory
    transport: ISessionTransport
    address: IAddress | None = None
    received = 0
    outcome: str | None = None
    _lingering: IDelayedCall | None = None

    @property
    def returned(self) -> int:
        """
        How many bytes were written to the peer.
        """
        return 0

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
        self._began = self.factory.reactor.seconds()
        if self.factory.showMessages:
            # Each message costs this only where it was asked for.
            self._receive = self.dataReceived
            self.dataReceived = self._show  # type: ignore[method-assign]
        self.log.info(
            "{service}: {peer} connected", service=self.factory.service, peer=self.peer
        )

    def dataReceived(self, data: bytes) -> None:
        """
        Discard what the peer sends, but count it.
        """
        self.received += len(data)

    def hangUp(self, outcome: str) -> None:
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
        transport = self.transport
        if ISSLTransport.providedBy(transport) and not IHalfCloseableTLS.providedBy(transport):
            # Twisted's TLS knows no half-close, but waits for the peer's closing
            # alert of its own accord, for ever, and reads meanwhile.
            transport.loseConnection()
            self.writeConnectionLost()
        elif ITCPTransport.providedBy(transport):
            transport.loseWriteConnection()
        else:
            transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """
        All that was written is on its way, and the end of the stream with it.
        """
        self._linger(self.factory.reactor.seconds() + LINGER)

    def readConnectionLost(self) -> None:
        """
        The peer has shut down its sending side: nothing is left unread.
        """
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The session has ended.
        """
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if self.outcome is None:
            self.outcome = CLOSED_BY_PEER if reason.check(ConnectionDone) else LOST
        self.log.info(
            "{service}: {peer} ended: {outcome}; "
            "{received} bytes in, {returned} bytes out, {duration:.3f} s",
            service=self.factory.service,
            peer=self.peer,
            outcome=self.outcome,
            received=self.received,
            returned=self.returned,
            duration=self.factory.reactor.seconds() - self._began,
        )

    def _show(self, data: bytes) -> None:
        self.log.info(
            "{service}: from {peer}: {text}",
            service=self.factory.service,
            peer=self.peer,
            text=shown(data),
        )
        self._receive(data)

    def _linger(self, end: float) -> None:
        self._lingering = self.factory.reactor.callLater(
            QUIET, self._lingered, end, self.received
        )

    def _lingered(self, end: float, received: int) -> None:
        self._lingering = None
        if self.received > received and self.factory.reactor.seconds() < end:
            self._linger(end)
        else:
            # Not aborted: whatever the peer has yet to receive is sent, by the
            # transport below TLS or by the system.
            transport: ITransport | None = self.transport
            while isinstance(transport, ProtocolWrapper):
                transport = transport.transport
            assert transport is not None
            transport.loseConnection()


class SessionFactory(Factory):
    """
    Builds the sessions of one service.

    @cvar service: What the service is called in the log.

    @ivar reactor: Tells the time.

    @ivar showMessages: Whether to log what peers send.
    """

    noisy = False
    protocol: type[Session]  # type: ignore[assignment]
    service: str

    def __init__(self, reactor: IReactorTime, *, showMessages: bool = False) -> None:
        self.reactor = reactor
        self.showMessages = showMessages

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        Build a session.

        @param addr: Whose.  Behind a proxy that is not what the transport says.
        """
        session: Any = super().buildProtocol(addr)
        session.address = addr
        return session

    def logPrefix(self) -> str:
        """
        How Twisted names the service in its own messages.
        """
        return self.service
