"""
The drain: a service that stops lets its sessions finish, within a time limit.
"""

from __future__ import annotations

from typing import Protocol as Interface

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from echod.limits.capacity import Limits
from echod.tcp.closing import CUT
from echod.tcp.session import Session

_log = Logger(namespace="echod.tcp")


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


class DrainHost(Interface):
    """
    The part of a factory that a drain uses.
    """

    service: str
    reactor: IReactorTime
    limits: Limits
    sessions: dict[Session, None]
    waiting: set[Waiting]

    def abort(self) -> None:
        """
        End all sessions now.
        """


class Drain:
    """
    Ends all sessions of a service: each returns all data from its peer, and closes.
    Aborts the sessions that take longer than the drain timeout.
    """

    def __init__(self, host: DrainHost) -> None:
        self._host = host
        self._done: Deferred[None] = Deferred()
        self._deadline = host.reactor.callLater(host.limits.drainTimeout, host.abort)
        # How many sessions the drain waits or has waited for, and how many were cut.
        self._sessions = len(host.sessions)
        self._cut = 0

    def start(self) -> None:
        """
        Drain all connections.
        """
        host = self._host
        if host.sessions:
            _log.info(
                "{service}: stopping; sessions to finish, in {limit:g} s at most: {sessions}",
                service=host.service,
                limit=host.limits.drainTimeout,
                sessions=self._sessions,
            )
        for connection in [*host.sessions, *host.waiting]:
            connection.drain()
        self.settled()

    def whenDone(self) -> Deferred[None]:
        """
        @return: Fires when no connection is left.
        """
        done: Deferred[None] = Deferred()
        self._done.addCallback(done.callback)
        return done

    def entered(self, session: Session) -> None:
        """
        Drain a session whose connection was accepted before the drain began.  Wait for
        the next turn of the reactor: bytes may come with the connection.
        """
        self._sessions += 1
        self._host.reactor.callLater(0, session.drain)

    def left(self, session: Session) -> None:
        """
        Count a session that has ended.
        """
        self._cut += session.outcome == CUT
        self.settled()

    def settled(self) -> None:
        """
        Check whether the drain is done.
        """
        if self._done.called or self._host.sessions or self._host.waiting:
            return
        if self._deadline.active():
            self._deadline.cancel()
        if self._sessions:
            _log.info(
                "{service}: stopped; sessions finished: {finished}, cut: {cut}",
                service=self._host.service,
                finished=self._sessions - self._cut,
                cut=self._cut,
            )
        self._done.callback(None)
