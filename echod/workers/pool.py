"""
The pool of workers: it replaces each worker that dies and, when asked, all of them one by
one.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from echod.net.reactor import Reactor
from echod.service.listening import CannotServe
from echod.status.snapshot import Data
from echod.workers.aggregate import added, left
from echod.workers.process import Worker, cause
from echod.workers.renewal import Renewal
from echod.workers.restarter import Restarter
from echod.workers.spawner import Spawner

if TYPE_CHECKING:
    from twisted.runner.procmon import LoggingProtocol

_log = Logger(namespace="echod.workers")

LOOK = 1.0
"""
The time between two checks of all workers, in seconds.
"""


class WorkerPool(Service):
    """
    Starts the workers, and watches them while it runs.

    @ivar workers: The living workers, by name.

    @ivar deaths: How many workers have died unasked.

    @ivar past: The sum of the counts of all ended workers; empty if none has ended.
    """

    _started = False

    def __init__(
        self,
        reactor: Reactor,
        count: int,
        arguments: list[str],
        descriptors: Callable[[int], Mapping[str, int]],
        drainTimeout: float,
    ) -> None:
        """
        @param count: The number of workers.

        @param arguments: The command line of echod.

        @param descriptors: Returns the descriptors that a worker inherits, by name.  It
            takes the worker's slot.

        @param drainTimeout: How long a worker may take to drain, in seconds.
        """
        self._restarter = Restarter(reactor, drainTimeout, self._spawn)
        self.workers: dict[str, Worker] = {}
        self.deaths = 0
        self.past: Data = {}
        self._spawner = Spawner(reactor, arguments, descriptors)
        self._count = count
        self._slots: dict[str, int] = {}
        self._generations = [0] * count
        self._renewal = Renewal(self._slots, self._add, self._retire)
        self._watching = LoopingCall(self._watch)
        self._watching.clock = reactor
        self._whenDone: list[Deferred[None]] = []

    @property
    def reports(self) -> list[Data]:
        """
        The latest reports of the living workers, without those of another version.
        """
        return [worker.report for worker in self.workers.values() if worker.countable]

    @property
    def unready(self) -> list[str]:
        """
        One text for each slot whose worker does not serve.
        """
        serving = {worker.slot for worker in self.workers.values() if worker.ready}
        return [
            f"worker {slot + 1} does not serve"
            for slot in range(self._count)
            if slot not in serving
        ]

    def startService(self) -> None:
        """
        Start all workers.

        @raise CannotServe: if a process cannot be started.
        """
        super().startService()
        self._started = False
        self._restarter.start()
        for slot in range(self._count):
            if slot not in self._slots.values():
                self._add(slot)
        self._started = True
        self._watching.start(LOOK, now=False)

    def stopService(self) -> None:
        """
        Have all workers drain their sessions, and end.
        """
        if successor := self._renewal.stop():
            self._forget(successor)
        super().stopService()
        self._restarter.stop()
        for worker in self.workers.values():
            if worker.succeeded:
                worker.tell("TERM")
        if self._watching.running:
            self._watching.stop()

    def whenDone(self) -> Deferred[None]:
        """
        @return: Fires when all workers have ended.
        """
        done: Deferred[None] = Deferred()
        self._whenDone.append(done)
        self._checkDone()
        return done

    def abort(self) -> None:
        """
        Have all workers close their sessions at once.
        """
        for worker in self.workers.values():
            worker.tell("INT")

    def reopen(self) -> None:
        """
        Have all workers reopen their files.  A worker that has not reported yet does not
        handle signals yet: it is told after its first report.
        """
        for worker in self.workers.values():
            worker.behind = not worker.report
            if worker.report:
                worker.tell(signal.SIGUSR1)

    def renew(self) -> None:
        """
        Replace all workers, one by one: each ends when its successor serves.
        """
        if self.running:
            _log.info("replacing {count} workers, one by one", count=self._count)
            self._renewal.start()

    def _add(self, slot: int) -> str:
        generation = self._generations[slot] = self._generations[slot] + 1
        name = f"worker {slot + 1}" + (f".{generation}" if generation > 1 else "")
        self._slots[name] = slot
        self._restarter.add(name)
        return name

    def _spawn(self, monitored: LoggingProtocol) -> None:
        name = monitored.name
        slot = self._slots[name]
        worker = Worker(name, slot, monitored, self._reported, self._ended)
        try:
            self._spawner.spawn(worker, slot)
        except OSError as error:
            monitored.makeConnection(worker)
            monitored.processEnded(Failure(ProcessDone(0)))
            problem = f"{name} cannot be started: {error.strerror}"
            if not self._started:
                raise CannotServe(problem) from None
            _log.error("{problem}", problem=problem)
        else:
            self.workers[name] = worker

    def _reported(self, worker: Worker) -> None:
        if worker.behind:
            worker.behind = False
            worker.tell(signal.SIGUSR1)
        if worker.ready and not worker.served:
            worker.served = True
            self._serves(worker)

    def _serves(self, worker: Worker) -> None:
        self._restarter.served(worker.name)
        _log.info("{name} serves (process {pid})", name=worker.name, pid=worker.pid)
        if not worker.countable:
            # Another version has been installed since the parent started.
            _log.warn(
                "{name} is echod {version}: nothing of it is counted until a restart",
                name=worker.name,
                version=worker.report["version"],
            )
        self._renewal.serves(worker.name)

    def _retire(self, name: str) -> None:
        worker = self.workers.get(name)
        if worker is not None:
            worker.succeeded = True
        self._forget(name)

    def _forget(self, name: str) -> None:
        """
        End a worker, and do not start it again.
        """
        del self._slots[name]
        self._restarter.remove(name)

    def _ended(self, worker: Worker, reason: Failure) -> None:
        del self.workers[worker.name]
        if worker.countable:
            self.past = added(self.past, left(worker.report))
        if self.running and worker.name in self._slots:
            self.deaths += 1
            _log.error(
                "{name} (process {pid}) has died: {why}",
                name=worker.name,
                pid=worker.pid,
                why=cause(reason),
            )
        else:
            _log.info("{name} has ended", name=worker.name)
        self._checkDone()

    def _checkDone(self) -> None:
        if not self.workers:
            while self._whenDone:
                self._whenDone.pop().callback(None)

    def _watch(self) -> None:
        for worker in self.workers.values():
            worker.check()
