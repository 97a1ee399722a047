"""
All services of one echod, as one Twisted service.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.components import Componentized

from echod._version import __version__
from echod.limits.descriptors import ProcessRoom
from echod.service.interfaces import EchoServer
from echod.service.listening import LISTENING, CannotServe, ListeningService

_log = Logger(namespace="echod.service")


class EchoService(MultiService):
    """
    All that one echod listens on: everything or nothing.

    @ivar observers: Services that see all of it: they start when everything is
        listened on, and stop when nobody is served any more.

    @ivar onReopen: The functions that reopen its files.

    @ivar installLog: Installs the log in the application that gets this service; L{None}
        in a program of one's own.

    @ivar room: The room for the connections of this process.

    @ivar limits: Returns the limits in words, for the log.
    """

    installLog: Callable[[Componentized], None] | None = None
    _started = False

    def __init__(self, reactor: Any, room: ProcessRoom | None = None) -> None:
        """
        @param reactor: What it runs on.
        """
        super().__init__()
        self.room = room or ProcessRoom()
        self.limits: Callable[[], str] = str
        self.observers = MultiService()
        self.onReopen: list[Callable[[], object]] = []
        self._reactor = reactor

    @property
    def listening(self) -> list[ListeningService[EchoServer]]:
        """
        Those of its services which listen.
        """
        return [service for service in self if isinstance(service, ListeningService)]

    @property
    def ready(self) -> bool:
        """
        Whether all of them do so now.
        """
        return all(service.state == LISTENING for service in self.listening)

    @property
    def sessions(self) -> int:
        """
        How many sessions there are.
        """
        return sum(len(service.server.sessions) for service in self.listening)

    def setServiceParent(self, parent: Any) -> None:
        """
        Become a part of an application, before it starts to log.
        """
        super().setServiceParent(parent)
        if self.installLog is not None:
            self.installLog(parent)

    def privilegedStartService(self) -> None:
        """
        Listen on everything.

        @raise CannotServe: if that fails; nothing is listened on then.
        """
        self._startWith(MultiService.privilegedStartService)

    def startService(self) -> None:
        """
        Listen on everything that is not listened on yet.  Then find out how many
        connections there may be.

        @raise CannotServe: if that fails; nothing is listened on then.
        """
        self._startWith(MultiService.startService)
        self._measure()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening on everything, and serve those who are there to their
        end.

        @return: Fires when all addresses are free again and nobody is there.
        """
        self._started = False
        stopped: Deferred[None] = super().stopService()
        stopped.addCallback(self._stopped)
        return stopped.addCallback(lambda _: None)

    def abort(self) -> None:
        """
        End all sessions now.
        """
        for service in self.listening:
            service.server.abort()

    def reopen(self) -> None:
        """
        Reopen the session log, because its file was renamed.
        """
        for reopen in self.onReopen:
            reopen()

    def reload(self) -> None:
        """
        Reopen the session log, and go on.
        """
        self.reopen()

    def _measure(self) -> None:
        try:
            self.room.measure()
        except ValueError as error:
            problem = CannotServe(f"echod cannot serve: {error}")
            _log.critical("{problem}", problem=problem)
            self.stopService()
            raise problem from None
        if limits := self.limits():
            _log.info("limits: {limits}", limits=limits)

    def _stopped(self, _: object) -> Deferred[None] | None:
        # It may have been started again meanwhile.
        return None if self.running else self.observers.stopService()

    def _startWith(self, start: Callable[[MultiService], None]) -> None:
        if not self._started:
            self._started = True
            _log.info(
                "echod {version} on {reactor}",
                version=__version__,
                reactor=type(self._reactor).__name__,
            )
        try:
            start(self)
            # Those of a start before may never have stopped.
            if not self.observers.running:
                start(self.observers)
        except CannotServe:
            self.stopService()
            raise
