"""
The client of a greeting server: receive, and close.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from echod.net.transport import ISessionTransport


class GreetedProtocol(Protocol):
    """
    Receives until the server closes the connection or is silent.

    @ivar finished: Fires with the number of bytes received, or fails with
        L{TimeoutError} if there were none before the timeout.

    @ivar received: The number of bytes so far.
    """

    transport: ISessionTransport
    _timeout: IDelayedCall

    def __init__(
        self, reactor: IReactorTime, patience: float, receiver: Callable[[bytes], object]
    ) -> None:
        """
        @param patience: After how many seconds of silence to close.

        @param receiver: Called with the bytes of each segment.
        """
        self.finished: Deferred[int] = Deferred()
        self.received = 0
        self._reactor = reactor
        self._patience = patience
        self._receiver = receiver

    def connectionMade(self) -> None:
        """
        Start the timeout.
        """
        self._timeout = self._reactor.callLater(self._patience, self._close)

    def dataReceived(self, data: bytes) -> None:
        """
        Deliver bytes, and restart the timeout.
        """
        self._timeout.reset(self._patience)
        self.received += len(data)
        self._receiver(data)

    def abort(self) -> None:
        """
        Close at once, whatever else may come.
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
        if not reason.check(ConnectionDone):
            self.finished.errback(reason)
        elif timedOut and not self.received:
            self.finished.errback(TimeoutError(self._patience, "no greeting"))
        else:
            # A timeout after a greeting is no error: some servers greet, then listen.
            self.finished.callback(self.received)

    def _close(self) -> None:
        self.transport.loseConnection()
