"""
The client of the greeting: listen, and go.
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
    Hands on what the server says, until it closes or has nothing more to say.

    @ivar finished: Fires with how many bytes it said, or fails with
        L{TimeoutError} if there were none.

    @ivar received: How many there were so far.
    """

    transport: ISessionTransport
    _silence: IDelayedCall

    def __init__(
        self, reactor: IReactorTime, patience: float, heard: Callable[[bytes], object]
    ) -> None:
        """
        @param patience: How long a silence ends it, in seconds.

        @param heard: Is called with what the server says, as it says it.
        """
        self.finished: Deferred[int] = Deferred()
        self.received = 0
        self._reactor = reactor
        self._patience = patience
        self._heard = heard

    def connectionMade(self) -> None:
        """
        Listen.
        """
        self._silence = self._reactor.callLater(self._patience, self._close)

    def dataReceived(self, data: bytes) -> None:
        """
        The server says something.
        """
        self._silence.reset(self._patience)
        self.received += len(data)
        self._heard(data)

    def abort(self) -> None:
        """
        Nobody listens any more.
        """
        if self.connected:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        All is said.
        """
        silent = not self._silence.active()
        if not silent:
            self._silence.cancel()
        if not reason.check(ConnectionDone):
            self.finished.errback(reason)
        elif silent and not self.received:
            self.finished.errback(TimeoutError(self._patience, "nothing was said"))
        else:
            # Also if it was silence that ended it: some that greet go on to listen.
            self.finished.callback(self.received)

    def _close(self) -> None:
        self.transport.loseConnection()
