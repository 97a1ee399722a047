"""
A connection over a bad path: what is returned comes late, slowly and in pieces,
and it ends as it should not.

A wrapper stands between the transport and the session, and knows nothing of what
the session does.  What the session writes passes through a L{DelayLine}, and leaves it
in pieces, each in a turn of the reactor that is its own.  If too much is on the
way, the session is told to pause, as by any transport.
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

from echod.impair.model import DelayLine, Pieces, generator
from echod.impair.spec import ConnectionImpairments
from echod.net.sockets import innermost
from echod.net.transport import ISessionTransport
from echod.tcp.session import Session

_log = Logger(namespace="echod.impair")

ROOM = 1 << 20
"""
How much may be on its way on one connection, in bytes, before its peer is not read
from: a delay of 50 ms on a path of 160 Mbit/s.
"""

PIECE_GAP = 0.001
"""
How long a piece comes after the one before, in seconds, so that whoever waits for
it has read that by then: what the timers of all reactors can tell.
"""

MESSAGE = 2048
"""
When no more than this is to be returned, in bytes, pieces keep that distance: it
is a message that somebody waits for.  In a long stream they follow each other turn
by turn, as its reader cannot keep up anyway.
"""

RATE_TICK = 0.01
"""
For how long bytes are sent at once where a rate is given, in seconds: the limit
is felt in small exchanges, too, and the reactor has time for others.
"""

CLOSED = "closed on purpose"
RESET = "reset on purpose"


@implementer(IPushProducer)
class Outlet:
    """
    What the transport tells when to pause: not the session, which is told by what
    is between them.
    """

    def __init__(self, connection: ImpairedConnection) -> None:
        self._connection = connection

    def pauseProducing(self) -> None:
        """
        The transport has enough to send.
        """
        self._connection.block(True)

    def resumeProducing(self) -> None:
        """
        It has sent that.
        """
        self._connection.block(False)

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} does what there is to do.
        """


@implementer(IHalfCloseableProtocol)
class ImpairedConnection(ProtocolWrapper):
    """
    One impaired connection: to the transport a protocol, to the session a
    transport.
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
        @param number: Which connection this is: what chance decides depends on it.

        @param counts: How often what was done, by kind.
        """
        factory: Any = session.factory
        super().__init__(factory, session)
        self._reactor = session.factory.reactor
        self._counts = counts
        self._rate = impairments.rate
        self._end = impairments.end
        self._line: DelayLine[bytes] = DelayLine(
            impairments, generator(impairments, number, "jitter")
        )
        self._pieces = None
        if impairments.pieces is not None:
            self._pieces = Pieces(*impairments.pieces, generator(impairments, number, "pieces"))
        # What has arrived at this end of the line, and how much of it has left.
        self._segment = b""
        self._place = 0
        self._sent = 0
        self._written = 0
        # Before this nothing more is to be sent.
        self._free = 0.0
        self._next: IDelayedCall | None = None
        self._producer: IPushProducer | None = None
        self._pausing = False
        self._blocked = False
        self._stopped = False
        self._closing: str | None = None

    def makeConnection(self, transport: Any) -> None:
        """
        The connection is there.
        """
        directlyProvides(self, providedBy(transport))
        Protocol.makeConnection(self, transport)
        transport.registerProducer(Outlet(self), True)
        if self._end is not None and self._end[0] == 0:
            self._next = self._reactor.callLater(0, self._reach, self._end[1])
        self.wrappedProtocol.makeConnection(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is gone, and what was on its way with it.
        """
        if self._next is not None:
            self._next.cancel()
            self._next = None
        self._stopped = True
        self.wrappedProtocol.notReturned(self._written - self._sent)
        self.wrappedProtocol.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """
        The peer has shut down its sending side.
        """
        self.wrappedProtocol.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """
        All that was written is sent, and the end of the stream with it.
        """
        self.wrappedProtocol.writeConnectionLost()

    def write(self, data: bytes) -> None:
        """
        Return something, some time.
        """
        if not data or self._closing:
            return
        self._written += len(data)
        if self._line.delays:
            self._counts["delay"] += 1
        self._line.add(data, len(data), self._reactor.seconds())
        if self._line.size > ROOM and self._producer is not None and not self._pausing:
            self._pausing = True
            self._producer.pauseProducing()
        self._schedule()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """
        Return something that is in parts.
        """
        self.write(b"".join(data))

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Have the session told when to pause.
        """
        self._producer = producer

    def unregisterProducer(self) -> None:
        """
        Do not tell it any more.
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
        @param blocked: Whether the transport has enough to send.
        """
        self._blocked = blocked
        self._schedule()

    @property
    def _waits(self) -> bool:
        return bool(self._segment or self._line)

    def _schedule(self) -> None:
        if self._next is not None or self._blocked or self._stopped or not self._waits:
            return
        now = self._reactor.seconds()
        due = now if self._segment else self._line.due
        wait = max(0.0, due - now, self._free - now)
        self._next = self._reactor.callLater(wait, self._send)

    def _send(self) -> None:
        self._next = None
        if not self._segment:
            self._segment = self._line.take()
        start = self._place
        number = self._cut(len(self._segment) - start)
        self.transport.write(self._segment[start : start + number])
        self._sent += number
        self._place += number
        if self._place == len(self._segment):
            self._segment, self._place = b"", 0
        if self._end is not None and self._sent == self._end[0]:
            self._reach(self._end[1])
        else:
            self._pace(number)
            self._goOn()

    def _cut(self, number: int) -> int:
        """
        @return: How many of so many bytes to send now.
        """
        if self._rate:
            number = min(number, max(1, int(self._rate * RATE_TICK)))
        if self._end is not None:
            number = min(number, self._end[0] - self._sent)
        if self._pieces is not None:
            number = self._pieces.cut(number)
            self._counts["pieces"] += 1
        return number

    def _pace(self, number: int) -> None:
        now = self._reactor.seconds()
        if self._rate:
            # A timer that was late is made good for.
            self._free = max(self._free, now - RATE_TICK) + number / self._rate
            self._counts["rate"] += 1
        left = self._line.size + len(self._segment) - self._place
        if self._pieces is not None and left <= MESSAGE:
            self._free = max(self._free, now + PIECE_GAP)

    def _goOn(self) -> None:
        if self._pausing and self._line.size <= ROOM / 2:
            self._pausing = False
            if self._producer is not None:
                self._producer.resumeProducing()
        if self._closing and not self._waits:
            self._close(self._closing)
        else:
            self._schedule()

    def _close(self, how: str) -> None:
        """
        @param how: The method of the transport that does it.
        """
        self._closing = how
        if not self._waits and not self._stopped:
            # A registered producer would hold the closing back.
            self.transport.unregisterProducer()
            getattr(self.transport, how)()

    def _reach(self, end: str) -> None:
        """
        So much has been sent that this is the end.
        """
        self._next = None
        self._end = None
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
        self._line.clear()
        self._segment, self._place = b"", 0
        if self._closing:
            self._close(self._closing)
        else:
            self.wrappedProtocol.close(CLOSED)

    def _flushed(self) -> None:
        # TLS passes on in this turn what was written in the one before; below it
        # that is sent before the next one.
        self._next = self._reactor.callLater(0, self._reset)

    def _reset(self) -> None:
        self._next = None
        # TLS itself would say goodbye before.
        innermost(self.transport).abortConnection()  # type: ignore[attr-defined]
