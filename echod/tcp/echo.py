"""
The TCP echo: every byte comes back, until the peer says goodbye.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.limits.capacity import Limits
from echod.net.sockets import unread
from echod.tcp.factory import SessionFactory
from echod.tcp.goodbye import Goodbye
from echod.tcp.session import DRAINED, Session
from echod.tcp.states import RETURNING

SILENCE = 0.2
"""
How long bytes that may become a goodbye are withheld, in seconds: longer than the pause
between the pieces of one message on a working network, shorter than a person notices.
"""

DRAIN_TICK = 0.02
"""
How often a draining session checks whether it has returned everything, in seconds:
several times within a delay that a person does not notice.
"""

GOODBYE = "goodbye"


@implementer(IPushProducer)
class EchoProtocol(Session):
    """
    Returns every byte as it arrives (RFC 862).

    Backpressure: a peer that does not read is not read from.  The session is the
    producer of its own transport; when the transport pauses it, it pauses reading.
    """

    factory: EchoFactory
    _paused = False
    # How much the peer had sent when the drain began; None before.
    _end: int | None = None

    def connectionMade(self) -> None:
        """
        Register as the producer of the transport.
        """
        super().connectionMade()
        self._write = self.transport.write
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """
        Return what was received.
        """
        self.received += len(data)
        write = self._write
        write(data)

    def close(self, outcome: str) -> None:
        """
        Close.  Read again even if the transport has paused the session: a peer that
        sends before it reads would never come to reading.
        """
        super().close(outcome)
        self.transport.resumeProducing()

    def startDraining(self) -> None:
        """
        Return what the peer has sent so far: also bytes that only the system has
        received, and bytes for which the peer must make room first.
        """
        self._end = self.received + unread(self.transport)
        self.factory.ending.add(self)

    def stopReturning(self) -> None:
        """
        Discard what is received from now on.
        """
        self.cancelWaits()
        # A registered producer would delay the close.
        self.transport.unregisterProducer()
        self._write = self._discard

    def pauseProducing(self) -> None:
        """
        Stop reading: the peer does not read as fast as it sends.
        """
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read again: the transport has sent what it had.
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

    def _discard(self, data: bytes) -> None:
        self._kept += len(data)


class GoodbyeEchoProtocol(EchoProtocol):
    """
    Returns every byte until a goodbye ends the session, as L{echod.tcp.goodbye}
    decides.
    """

    # How many segments the withheld bytes have come in; 0 if their time is not
    # measured.
    _pieces = 0

    def __init__(self) -> None:
        self._goodbye = Goodbye()

    def dataReceived(self, data: bytes) -> None:
        """
        Return what cannot be a goodbye.
        """
        self.received += len(data)
        if self._goodbye.passes(data):
            write = self._write
            write(data)
        else:
            self._kept += len(data)
            self._settle(self._goodbye.receive(data))

    def readConnectionLost(self) -> None:
        """
        Decide about the withheld bytes: this is the end of the stream.
        """
        if self.state in RETURNING:
            self._settle(self._goodbye.end())
        super().readConnectionLost()

    def finish(self) -> None:
        """
        Decide about the withheld bytes as at the end of the stream, and end the drain.
        """
        self._settle(self._goodbye.end())
        super().finish()

    def cancelWaits(self) -> None:
        """
        Leave all timers but those of L{Session}.
        """
        self._stopWaiting()
        super().cancelWaits()

    def pauseProducing(self) -> None:
        """
        Stop reading.  While nothing is read, there is no silence.
        """
        self._stopWaiting()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read again, and wait for silence from now.
        """
        super().resumeProducing()
        self._wait()

    def lookOnceMore(self) -> None:
        """
        Nothing was received for L{SILENCE} seconds.  Let the reactor read before this
        counts as silence: a process that was stopped or busy finds the time over
        before it has read what was received meanwhile.
        """
        self.factory.silent.add(self)

    def heardNothing(self) -> None:
        """
        Decide about the withheld bytes: the peer was silent.
        """
        self._settle(self._goodbye.silence())

    def withheldLongEnough(self) -> None:
        """
        Return the withheld bytes if the peer has sent more of them meanwhile, because
        then there was no silence that decides about them.
        """
        pieces, self._pieces = self._pieces, 0
        if pieces > 1:
            self._return(self._goodbye.release())

    def _return(self, reply: bytes) -> None:
        self._kept -= len(reply)
        self._write(reply)

    def _settle(self, reply: bytes) -> None:
        self._return(reply)
        if reply:
            self._pieces = 0
        if not self._goodbye.over:
            self._wait()
        elif self.state in RETURNING:
            self.close(GOODBYE)

    def _wait(self) -> None:
        """
        Wait for what decides about the last bytes.
        """
        if self._paused or not self._goodbye.undecided or self.state not in RETURNING:
            self._stopWaiting()
            return
        self.factory.silent.discard(self)
        self.factory.silence.add(self)
        if self._goodbye.withheld:
            self._pieces += 1
            if self._pieces == 1:
                self.factory.withheld.add(self)

    def _stopWaiting(self) -> None:
        self._pieces = 0
        self.factory.silence.discard(self)
        self.factory.silent.discard(self)
        self.factory.withheld.discard(self)


class EchoFactory(SessionFactory):
    """
    Builds TCP echo sessions.

    @ivar protocol: L{GoodbyeEchoProtocol}, or L{EchoProtocol} for plain RFC 862.

    @ivar silence: The sessions for which it matters whether their peer is silent.

    @ivar silent: The sessions whose peer was silent, until the next turn of the
        reactor.

    @ivar withheld: The sessions that withhold bytes, which may take as long.

    @ivar ending: The sessions whose drain begins in the next turn of the reactor.

    @ivar draining: The sessions that drain and have bytes to return.
    """

    service = "TCP echo"

    def __init__(
        self,
        reactor: IReactorTime,
        *,
        goodbye: bool = True,
        limits: Limits | None = None,
        showMessages: bool = False,
    ) -> None:
        super().__init__(reactor, limits=limits, showMessages=showMessages)
        self.protocol = GoodbyeEchoProtocol if goodbye else EchoProtocol
        self.silence = self.deadlines(SILENCE, GoodbyeEchoProtocol.lookOnceMore)
        self.silent = self.deadlines(0, GoodbyeEchoProtocol.heardNothing)
        self.withheld = self.deadlines(SILENCE, GoodbyeEchoProtocol.withheldLongEnough)
        self.ending = self.deadlines(0, EchoProtocol.checkDrained)
        self.draining = self.deadlines(DRAIN_TICK, EchoProtocol.checkDrained)
