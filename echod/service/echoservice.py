"""
All services of one echod, as one Twisted service.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from twisted.application.service import MultiService, Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.components import Componentized

from echod._version import __version__
from echod.limits.descriptors import ProcessRoom
from echod.net.reactor import Reactor
from echod.service.interfaces import EchoServer
from echod.service.listening import LISTENING, CannotServe, ListeningService

_log = Logger(namespace="echod.service")


class EchoService(MultiService):
    """
    All services of one echod.  If an address fails, none is listened on.

    @ivar observers: Services that watch the others: they start when everything listens, and
        stop when all sessions have ended.

    @ivar onReopen: Functions that reopen log files.

    @ivar installLog: Installs the log in the application that gets this service; L{None}
        in a program of one's own.

    @ivar room: The room for the connections of this process.

    @ivar limits: Returns the limits in words, for the log.

    @ivar withFreePorts: Returns the command of the user with free ports in place of those
        that are in use; empty if there is none.
    """

    installLog: Callable[[Componentized], None] | None = None
    _started = False

    def __init__(self, reactor: Reactor, room: ProcessRoom | None = None) -> None:
        """
        @param reactor: The reactor, which the log names.
        """
        super().__init__()
        self.room = room or ProcessRoom()
        self.limits: Callable[[], str] = str
        self.withFreePorts: Callable[[], str] = str
        self.observers = MultiService()
        self.onReopen: list[Callable[[], object]] = []
        self._reactor = reactor

    @property
    def listening(self) -> list[ListeningService[EchoServer]]:
        """
        The services that listen on an address.
        """
        return [service for service in self if isinstance(service, ListeningService)]

    @property
    def ready(self) -> bool:
        """
        True if all addresses are listened on.
        """
        return all(service.state == LISTENING for service in self.listening)

    @property
    def sessions(self) -> int:
        """
        The number of sessions.
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
        Listen on all addresses.

        @raise CannotServe: if one address fails; then nothing is listened on.
        """
        self._startAll("privilegedStartService")

    def startService(self) -> None:
        """
        Listen on everything that is not listened on yet.  Then find out how many
        connections there may be.

        @raise CannotServe: if one address fails; then nothing is listened on.
        """
        self._startAll("startService")
        self._measure()

    def stopService(self) -> Deferred[None]:
        """
        Stop listening, and drain all sessions.

        @return: Fires when all addresses are free and all sessions have ended.
        """
        self._started = False
        stopped: Deferred[None] = super().stopService()
        stopped.addCallback(self._stopped)
        return stopped.addCallback(lambda _: None)

    def abort(self) -> None:
        """
        Close all sessions at once.
        """
        for service in self.listening:
            service.server.abort()

    def reopen(self) -> None:
        """
        Reopen the log files, because they were renamed.
        """
        for reopen in self.onReopen:
            reopen()

    def reload(self) -> None:
        """
        Reload on SIGHUP: reopen the log files.
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
        # The service may have been started again meanwhile.
        return None if self.running else self.observers.stopService()

    def _startAll(self, start: str) -> None:
        """
        @param start: The method of each service to call.
        """
        if not self._started:
            self._started = True
            _log.info(
                "echod {version} on {reactor}",
                version=__version__,
                reactor=type(self._reactor).__name__,
            )
        # The observers still run if the service was stopped and started again at once.
        groups = [self] if self.observers.running else [self, self.observers]
        for group in groups:
            getattr(Service, start)(group)
        problems = []
        for service in chain(*groups):
            try:
                getattr(service, start)()
            except CannotServe as problem:
                problems.append(problem)
                # Without descriptors, or without a log file, nothing else would start.
                if not getattr(service, "inUse", 0):
                    break
        if problems:
            if command := self.withFreePorts():
                _log.critical("this uses free ports (0) instead: {command}", command=command)
            self.stopService()
            raise problems[0]
