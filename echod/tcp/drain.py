"""
The end of a service: whoever is there is served to the end, for a limited time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.logger import Logger

if TYPE_CHECKING:
    from echod.tcp.factory import SessionFactory
    from echod.tcp.session import Session

_log = Logger(namespace="echod.tcp")


class Drain:
    """
    Lets every session have back what it has sent so far, and close.

    @ivar cut: How many sessions were cut.
    """

    def __init__(self, factory: SessionFactory) -> None:
        self._factory = factory
        self._sessions = len(factory.sessions)
        self._over: Deferred[None] = Deferred()
        self.cut = 0
        limit = factory.limits.drainTimeout
        self._deadline = factory.reactor.callLater(limit, factory.abort)
        if self._sessions:
            _log.info(
                "{service}: stopping; sessions to finish, in {limit:g} s at most: {sessions}",
                service=factory.service,
                limit=limit,
                sessions=self._sessions,
            )
        for connection in [*factory.sessions, *factory.waiting]:
            connection.drain()
        self.checkDone()

    def whenDone(self) -> Deferred[None]:
        """
        @return: Fires when nobody is there any more.
        """
        over: Deferred[None] = Deferred()
        self._over.addCallback(over.callback)
        return over

    def join(self, session: Session) -> None:
        """
        A session starts that was on its way when the end began.
        """
        self._sessions += 1
        # When it has been told of what came with its start.
        self._factory.reactor.callLater(0, session.drain)

    def checkDone(self) -> None:
        """
        See whether it is over.
        """
        if self._over.called or self._factory.sessions or self._factory.waiting:
            return
        if self._deadline.active():
            self._deadline.cancel()
        if self._sessions:
            _log.info(
                "{service}: stopped; sessions finished: {finished}, cut: {cut}",
                service=self._factory.service,
                finished=self._sessions - self.cut,
                cut=self.cut,
            )
        self._over.callback(None)
