"""
A connection over a bad path: the client receives data late, slowly and in pieces, and
the connection ends in an unusual way.

L{ImpairedConnection} stands between the transport and the session; the session does
not know of it.  The data that the session writes goes through an L{ImpairedStream}, and each
piece is sent in its own turn of the reactor.  If too many bytes wait, the connection
pauses the session, as any transport does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import (
    IDelayedCall,
    IHalfCloseableProtocol,
    IPushProducer,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.protocols.policies import ProtocolWrapper
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer, providedBy

from echod.impair.outlet import Outlet
from echod.impair.spec import ConnectionImpairments
from echod.impair.stream import ImpairedStream
from echod.net.sockets import innermost
from echod.net.transport import ISessionTransport
from echod.tcp.session import Session

_log = Logger(namespace="echod.impair")

ROOM = 1 << 20
"""
How many bytes may wait on one connection before echod stops reading from the client:
enough for a delay of 50 ms on a path of 160 Mbit/s.
"""

CLOSED = "closed on purpose"
RESET = "reset on purpose"


@implementer(IHalfCloseableProtocol)
class ImpairedConnection(ProtocolWrapper):
    """
    One impaired connection.  For the transport it is a protocol; for the session it is
    a transport.
    """

    transport: ISessionTransport
    wrappedProtocol: Session

    def __init__(
        self,
        session: Session,
        impairments: ConnectionImpairments,
        number: int,
        counts: Counter[str],
    ) -> None:
        """
        @param number: The number of the connection.  Random decisions depend on it.

        @param counts: How often each kind of impairment happened.
        """
        factory: Any = session.factory
        super().__init__(factory, session)
        self._reactor = session.factory.reactor
        self._counts = counts
        self._stream = ImpairedStream(impairments, number, counts)
        self._next: IDelayedCall | None = None
        self._producer: IPushProducer | None = None
        # True if the session is paused, and if the transport has paused this connection.
        self._pausing = False
        self._blocked = False
        # True if nothing more is sent.
        self._stopped = False
        # The transport's method that closes, once the session has called it.
        self._closing: str | None = None

    def makeConnection(self, transport: Any) -> None:
        """
        Connect the session.
        """
        directlyProvides(self, providedBy(transport))
        Protocol.makeConnection(self, transport)
        transport.registerProducer(Outlet(self.block), True)
        if self._stream.ended:
            self._next = self._reactor.callLater(0, self._reachEnd)
        self.wrappedProtocol.makeConnection(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Drop the waiting bytes, and tell the session.
        """
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._stopped = True
        self.wrappedProtocol.notReturned(self._stream.unsent)
        self.wrappedProtocol.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """
        Tell the session that the client has shut down its sending side.
        """
        self.wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """
        Tell the session that the end of the stream is sent.
        """
        self.wrappedProtocol.writeConnectionLost()

    def write(self, data: bytes) -> None:
        """
        Send bytes later, as the impairments say.
        """
        if not data or self._closing:
            return
        self._stream.add(data, self._reactor.seconds())
        full = self._stream.delayed.size > ROOM
        if full and self._producer is not None and not self._pausing:
            self._pausing = True
            self._producer.pauseProducing()
        self._schedule()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        Send several parts as one.
        """
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Pause and resume the session from now on.
        """
        self._producer = producer

    def unregisterProducer(self) -> None:
        """
        Do not pause or resume the session any more.
        """
        self._producer = None

    def loseConnection(self) -> None:
        """
        Close, when all is sent.
        """
        self._close("loseConnection")

    def loseWriteConnection(self) -> None:
        """
        Shut down the sending side, when all is sent.
        """
        self._close("loseWriteConnection")

    def block(self, blocked: bool) -> None:
        """
        @param blocked: True if the transport has enough to send.
        """
        self._blocked = blocked
        self._schedule()

    def _schedule(self) -> None:
        if self._next is None and self._stream and not self._blocked and not self._stopped:
            wait = self._stream.wait(self._reactor.seconds())
            self._next = self._reactor.callLater(wait, self._send)

    def _send(self) -> None:
        self._next = None
        self.transport.write(self._stream.take(self._reactor.seconds()))
        if self._stream.ended:
            self._reachEnd()
            return
        self._resume()
        if self._closing:
            self._close(self._closing)
        self._schedule()

    def _resume(self) -> None:
        if self._pausing and self._stream.delayed.size <= ROOM / 2:
            self._pausing = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def _close(self, how: str) -> None:
        """
        @param how: The name of the transport's method that closes.
        """
        self._closing = how
        if not self._stream and not self._stopped:
            # The transport does not close while a producer is registered.
            self.transport.unregisterProducer()
            getattr(self.transport, how)()

    def _reachEnd(self) -> None:
        """
        End the connection: all bytes before the end are sent.
        """
        assert self._stream.end is not None
        self._next = None
        _, end = self._stream.end
        self._counts[end] += 1
        if end == "close-after":
            self._closeNow()
            return
        self._stopped = True
        session = self.wrappedProtocol
        if end == "reset-after":
            session.outcome = RESET
            self._next = self._reactor.callLater(0, self._flushed)
        else:
            _log.info(
                "{service}: {peer} is stalled on purpose",
                service=session.factory.service,
                peer=session.peer,
            )

    def _closeNow(self) -> None:
        self._stream.clear()
        if self._closing:
            self._close(self._closing)
        else:
            self.wrappedProtocol.close(CLOSED)

    def _flushed(self) -> None:
        # In this turn TLS passes on what was written in the turn before.  The
        # transport below sends it before the next turn.
        self._next = self._reactor.callLater(0, self._reset)

    def _reset(self) -> None:
        self._next = None
        # TLS itself would send its closing alert first.
        innermost(self.transport).abortConnection()  # type: ignore[attr-defined]
