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

    # Whether it waits for silence.
    _listening = False

    def __init__(self) -> None:
        self._goodbye = Goodbye()

    def dataReceived(self, data: bytes) -> None:
        """
        Return what came, as far as it cannot be a goodbye.
        """
        self.received += len(data)
        reply = self._goodbye.receive(data)
        if reply is data:
            write = self._write
            write(data)
        else:
            self._kept += len(data)
            self._settle(reply)

    def readConnectionLost(self) -> None:
        """
        The end of the stream decides on what is withheld.
        """
        if self.state in RETURNING:
            self._settle(self._goodbye.end())
        super().readConnectionLost()

    def finish(self) -> None:
        """
        For what is withheld, this is as good as the end of the stream.
        """
        self._settle(self._goodbye.end())
        super().finish()

    def cancelWaits(self) -> None:
        """
        Leave all timers but those of L{Session}.
        """
        self._stopListening()
        super().cancelWaits()

    def pauseProducing(self) -> None:
        """
        While nothing is read, that nothing comes is no silence.
        """
        self._stopListening()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read on, and listen for silence from now.
        """
        super().resumeProducing()
        self._consider(b"")

    def lookOnceMore(self) -> None:
        """
        Nothing was received for L{SILENCE} seconds: let the reactor read before
        this counts.  A process that was stopped or busy finds the time over
        before it has read what came meanwhile.
        """
        self.factory.silent.add(self)

    def heardNothing(self) -> None:
        """
        It was silence, which decides on what is withheld.
        """
        self._listening = False
        self._settle(self._goodbye.silence())

    def _consider(self, reply: bytes) -> None:
        """
        See what the rule has come to.

        @param reply: What was returned just now.  If that is nothing, what is
            withheld has been so from before, and keeps its time.
        """
        if self.state not in RETURNING:
            return
        if reply or not self._goodbye.withheld:
            self._stopListening()
        if self._goodbye.over:
            self.close(GOODBYE)
        elif self._goodbye.withheld and not self._listening and not self._paused:
            self._listening = True
            self.factory.silence.add(self)

    def _settle(self, reply: bytes) -> None:
        self._kept -= len(reply)
        self._write(reply)
        self._consider(reply)

    def _stopListening(self) -> None:
        if self._listening:
            self._listening = False
            self.factory.silence.discard(self)
            self.factory.silent.discard(self)


class EchoFactory(SessionFactory):
    """
    Builds TCP echo sessions.

    @ivar protocol: L{GoodbyeEchoProtocol}, or L{EchoProtocol} for plain RFC 862.

    @ivar silence: The sessions that withhold bytes until their peer is silent.

    @ivar silent: The sessions whose peer was silent, until the next turn of the
        reactor.

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
        self.ending = self.deadlines(0, EchoProtocol.checkDrained)
        self.draining = self.deadlines(DRAIN_TICK, EchoProtocol.checkDrained)
