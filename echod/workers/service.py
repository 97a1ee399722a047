"""
What is an L{EchoService} to everybody, and serves in other processes.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from echod.limits.descriptors import ProcessRoom
from echod.service.echoservice import EchoService
from echod.service.listening import CannotServe
from echod.workers.pool import WorkerPool

_log = Logger(namespace="echod.workers")


class WorkersService(EchoService):
    """
    All that one echod listens on, and the workers that serve it.
    """

    def __init__(self, reactor: Any, pool: WorkerPool, room: ProcessRoom | None = None) -> None:
        super().__init__(reactor, room)
        self.pool = pool

    @property
    def ready(self) -> bool:
        """
        Whether all of them listen and all workers serve.
        """
        return super().ready and not self.pool.unready

    @property
    def sessions(self) -> int:
        """
        How many sessions there are.
        """
        return sum(report["sessions"]["open"] for report in self.pool.reports)

    def startService(self) -> None:
        """
        Listen on everything that is not listened on yet, and have it served.

        @raise CannotServe: if that fails; nothing is listened on then.
        """
        super().startService()
        try:
            self.pool.startService()
        except CannotServe as problem:
            _log.critical("{problem}", problem=problem)
            self.stopService()
            raise

    def stopService(self) -> Deferred[None]:
        """
        Stop listening on everything, and have the workers serve those who are
        there to their end.

        @return: Fires when nobody is there.
        """
        # First, so that nobody comes who would wait for a worker that is not.
        stopped = super().stopService()
        self.pool.stopService()
        return stopped

    def abort(self) -> None:
        """
        End all sessions now.
        """
        self.pool.abort()

    def reopen(self) -> None:
        """
        Reopen the session log here, and in the workers.
        """
        super().reopen()
        self.pool.reopen()

    def reload(self) -> None:
        """
        Reopen the session log, and replace the workers one by one.
        """
        super().reload()
        self.pool.renew()

    def _stopped(self, _: object) -> Deferred[None] | None:
        return self.pool.whenDone().addCallback(super()._stopped)
