"""
TLS that loses nothing at its end, and can be half-closed.

Twisted's TLS answers a peer's closing alert by closing as well, before what was
written in answer to the bytes in front of that alert has been encrypted; and
what is withheld until the end of the stream is never heard of.  Here the alert
is the end of the stream, as the half-close is in TCP, which TLS has had since
version 1.3 (RFC 8446, 6.1); peers of version 1.2 are allowed to take no notice of
what comes after.

Needs pyOpenSSL.  This uses private names of Twisted; a test has the list of them,
and fails when one is gone.
"""

from __future__ import annotations

from typing import Any

from OpenSSL.SSL import WantReadError, ZeroReturnError
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.transport import IHalfCloseableTLS
from echod.tcp.deadlines import Deadlines

HANDSHAKE_TIMEOUT = 10.0
"""
How long a handshake may take, in seconds: a few round trips on the slowest path.
Until it is over nothing of what a session does reaches the peer, not even that it
has closed.
"""


class EndingConnection:
    """
    An OpenSSL connection on which a peer's closing alert is no error.

    @ivar ended: Whether it has come.
    """

    ended = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # What every message needs.
        self.bio_read = connection.bio_read
        self.bio_write = connection.bio_write
        self.send = connection.send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def recv(self, size: int) -> Any:
        """
        Read what there is.

        @raise WantReadError: if that is nothing, as at the end of the stream.
        """
        try:
            return self._connection.recv(size)
        except ZeroReturnError:
            self.ended = True
            raise WantReadError from None


@implementer(IHalfCloseableProtocol, IHalfCloseableTLS)
class TLSTransport(BufferingTLSTransport):
    """
    What is TLS to the transport, and the transport to a session.

    @ivar _peerEnded: Whether the peer has closed its side.

    @ivar _halfClosing: Whether this side is to be closed alone.

    @ivar _shakingHands: Whether the handshake is not over yet.
    """

    transport: Any
    _tlsConnection: Any
    _peerEnded = False
    _halfClosing = False
    _shakingHands = True

    def __init__(
        self, factory: Any, session: IProtocol, handshakes: Deadlines[TLSTransport]
    ) -> None:
        """
        @param handshakes: One timer for all connections of the factory.
        """
        super().__init__(factory, session)
        self._handshakes = handshakes

    def makeConnection(self, transport: Any) -> None:
        """
        Begin.
        """
        super().makeConnection(transport)
        self._tlsConnection = EndingConnection(self._tlsConnection)
        self._handshakes.add(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Decrypt, and then see whether that was the end of the stream.
        """
        connection = self._tlsConnection
        super().dataReceived(data)
        if self._handshakeDone:
            self._waitNoMore()
        if connection.ended:
            self.readConnectionLost()

    def readConnectionLost(self) -> None:
        """
        The peer has closed its side: the session hears of it, and closes when
        everything is returned.

        So it is with the end of TCP's stream where the alert was forgotten: the
        stream may have been cut there by somebody else, but what came is the
        peer's.
        """
        if self._peerEnded:
            return
        self._peerEnded = True
        session = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if self.disconnecting:
            # The alert that the session's own was waiting for.
            self.transport.loseConnection()
        elif session is not None:
            session.readConnectionLost()
        else:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """
        All that was written is on its way, and the end of the stream with it.
        """
        session = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if session is not None:
            session.writeConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is over.
        """
        self._waitNoMore()
        super().connectionLost(reason)

    def loseWriteConnection(self) -> None:
        """
        Close this side, when everything is sent: TLS's, then TCP's.
        """
        self._halfClosing = True
        super().loseConnection()

    def loseConnection(self) -> None:
        """
        Close, when everything is sent: TCP as well, as without TLS.
        """
        if self._halfClosing:
            self.transport.loseConnection()
        else:
            super().loseConnection()

    def _waitNoMore(self) -> None:
        if self._shakingHands:
            self._shakingHands = False
            self._handshakes.discard(self)

    def _shutdownTLS(self) -> None:
        super()._shutdownTLS()
        # Without waiting for the peer's alert, which may never come (RFC 8446, 6.1).
        if self._halfClosing and not self._peerEnded:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()


def useTransport(factory: TLSMemoryBIOFactory, reactor: IReactorTime) -> None:
    """
    Have a factory of Twisted's use L{TLSTransport}, and refuse the connections
    which the factory that it wraps refuses.
    """

    handshakes: Deadlines[TLSTransport] = Deadlines(
        reactor, HANDSHAKE_TIMEOUT, TLSTransport.abortConnection
    )

    def build(factory: Any, session: IProtocol | None) -> TLSTransport | None:
        return None if session is None else TLSTransport(factory, session, handshakes)

    # A factory's protocol may be anything that makes one.
    factory.protocol = build  # type: ignore[assignment]
    factory.startFactory = handshakes.start  # type: ignore[method-assign]
    factory.stopFactory = handshakes.stop  # type: ignore[method-assign]
