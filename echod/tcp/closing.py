"""
How a TCP connection closes: without losing data, and after it was idle for too long.
"""

from __future__ import annotations

from typing import Any
from typing import Protocol as Interface

from twisted.internet.interfaces import IHalfCloseableProtocol, ISSLTransport, ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.net.sockets import acknowledged, innermost, unacknowledged
from echod.net.transport import IHalfCloseableTLS, ISessionTransport
from echod.tcp.deadlines import Deadlines, Sweep
from echod.tcp.states import CLOSE, END, LINGERING, LOST, OPEN, RETURNING, SENT, TRANSITIONS

QUIET = 0.75
"""
How long a peer that has acknowledged everything must send nothing until the session
closes, in seconds.  Its system has the end of the stream, so the time is for the program:
longer than the pause of a program that sends several lines a second before it reads,
shorter than a person waits before the next Enter, which ends C{nc} only if the connection
is closed.
"""

QUIET_CHECKS = 3
"""
How many times a lingering session is checked within L{QUIET}.
"""

IDLE_CHECKS = 4
"""
How many times a session is checked for idleness within the idle timeout.  So an idle
session may last a quarter longer than the timeout, and a message costs no timer.
"""

NOT_CHECKED = -1
"""
The number of idle checks before the first one.  That one comes too early to count: it only
sees how much was received and acknowledged until then.
"""

IDLE = "idle"
CUT = "cut"


class ClosingHost(Interface):
    """
    The timers that a connection needs of the factory that has built it.

    @ivar idleSweep: Calls L{GracefulConnection.checkIdle} of all connections, L{IDLE_CHECKS}
        times within the idle timeout.

    @ivar lingering: Calls L{GracefulConnection.checkLinger}.
    """

    idleSweep: Sweep[Any]
    lingering: Deadlines[GracefulConnection]


@implementer(IHalfCloseableProtocol)
class GracefulConnection(Protocol):
    """
    A connection that closes without losing data, and ends when it is idle for too long.

    @ivar received: How many bytes the peer has sent.

    @ivar state: One of L{echod.tcp.states}.

    @ivar outcome: Why the connection ends, for the log; L{None} until this is known.
    """

    factory: ClosingHost
    transport: ISessionTransport
    received = 0
    state = OPEN
    outcome: str | None = None
    # For checkLinger: the bytes received at the last check, and how many checks in a row
    # have found the peer quiet.
    _heard = 0
    _quietChecks = 0
    # For checkIdle: how many bytes were received and acknowledged at the last check, and how
    # many checks in a row have found the same.
    _progress = (0, 0)
    _idleChecks = NOT_CHECKED

    def close(self, outcome: str) -> None:
        """
        Close without losing data that was written.

        Closing a socket with unread input sends a reset, and a reset destroys data
        that the peer has not read yet (RFC 1122, 4.2.2.13).  So shut down the sending
        side first.  Then read and discard until the peer closes too, or until it has
        acknowledged everything and sends nothing for L{QUIET} seconds.  If the peer
        acknowledges nothing during the idle timeout, abort.

        @param outcome: Why the session ends, for the log.
        """
        if not self.advance(CLOSE):
            return
        if self.outcome is None:
            self.outcome = outcome
        self.stopReturning()
        # The idle timeout begins again.  A closing session always has one.
        self._idleChecks = NOT_CHECKED
        self.factory.idleSweep.start()
        transport = self.transport
        if ISSLTransport.providedBy(transport) and not IHalfCloseableTLS.providedBy(transport):
            # Twisted's TLS has no half-close.  Its loseConnection waits without limit for
            # the closing alert of the peer, and reads meanwhile.
            transport.loseConnection()
            self._linger()
        elif ITCPTransport.providedBy(transport):
            transport.loseWriteConnection()
        else:
            transport.loseConnection()

    def stopReturning(self) -> None:
        """
        Return nothing more: the session begins to close.
        """

    def abort(self) -> None:
        """
        End at once.  The peer loses the data that the transport has not sent yet.
        """
        if self.state is LINGERING:
            self._leave()
        else:
            self.outcome = CUT
            self.transport.abortConnection()

    def writeConnectionLost(self) -> None:
        """
        Wait for the peer: the transport has sent everything, and the end of the stream.
        """
        if self.advance(SENT):
            self._linger()

    def readConnectionLost(self) -> None:
        """
        Close when everything is sent.  The peer has shut down its sending side, so
        nothing is left unread.
        """
        if self.advance(END):
            self.stopReturning()
            self.factory.idleSweep.start()
        self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Leave the timer.
        """
        self.advance(LOST)
        self.factory.lingering.discard(self)

    def checkLinger(self) -> None:
        """
        Close if the peer had acknowledged everything, and had sent nothing, at the last
        L{QUIET_CHECKS} checks.
        """
        heard, self._heard = self._heard, self.received
        quiet = self.received == heard and not unacknowledged(self.transport)
        self._quietChecks = self._quietChecks + 1 if quiet else 0
        if self._quietChecks < QUIET_CHECKS:
            self.factory.lingering.add(self)
        else:
            self._leave()

    def checkIdle(self) -> None:
        """
        Close the session if nothing was received or acknowledged during the last
        L{IDLE_CHECKS} checks.  Abort it if it is closing already.
        """
        isReturning = self.state in RETURNING
        # A closing session discards what it receives: only acknowledgements count.  The two are
        # not added: on a UNIX socket, an answer changes the second as if less were read.
        taken = acknowledged(self.transport)
        progress = (self.received if isReturning else 0, taken)
        self._idleChecks = self._idleChecks + 1 if progress == self._progress else 0
        self._progress = progress
        if self._idleChecks < IDLE_CHECKS:
            return
        if isReturning:
            self.close(IDLE)
            # Give the peer one more check.
            self._progress = (0, taken)
            self._idleChecks = IDLE_CHECKS - 1
        else:
            if self.outcome is None:
                self.outcome = IDLE
            self.transport.abortConnection()

    def advance(self, event: str) -> bool:
        """
        Enter the next state.

        @return: True if the event changes the state.
        """
        state = TRANSITIONS[self.state].get(event)
        if state is None:
            return False
        self.state = state
        return True

    def _linger(self) -> None:
        self._heard = self.received
        self.factory.lingering.add(self)

    def _leave(self) -> None:
        # This is no abort: the transport below TLS, or the system, still sends the data that
        # the peer has not received yet.
        innermost(self.transport).loseConnection()
