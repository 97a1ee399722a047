"""
The base class of the TCP services: it admits, counts and drains sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from echod.limits.capacity import IDLE_TIMEOUT, Limits
from echod.limits.refusals import Refusals
from echod.net.format import addressName
from echod.net.statistics import SESSIONS, ServedSession, SessionServerStatistics, Traffic
from echod.tcp.admission import Admission
from echod.tcp.closing import IDLE_CHECKS, QUIET, QUIET_CHECKS, GracefulConnection
from echod.tcp.deadlines import Deadlines, Sweep
from echod.tcp.draining import Drain, Waiting
from echod.tcp.session import Session, showingMessages
from echod.tcp.sessionlines import SessionLines
from echod.tcp.states import RETURNING
from echod.tcp.statistics import SessionStatistics

SomeSession = TypeVar("SomeSession", bound=GracefulConnection)


class SessionFactory(Factory):
    """
    Builds the sessions of one service, within its limits; counts and drains them.

    @cvar service: The name of the service in the log.

    @ivar showMessages: True to log the messages of peers.

    @ivar sessions: The sessions that have not ended, as the keys: a set of many sessions takes
        twice as much memory.

    @ivar waiting: The connections that are not sessions yet.

    @ivar admission: Decides which peers are served.

    @ivar ended: The statistics of the sessions that have ended.

    @ivar onEnd: Called with each session that has ended.

    @ivar idleSweep: Checks all sessions for idleness.

    @ivar lingering: The sessions that wait for their peer to close.
    """

    noisy = False
    protocol: type[Session]  # type: ignore[assignment]
    service: str
    _drain: Drain | None = None

    def __init__(
        self,
        reactor: IReactorTime,
        *,
        limits: Limits | None = None,
        showMessages: bool = False,
    ) -> None:
        self.reactor = reactor
        self.limits = limits or Limits()
        self.showMessages = showMessages
        self.sessions: dict[Session, None] = {}
        self.waiting: set[Waiting] = set()
        self.refusals = Refusals(reactor, self.service)
        self.lines = SessionLines(reactor, self.service, self.limits.sessionLines)
        self.admission = Admission(self.limits)
        self.ended = SessionStatistics()
        self.onEnd: Callable[[ServedSession], None] | None = None
        self._deadlines: list[Deadlines[Any]] = []
        # Without an idle timeout, a session that is closing still has the default one.
        interval = (self.limits.idleTimeout or IDLE_TIMEOUT) / IDLE_CHECKS
        self.idleSweep = Sweep(reactor, interval, self.sessions, self._checkIdle)
        self.lingering = self.deadlines(QUIET / QUIET_CHECKS, GracefulConnection.checkLinger)

    @property
    def received(self) -> int:
        """
        How many bytes peers have sent.
        """
        return self.ended.received + sum(session.received for session in self.sessions)

    @property
    def returned(self) -> int:
        """
        How many bytes were written to peers.
        """
        return self.ended.returned + sum(session.returned for session in self.sessions)

    def statistics(self) -> SessionServerStatistics:
        """
        @return: The counters of the service.
        """
        ended = self.ended
        return {
            "received_bytes": self.received,
            "returned_bytes": self.returned,
            "refused": dict(self.refusals.counts),
            "impairments": None,
            "impaired": {},
            "kind": SESSIONS,
            "open": len(self.sessions),
            "max_connections": self.limits.capacity.most,
            "accepted": len(self.sessions) + ended.sessions,
            "ended": dict(ended.outcomes),
            "duration_buckets": list(ended.lengths.counts),
            "duration_sum_s": ended.lengths.sum,
        }

    def taken(self) -> dict[str | None, Traffic]:
        """
        @return: Nothing: only datagrams are counted by source.
        """
        return {}

    def logPrefix(self) -> str:
        """
        @return: The name of the service in the messages of Twisted.
        """
        return self.service

    def startFactory(self) -> None:
        """
        Start to listen.
        """
        self._drain = None
        self.refusals.start()
        for deadlines in self._deadlines:
            deadlines.start()

    def stopFactory(self) -> None:
        """
        Stop to listen.
        """
        self.refusals.stop()
        for deadlines in self._deadlines:
            deadlines.stop()
        if not self.sessions:
            self._leaveNoTimer()

    def deadlines(
        self, delay: float, due: Callable[[SomeSession], None]
    ) -> Deadlines[SomeSession]:
        """
        @return: One timer for all sessions.  If the factory does not listen and no
            session waits, the timer is not in the reactor.
        """
        deadlines = Deadlines(self.reactor, delay, due)
        self._deadlines.append(deadlines)
        return deadlines

    def buildProtocol(  # type: ignore[override]
        self, address: IAddress | None
    ) -> Session | None:
        """
        @param address: The address of the peer.  Behind a proxy, the transport has
            another one.

        @return: A session; or L{None}, which closes the connection.
        """
        reason = self.admission.refusal(address, self.reactor.seconds())
        if reason is not None:
            self.refusals.add(reason, addressName(address))
            return None
        session = self._showing() if self.showMessages else self.protocol()
        session.factory = self
        session.address = address
        return session

    @cached_property
    def _showing(self) -> type[Session]:
        return showingMessages(self.protocol)

    def _checkIdle(self, session: Session) -> None:
        if self.limits.idleTimeout or session.state not in RETURNING:
            session.checkIdle()

    def entered(self, session: Session) -> None:
        """
        Log and count a session that has started.
        """
        self.sessions[session] = None
        if self.limits.idleTimeout:
            self.idleSweep.start()
        self.admission.count(session.address, 1)
        self.lines.started(session)
        if self._drain is not None:
            self._drain.entered(session)

    def left(self, session: Session) -> None:
        """
        Log and count a session that has ended.
        """
        del self.sessions[session]
        self.admission.count(session.address, -1)
        self.lines.ended(session)
        if not self.sessions:
            self._leaveNoTimer()
        assert session.outcome is not None
        self.ended.add(session.outcome, session.received, session.returned, session.duration)
        if self.onEnd is not None:
            self.onEnd(session)
        if self._drain is not None:
            self._drain.left(session)

    def _leaveNoTimer(self) -> None:
        """
        Stop the timers that the next session, if one can come, would not need.
        """
        if not self.numPorts:
            self.lines.flush()
        if not (self.numPorts and self.limits.idleTimeout):
            self.idleSweep.stop()

    def drain(self) -> Deferred[None]:
        """
        Let every session return all data from its peer, and close it.  Abort
        the sessions that take longer than the drain timeout.

        @return: Fires when no session is left.
        """
        if self._drain is None:
            self._drain = Drain(self)
            self._drain.start()
        return self._drain.whenDone()

    def settled(self) -> None:
        """
        Check whether the drain is done: a waiting connection has ended.
        """
        if self._drain is not None:
            self._drain.settled()

    def abort(self) -> None:
        """
        End all sessions now.
        """
        for connection in [*self.sessions, *self.waiting]:
            connection.abort()
