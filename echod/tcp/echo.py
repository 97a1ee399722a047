"""
The TCP echo: what a peer sends comes back, until it says goodbye.
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

SILENCE = 0.2
"""
How long bytes which may turn out to be a goodbye are withheld, in seconds.
Longer than the pieces of one message are apart on a working network, shorter
than a person notices.
"""

DRAIN_TICK = 0.02
"""
How often to look whether a session that is to end has all that it needs, in
seconds: several times in what a person does not notice.
"""

GOODBYE = "goodbye"


@implementer(IPushProducer)
class EchoProtocol(Session):
    """
    Returns every byte as it comes (RFC 862).

    A peer that sends and does not read is not read from: the session is the
    producer of what its own transport sends, and passes on to the receiving
    side when that has to pause.
    """

    factory: EchoFactory
    _paused = False
    # How much the peer had sent when the session was told to end.
    _end: int | None = None

    def connectionMade(self) -> None:
        """
        Let the sending side tell when to pause.
        """
        super().connectionMade()
        self._write = self.transport.write
        self.transport.registerProducer(self, True)

    def dataReceived(self, data: bytes) -> None:
        """
        Return what came.
        """
        self.received += len(data)
        write = self._write
        write(data)

    def close(self, outcome: str) -> None:
        """
        Close, and take note of nothing more: also a peer that does not read is
        read from again, or it might never come to reading.
        """
        self._stopDraining()
        self._unregister()
        self.transport.resumeProducing()
        super().close(outcome)

    def drain(self) -> None:
        """
        Return what the peer has sent so far, and close: also what the system has
        received for it, and what the peer has to make room for.
        """
        if self.outcome is None:
            self._end = self.received + unread(self.transport)
            self.factory.ending.add(self)

    def readConnectionLost(self) -> None:
        """
        The peer has said all it had to say: close when all of it is returned.
        """
        if self.outcome is None:
            self._unregister()
        super().readConnectionLost()

    def pauseProducing(self) -> None:
        """
        The peer does not read as fast as it sends.
        """
        self._paused = True
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """
        The peer has read what was on its way.
        """
        self._paused = False
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} does what there is to do.
        """

    def checkDrained(self) -> None:
        """
        Finish, if all that the peer had sent is returned.
        """
        assert self._end is not None
        if self._paused or (self.received < self._end and unread(self.transport)):
            self.factory.draining.add(self)
        else:
            self.finish(DRAINED)

    def finish(self, outcome: str) -> None:
        """
        Hang up, when the peer has nothing more to be returned.
        """
        self.close(outcome)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The session has ended.
        """
        self._stopDraining()
        super().connectionLost(reason)

    def _stopDraining(self) -> None:
        if self._end is not None:
            self.factory.ending.discard(self)
            self.factory.draining.discard(self)

    def _unregister(self) -> None:
        # A registered producer would hold the closing back.
        self.transport.unregisterProducer()


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
        if self.outcome is None:
            self._settle(self._goodbye.end())
        super().readConnectionLost()

    def finish(self, outcome: str) -> None:
        """
        For what is withheld, this is as good as the end of the stream.
        """
        self._settle(self._goodbye.end())
        if self.outcome is None:
            super().finish(outcome)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The session has ended, and with it the waiting for silence.
        """
        self._stopListening()
        super().connectionLost(reason)

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
        if reply or not self._goodbye.withheld:
            self._stopListening()
        if self._goodbye.over and self.outcome is None:
            self.close(GOODBYE)
        elif self._goodbye.withheld and not self._listening and not self._paused:
            self._listening = True
            self.factory.silence.add(self)

    def _settle(self, reply: bytes) -> None:
        self._kept -= len(reply)
        self.transport.write(reply)
        self._consider(reply)

    def _stopListening(self) -> None:
        if self._listening:
            self._listening = False
            self.factory.silence.discard(self)
            self.factory.silent.discard(self)


class EchoFactory(SessionFactory):
    """
    Builds TCP echo sessions.

    @ivar protocol: L{GoodbyeEchoProtocol}, or L{EchoProtocol} for plain
        RFC 862.

    @ivar silence: The sessions that withhold bytes until their peer is silent.

    @ivar silent: The sessions whose peer was silent, until the next turn of the
        reactor.

    @ivar ending: The sessions that were told to end, until the next turn.

    @ivar draining: The sessions that were told to end and have bytes to return.
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
