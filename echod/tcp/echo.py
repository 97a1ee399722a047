"""
The TCP echo: what a peer sends comes back, until it says goodbye.
"""

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
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

    _paused = False

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
        self._unregister()
        self.transport.resumeProducing()
        super().close(outcome)

    def drain(self) -> None:
        """
        Return what the peer has sent so far, and close: also what the system has
        received for it, and what the peer has to make room for.
        """
        if self.outcome is None:
            self._cancelClosing()
            self._closing = self.factory.reactor.callLater(
                0, self._drain, self.received + unread(self.transport)
            )

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

    def finish(self, outcome: str) -> None:
        """
        Hang up, when the peer has nothing more to be returned.
        """
        self.close(outcome)

    def _drain(self, end: int) -> None:
        """
        @param end: How much the peer had sent when the end began.
        """
        self._closing = None
        if self._paused or (self.received < end and unread(self.transport)):
            self._closing = self.factory.reactor.callLater(DRAIN_TICK, self._drain, end)
        else:
            self.finish(DRAINED)

    def _unregister(self) -> None:
        # A registered producer would hold the closing back.
        self.transport.unregisterProducer()


class GoodbyeEchoProtocol(EchoProtocol):
    """
    Returns every byte until a goodbye ends the session, as L{echod.tcp.goodbye}
    decides.
    """

    _silence: IDelayedCall | None = None

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
        elif self._goodbye.withheld and self._silence is None and not self._paused:
            self._silence = self.factory.reactor.callLater(SILENCE, self._lookOnceMore)

    def _lookOnceMore(self) -> None:
        # A process that was stopped or busy finds its time up before it has
        # read what came meanwhile.  The reactor reads before it calls again.
        self._silence = self.factory.reactor.callLater(0, self._heardNothing)

    def _heardNothing(self) -> None:
        self._silence = None
        self._settle(self._goodbye.silence())

    def _settle(self, reply: bytes) -> None:
        self._kept -= len(reply)
        self.transport.write(reply)
        self._consider(reply)

    def _stopListening(self) -> None:
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None


class EchoFactory(SessionFactory):
    """
    Builds TCP echo sessions.

    @ivar protocol: L{GoodbyeEchoProtocol}, or L{EchoProtocol} for plain
        RFC 862.
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
