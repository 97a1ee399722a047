"""
What the TCP sessions of one service have in common: they are admitted or
refused, they are counted, and they are drained.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar
from typing import Protocol as TypingProtocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.internet.protocol import Factory

from echod.limits.capacity import NO_ROOM, Limits, sourceOf
from echod.limits.networks import DENIED
from echod.limits.refusals import Refusals
from echod.net.format import addressName
from echod.net.statistics import SESSIONS, ServedSession, SessionServerStatistics, Traffic
from echod.tcp.deadlines import Deadlines
from echod.tcp.drain import Drain
from echod.tcp.session import CUT, IDLE_CHECKS, QUIET, Session
from echod.tcp.statistics import SessionStatistics

NO_ROOM_FOR_SOURCE = "too many connections from its address"

SomeSession = TypeVar("SomeSession", bound=Session)


class Waiting(TypingProtocol):
    """
    A connection that is to become a session.
    """

    def drain(self) -> None: ...

    def abort(self) -> None: ...


class SessionFactory(Factory):
    """
    Builds the sessions of one service, as far as its limits allow.

    @cvar service: What the service is called in the log.

    @ivar reactor: Tells the time.

    @ivar limits: What the service bears.

    @ivar showMessages: Whether to log what peers send.

    @ivar sessions: Those that there are.

    @ivar waiting: Connections that are to become sessions.

    @ivar refusals: The connections that were refused.

    @ivar ended: What has become of the sessions that there were.

    @ivar onEnd: Called with each session that has ended.

    @ivar idling: The sessions to be looked at, whether they are idle.

    @ivar lingering: The sessions that wait for their peer to close.
    """

    noisy = False
    protocol: type[Session]  # type: ignore[assignment]
    service: str
    _draining: Drain | None = None

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
        self.ended = SessionStatistics()
        self.onEnd: Callable[[ServedSession], None] | None = None
        self._fromSource: Counter[str] = Counter()
        self._deadlines: list[Deadlines[Any]] = []
        self.idling = self.deadlines(self.limits.idleTimeout / IDLE_CHECKS, Session.checkIdle)
        self.lingering = self.deadlines(QUIET, Session.checkLinger)

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
        @return: What the service has counted.
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
        @return: Nothing: a stream has sessions, and no datagrams to count by source.
        """
        return {}

    def logPrefix(self) -> str:
        """
        How Twisted names the service in its own messages.
        """
        return self.service

    def startFactory(self) -> None:
        """
        Listening starts.
        """
        self._draining = None
        self.refusals.start()
        for deadlines in self._deadlines:
            deadlines.start()

    def stopFactory(self) -> None:
        """
        Listening has ended.
        """
        self.refusals.stop()
        for deadlines in self._deadlines:
            deadlines.stop()

    def deadlines(
        self, delay: float, due: Callable[[SomeSession], None]
    ) -> Deadlines[SomeSession]:
        """
        @return: One timer for all sessions.  While nobody listens and no session
            waits, it is not in the reactor.
        """
        deadlines = Deadlines(self.reactor, delay, due)
        self._deadlines.append(deadlines)
        return deadlines

    def buildProtocol(  # type: ignore[override]
        self, address: IAddress | None
    ) -> Session | None:
        """
        @param address: The peer's; behind a proxy that is not the transport's.

        @return: A session; or L{None}, which closes the connection.
        """
        reason = self.refusal(address)
        if reason is not None:
            self.refusals.add(reason, addressName(address))
            return None
        session = self.protocol()
        session.factory = self
        session.address = address
        return session

    def refusal(self, address: IAddress | None) -> str | None:
        """
        @return: Why not to admit a peer, or L{None}.
        """
        limits = self.limits
        host = getattr(address, "host", None)
        if host is not None and not limits.networks.serves(host):
            return DENIED
        if limits.capacity.full:
            return NO_ROOM
        if host is not None and 0 < limits.maxPerSource <= self._fromSource[sourceOf(host)]:
            return NO_ROOM_FOR_SOURCE
        return None

    def entered(self, session: Session) -> None:
        """
        A session has started.
        """
        self.sessions.add(session)
        self.limits.capacity.taken += 1
        self._count(session, 1)
        if self._draining is not None:
            self._draining.join(session)

    def left(self, session: Session) -> None:
        """
        A session has ended.
        """
        self.sessions.remove(session)
        self.limits.capacity.taken -= 1
        self._count(session, -1)
        assert session.outcome is not None
        self.ended.add(session.outcome, session.received, session.returned, session.duration)
        if self.onEnd is not None:
            self.onEnd(session)
        if self._draining is not None:
            self._draining.cut += session.outcome == CUT
        self.settled()

    def settled(self) -> None:
        """
        There is one less to wait for.
        """
        if self._draining is not None:
            self._draining.checkDone()

    def drain(self) -> Deferred[None]:
        """
        Let every session have back what it has sent so far, and close it.  Who
        takes longer for that than the limit allows is cut.

        @return: Fires when nobody is there any more.
        """
        if self._draining is None:
            self._draining = Drain(self)
        return self._draining.whenDone()

    def abort(self) -> None:
        """
        End all sessions now.
        """
        for connection in [*self.sessions, *self.waiting]:
            connection.abort()

    def _count(self, session: Session, change: int) -> None:
        host = getattr(session.address, "host", None)
        if self.limits.maxPerSource and host is not None:
            source = sourceOf(host)
            self._fromSource[source] += change
            if not self._fromSource[source]:
                del self._fromSource[source]
