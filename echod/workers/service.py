"""
The service of the parent: an L{EchoService} whose sessions are in other processes.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from echod.limits.descriptors import ProcessRoom
from echod.net.reactor import Reactor
from echod.service.echoservice import EchoService
from echod.service.listening import CannotServe
from echod.workers.pool import WorkerPool

_log = Logger(namespace="echod.workers")


class WorkersService(EchoService):
    """
    All services of one echod, served by workers.
    """

    def __init__(
        self, reactor: Reactor, pool: WorkerPool, room: ProcessRoom | None = None
    ) -> None:
        super().__init__(reactor, room)
        self.pool = pool

    @property
    def ready(self) -> bool:
        """
        True if all services listen and all workers serve.
        """
        return super().ready and not self.pool.unready

    @property
    def sessions(self) -> int:
        """
        The number of sessions of all workers.
        """
        return sum(report["sessions"]["open"] for report in self.pool.reports)

    def startService(self) -> None:
        """
        Listen on all addresses, and start the workers.

        @raise CannotServe: if an address or a worker fails; then nothing is listened on.
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
        Stop listening, and have the workers drain their sessions.

        @return: Fires when all workers have ended.
        """
        # Stop listening first: no new peer waits for a worker that has ended.
        stopped = super().stopService()
        self.pool.stopService()
        return stopped

    def abort(self) -> None:
        """
        Close all sessions at once.
        """
        self.pool.abort()

    def reopen(self) -> None:
        """
        Reopen the log files here, and in the workers.
        """
        super().reopen()
        self.pool.reopen()

    def reload(self) -> None:
        """
        Reopen the log files, and replace the workers one by one.
        """
        super().reload()
        self.pool.renew()

    def _stopped(self, _: object) -> Deferred[None] | None:
        return self.pool.whenDone().addCallback(super()._stopped)
