"""
TLS that loses nothing at its end, and can be half-closed.

Twisted's TLS answers the peer's closing alert by closing as well.  Then bytes that were
written in answer, but are not encrypted yet, are lost, and the session never learns that the
stream has ended.  Here the alert is the end of the stream, as a half-close is in TCP.  TLS
has had this since version 1.3 (RFC 8446, 6.1); peers that use version 1.2 may ignore data
after their alert.

This needs pyOpenSSL, and uses private names of Twisted: tests/test_privatenames.py lists
them.
"""

from __future__ import annotations

from typing import Any

from OpenSSL.SSL import Error, WantReadError, ZeroReturnError
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.transport import HandshakeFailed, IHalfCloseableTLS
from echod.tcp.deadlines import Deadlines

HANDSHAKE_TIMEOUT = 10.0
"""
How long a handshake may take, in seconds: a few round trips on the slowest path.  Until the
handshake is done, nothing that a session does reaches the peer, not even a close.
"""

LATE = f"not done within {HANDSHAKE_TIMEOUT:g} s"
ENDED = "the peer has closed the connection"


def handshakeError(error: BaseException | None) -> str:
    """
    @return: The reasons why a handshake has failed, in OpenSSL's words.
    """
    queue = error.args[0] if isinstance(error, Error) and error.args else []
    return ", ".join(reason for _, _, reason in queue) or "unknown reason"


class EndingConnection:
    """
    An OpenSSL connection on which the peer's closing alert is no error.

    @ivar ended: True if the alert has arrived.
    """

    ended = False

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # Every message needs these.
        self.bio_read = connection.bio_read
        self.bio_write = connection.bio_write
        self.send = connection.send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def recv(self, size: int) -> Any:
        """
        Read decrypted bytes.

        @raise WantReadError: if there are none, also at the end of the stream.
        """
        try:
            return self._connection.recv(size)
        except ZeroReturnError:
            self.ended = True
            raise WantReadError from None


@implementer(IHalfCloseableProtocol, IHalfCloseableTLS)
class TLSTransport(BufferingTLSTransport):
    """
    The TLS protocol of a transport, and the transport of a session.

    @ivar _peerEnded: True if the peer has closed its side.

    @ivar _halfClosing: True if only this side closes.

    @ivar _shakingHands: True until the handshake is done or the connection is lost.

    @ivar _heard: True if the peer has sent something.
    """

    transport: Any
    _tlsConnection: Any
    _peerEnded = False
    _halfClosing = False
    _shakingHands = True
    _heard = False

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
        Begin the handshake.
        """
        super().makeConnection(transport)
        self._tlsConnection = EndingConnection(self._tlsConnection)
        self._handshakes.add(self)

    def dataReceived(self, data: bytes) -> None:
        """
        Decrypt data, and notice the end of the stream.
        """
        connection = self._tlsConnection
        super().dataReceived(data)
        if self._shakingHands:
            self._heard = True
            if self._handshakeDone:
                self._waitNoMore()
        if connection.ended:
            self.readConnectionLost()

    def readConnectionLost(self) -> None:
        """
        Tell the session that the peer has closed its side.  The session closes when it has
        returned everything.

        This holds for the end of TCP's stream as well, without an alert.  Somebody else may
        have cut the stream there, but the data before the cut is the peer's.
        """
        if self._peerEnded:
            return
        self._peerEnded = True
        self._endHandshake()
        session = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if self.disconnecting:
            # The session has closed before, and waits for this.
            self.transport.loseConnection()
        elif session is not None:
            session.readConnectionLost()
        else:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """
        Tell the session that everything it has written is sent, and the end of the stream.
        """
        session = IHalfCloseableProtocol(self.wrappedProtocol, None)
        if session is not None:
            session.writeConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Tell the session that the connection is lost.
        """
        self._endHandshake()
        self._waitNoMore()
        super().connectionLost(reason)

    def loseWriteConnection(self) -> None:
        """
        Close this side when everything is sent: TLS's, then TCP's.
        """
        self._halfClosing = True
        super().loseConnection()

    def loseConnection(self) -> None:
        """
        Close when everything is sent: TLS, and TCP as well.
        """
        if self._halfClosing:
            self.transport.loseConnection()
        else:
            super().loseConnection()

    def late(self) -> None:
        """
        Abort the connection: its handshake takes too long.
        """
        self._failHandshake(LATE)
        self.abortConnection()

    def _endHandshake(self) -> None:
        # A peer that has sent nothing has not begun a handshake.
        if self._shakingHands and self._heard and not self._aborted:
            self._failHandshake(ENDED)

    def _failHandshake(self, why: str) -> None:
        if self._reason is None:
            self._reason = Failure(HandshakeFailed(why))

    def _waitNoMore(self) -> None:
        if self._shakingHands:
            self._shakingHands = False
            self._handshakes.discard(self)

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        if reason is not None and self._shakingHands and not self._aborted:
            self._failHandshake(handshakeError(reason.value))
        super()._tlsShutdownFinished(reason)

    def _shutdownTLS(self) -> None:
        super()._shutdownTLS()
        # Do not wait for the peer's alert, which may never come (RFC 8446, 6.1).
        if self._halfClosing and not self._peerEnded:
            self.transport.loseWriteConnection()
        else:
            self.transport.loseConnection()


def useTransport(factory: TLSMemoryBIOFactory, reactor: IReactorTime) -> None:
    """
    Make a factory of Twisted's use L{TLSTransport}, and refuse the connections that the
    factory behind it refuses.
    """
    handshakes: Deadlines[TLSTransport] = Deadlines(
        reactor, HANDSHAKE_TIMEOUT, TLSTransport.late
    )

    def build(factory: Any, session: IProtocol | None) -> TLSTransport | None:
        return None if session is None else TLSTransport(factory, session, handshakes)

    # A factory's protocol may be any callable.
    factory.protocol = build  # type: ignore[assignment]
    factory.startFactory = handshakes.start  # type: ignore[method-assign]
    factory.stopFactory = handshakes.stop  # type: ignore[method-assign]
