"""
The base class of the TCP services: it admits, counts and drains sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar
from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from echod.limits.capacity import IDLE_TIMEOUT, NO_ROOM, Limits, sourceOf
from echod.limits.networks import DENIED
from echod.limits.refusals import Refusals
from echod.net.format import addressName
from echod.net.statistics import SESSIONS, ServedSession, SessionServerStatistics, Traffic
from echod.tcp.closing import CUT, IDLE_CHECKS, QUIET, QUIET_CHECKS, GracefulConnection
from echod.tcp.deadlines import Deadlines
from echod.tcp.session import Session, showingMessages
from echod.tcp.sessionlines import SessionLines
from echod.tcp.statistics import SessionStatistics

_log = Logger(namespace="echod.tcp")

NO_ROOM_FOR_SOURCE = "too many connections from its address"
OVER_CONNECT_RATE = "too many new connections from its address"

SomeSession = TypeVar("SomeSession", bound=GracefulConnection)


class Waiting(Interface):
    """
    A connection that is not a session yet.
    """

    def drain(self) -> None:
        """
        Close, unless bytes of the peer have arrived already.
        """

    def abort(self) -> None:
        """
        Close at once.
        """


class SessionFactory(Factory):
    """
    Builds the sessions of one service, within its limits; counts and drains them.

    @cvar service: The name of the service in the log.

    @ivar reactor: The clock.

    @ivar showMessages: Whether to log what peers send.

    @ivar sessions: The sessions that have not ended.

    @ivar waiting: The connections that are not sessions yet.

    @ivar refusals: The connections that were refused.

    @ivar lines: The log lines about sessions.

    @ivar ended: The statistics of the sessions that have ended.

    @ivar onEnd: Called with each session that has ended.

    @ivar idling: The sessions that are checked for idleness.

    @ivar lingering: The sessions that wait for their peer to close.
    """

    noisy = False
    protocol: type[Session]  # type: ignore[assignment]
    service: str
    # The drain: fires when it is done; None while there is no drain.
    _drained: Deferred[None] | None = None
    _drainDeadline: IDelayedCall
    # How many sessions the drain waits or has waited for, and how many were cut.
    _drainedSessions = 0
    _cutSessions = 0

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
        self.sessions: set[Session] = set()
        self.waiting: set[Waiting] = set()
        self.refusals = Refusals(reactor, self.service)
        self.lines = SessionLines(reactor, self.service, self.limits.sessionLines)
        self.ended = SessionStatistics()
        self.onEnd: Callable[[ServedSession], None] | None = None
        self._fromSource: Counter[str] = Counter()
        self._deadlines: list[Deadlines[Any]] = []
        # Without an idle timeout, a session that is closing still has the default one.
        idleTimeout = self.limits.idleTimeout or IDLE_TIMEOUT
        self.idling = Deadlines(
            reactor, idleTimeout / IDLE_CHECKS, GracefulConnection.checkIdle
        )
        if self.limits.idleTimeout:
            # Keep the timer: all sessions need it, and not only those that are closing.
            self._deadlines.append(self.idling)
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
            "receivedBytes": self.received,
            "returnedBytes": self.returned,
            "refused": dict(self.refusals.counts),
            "impairments": None,
            "impaired": {},
            "kind": SESSIONS,
            "open": len(self.sessions),
            "accepted": len(self.sessions) + ended.sessions,
            "ended": dict(ended.outcomes),
            "lengths": list(ended.lengths.counts),
            "seconds": ended.lengths.sum,
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
        self._drained = None
        self.refusals.start()
        for deadlines in self._deadlines:
            deadlines.start()

    def stopFactory(self) -> None:
        """
        Stop to listen.
        """
        self.refusals.stop()
        self.lines.flush()
        for deadlines in self._deadlines:
            deadlines.stop()

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
        reason = self.refusal(address)
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

    def refusal(self, address: IAddress | None) -> str | None:
        """
        @return: Why the peer is refused; or L{None}.
        """
        limits = self.limits
        host = getattr(address, "host", None)
        if host is not None and not limits.networks.serves(host):
            return DENIED
        if limits.capacity.full:
            return NO_ROOM
        if host is None:
            return None
        source = sourceOf(host)
        if 0 < limits.maxPerSource <= self._fromSource[source]:
            return NO_ROOM_FOR_SOURCE
        # Last, because it counts the connection.
        rate = limits.connectRate
        if rate is not None and rate.exceeded(source, self.reactor.seconds()):
            return OVER_CONNECT_RATE
        return None

    def entered(self, session: Session) -> None:
        """
        Log and count a session that has started.
        """
        self.sessions.add(session)
        self.limits.capacity.taken += 1
        self._count(session, 1)
        self.lines.started(session)
        if self._drained is not None:
            # The connection was accepted before the drain began.  Drain the session
            # in the next turn: bytes may come with the connection.
            self._drainedSessions += 1
            self.reactor.callLater(0, session.drain)

    def left(self, session: Session) -> None:
        """
        Log and count a session that has ended.
        """
        self.sessions.remove(session)
        self.limits.capacity.taken -= 1
        self._count(session, -1)
        self.lines.ended(session)
        if not self.numPorts and not self.sessions:
            # Nobody comes any more: leave no timer.
            self.lines.flush()
        assert session.outcome is not None
        self.ended.add(session.outcome, session.received, session.returned, session.duration)
        if self.onEnd is not None:
            self.onEnd(session)
        self._cutSessions += session.outcome == CUT
        self.settled()

    def drain(self) -> Deferred[None]:
        """
        Let every session return what its peer has sent so far, and close it.  Abort
        the sessions that take longer than the drain timeout.

        @return: Fires when no session is left.
        """
        if self._drained is None:
            self._drained = Deferred()
            self._startDraining()
        done: Deferred[None] = Deferred()
        self._drained.addCallback(done.callback)
        return done

    def settled(self) -> None:
        """
        Check whether the drain is done: a session or a waiting connection has ended.
        """
        if self._drained is None or self._drained.called or self.sessions or self.waiting:
            return
        if self._drainDeadline.active():
            self._drainDeadline.cancel()
        if self._drainedSessions:
            _log.info(
                "{service}: stopped; sessions finished: {finished}, cut: {cut}",
                service=self.service,
                finished=self._drainedSessions - self._cutSessions,
                cut=self._cutSessions,
            )
        self._drained.callback(None)

    def abort(self) -> None:
        """
        End all sessions now.
        """
        for connection in [*self.sessions, *self.waiting]:
            connection.abort()

    def _startDraining(self) -> None:
        limit = self.limits.drainTimeout
        self._drainDeadline = self.reactor.callLater(limit, self.abort)
        self._drainedSessions, self._cutSessions = len(self.sessions), 0
        if self.sessions:
            _log.info(
                "{service}: stopping; sessions to finish, in {limit:g} s at most: {sessions}",
                service=self.service,
                limit=limit,
                sessions=len(self.sessions),
            )
        for connection in [*self.sessions, *self.waiting]:
            connection.drain()
        self.settled()

    def _count(self, session: Session, change: int) -> None:
        host = getattr(session.address, "host", None)
        if self.limits.maxPerSource and host is not None:
            source = sourceOf(host)
            self._fromSource[source] += change
            if not self._fromSource[source]:
                del self._fromSource[source]
