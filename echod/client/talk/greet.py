"""
The client of a greeting server: receive, and close.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from echod.net.transport import ISessionTransport


class GreetedProtocol(Protocol):
    """
    Receives until the server closes the connection or the time is over.

    @ivar finished: Fires with whether the server has closed the connection; fails if the
        connection was lost.

    @ivar received: The number of bytes so far.
    """

    transport: ISessionTransport
    _timeout: IDelayedCall

    def __init__(
        self, reactor: IReactorTime, patience: float, receiver: Callable[[bytes], object]
    ) -> None:
        """
        @param patience: How many seconds after connecting to close.

        @param receiver: Called with the bytes of each segment.
        """
        self.finished: Deferred[bool] = Deferred()
        self.received = 0
        self._reactor = reactor
        self._patience = patience
        self._receiver = receiver

    def connectionMade(self) -> None:
        """
        Start the timeout.
        """
        self._timeout = self._reactor.callLater(self._patience, self.transport.loseConnection)

    def dataReceived(self, data: bytes) -> None:
        """
        Deliver bytes.
        """
        self.received += len(data)
        self._receiver(data)

    def abort(self) -> None:
        """
        Close at once, and discard later data.
        """
        if self.connected:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Report the end.
        """
        timedOut = not self._timeout.active()
        if not timedOut:
            self._timeout.cancel()
        if reason.check(ConnectionDone):
            self.finished.callback(not timedOut)
        else:
            self.finished.errback(reason)
