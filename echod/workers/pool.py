"""
All workers: each is replaced when it dies, and one by one when that is asked for.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone
from twisted.internet.interfaces import IReactorProcess, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.service.listening import CannotServe
from echod.status.snapshot import Data
from echod.workers.aggregate import added, left
from echod.workers.pipes import LOG, REPORTS
from echod.workers.process import Worker

if TYPE_CHECKING:
    from twisted.runner.procmon import LoggingProtocol

_log = Logger(namespace="echod.workers")

FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
"""
For how long a worker that dies before it serves is not tried again, in seconds: at
first, and at the most.  In between it is each time twice as long.
"""

LOOK = 1.0
"""
How often a worker is looked for, in seconds.
"""

PATIENCE = 30
"""
How often a worker is looked for in vain before it is taken to hang, and killed.
Looks, not seconds: while the machine sleeps, nobody looks.
"""

MARGIN = 4.0
"""
How much longer than it needs for its sessions a worker may take to end, in seconds.
"""

FIRST_SOCKET = 3
"""
The descriptor from which on there are sockets (sd_listen_fds(3)).
"""

CHILD = (
    "import os, sys; sys.path[:] = os.environ['PYTHONPATH'].split(os.pathsep); "
    "from echod.workers.child import main; main()"
)
"""
What a worker runs.  With C{-m} Python would look in the current directory first, where
the parent does not.
"""

PRIVATE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""
What systemd has to say to the parent alone.
"""


@implementer(IReactorProcess, IReactorTime)
class Spawner:
    """
    What a C{ProcessMonitor} takes for a reactor: gives each process its
    descriptors.
    """

    def __init__(self, reactor: Any, spawn: Callable[..., Any]) -> None:
        """
        @param spawn: Takes the place of the reactor's C{spawnProcess}.
        """
        self.spawnProcess = spawn
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)


class WorkerPool(Service):
    """
    Watches over the workers while it runs.

    A worker that had served when it died is replaced at once; one that never did,
    later and later.

    @ivar workers: Those that live, by name.

    @ivar deaths: How many have died of themselves.

    @ivar past: What those have counted that are no more; empty if there are none.
    """

    _started = False

    def __init__(
        self,
        reactor: Any,
        count: int,
        arguments: list[str],
        descriptors: Callable[[int], Mapping[str, int]],
        drainTimeout: float,
    ) -> None:
        """
        @param count: How many workers there are.

        @param arguments: The command line of echod.

        @param descriptors: What the worker with a number gets to inherit, by
            name.

        @param drainTimeout: How long a worker may take to drain, in seconds.
        """
        # Its module chooses a reactor: by now there is one.
        from twisted.runner.procmon import ProcessMonitor

        monitor: Any = ProcessMonitor(Spawner(reactor, self._spawn))
        # Every death is an early one, but delays are over when a worker serves.
        monitor.threshold = inf
        monitor.minRestartDelay, monitor.maxRestartDelay = FIRST_DELAY, LONGEST_DELAY
        # One that has a successor lets its sessions go on for as long before that.
        monitor.killTime = 2 * drainTimeout + MARGIN
        self._monitor = monitor
        self.workers: dict[str, Worker] = {}
        self.deaths = 0
        self.past: Data = {}
        self._parent = reactor
        self._count = count
        self._arguments = arguments
        self._directory = os.getcwd()
        self._descriptors = descriptors
        self._slots: dict[str, int] = {}
        self._generations = [0] * count
        self._outdated: list[str] = []
        self._succession: tuple[str, str] | None = None
        self._watching = LoopingCall(self._watch)
        self._watching.clock = reactor
        self._over: list[Deferred[None]] = []

    @property
    def reports(self) -> list[Data]:
        """
        What those who live have said last, as far as it can be added up.
        """
        return [worker.report for worker in self.workers.values() if worker.countable]

    @property
    def unready(self) -> list[str]:
        """
        Which workers do not serve.
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
        self._monitor.startService()
        for slot in range(self._count):
            if slot not in self._slots.values():
                self._add(slot)
        self._started = True
        self._watching.start(LOOK, now=False)

    def stopService(self) -> None:
        """
        Have all of them serve those who are there to their end, and end.
        """
        if self._succession is not None:
            self._forget(self._succession[1])
        self._outdated, self._succession = [], None
        super().stopService()
        self._monitor.stopService()
        for worker in self.workers.values():
            if worker.succeeded:
                worker.tell("TERM")
        if self._watching.running:
            self._watching.stop()

    def whenDone(self) -> Deferred[None]:
        """
        @return: Fires when no worker lives any more.
        """
        over: Deferred[None] = Deferred()
        self._over.append(over)
        self._seeWhetherOver()
        return over

    def abort(self) -> None:
        """
        Have all of them end the sessions that are left.
        """
        for worker in self.workers.values():
            worker.tell("INT")

    def reopen(self) -> None:
        """
        Have all of them open their files again.  One that has only just begun does
        not hear yet: it is told when it does.
        """
        for worker in self.workers.values():
            worker.behind = not worker.report
            if worker.report:
                worker.tell(signal.SIGUSR1)

    def renew(self) -> None:
        """
        Replace all of them, one by one: each ends when its successor serves.
        """
        if self.running:
            _log.info("replacing {count} workers, one by one", count=self._count)
            self._outdated = list(self._slots)
            self._goOn()

    def _add(self, slot: int) -> str:
        generation = self._generations[slot] = self._generations[slot] + 1
        name = f"worker {slot + 1}" + (f".{generation}" if generation > 1 else "")
        self._slots[name] = slot
        # Only now, as twistd may have become another process since it began.
        command = [sys.executable, "-c", CHILD, str(os.getpid()), type(self._parent).__module__]
        command += self._arguments
        self._monitor.addProcess(
            name, command, env=self._environment(slot), cwd=self._directory
        )
        return name

    def _environment(self, slot: int) -> dict[str, str]:
        names = self._descriptors(slot)
        environ = {name: value for name, value in os.environ.items() if name not in PRIVATE}
        return {
            **environ,
            # What was found here is to be found there.
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "LISTEN_FDS": str(len(names)),
            "LISTEN_FDNAMES": ":".join(names),
        }

    def _spawn(
        self,
        monitored: LoggingProtocol,
        executable: str,
        args: list[str],
        env: Mapping[str, str],
        path: str,
        **_: object,
    ) -> None:
        name = monitored.name
        # A worker that dies before it serves is not started again at once.
        self._monitor.delay[name] = max(self._monitor.delay[name], FIRST_DELAY)
        slot = self._slots[name]
        worker = Worker(name, slot, monitored, self._heard, self._ended)
        descriptors: dict[int, Any] = {0: "w", REPORTS: "r", LOG: "r"}
        descriptors.update(enumerate(self._descriptors(slot).values(), FIRST_SOCKET))
        try:
            self._parent.spawnProcess(
                worker, executable, args, env=env, path=path, childFDs=descriptors
            )
        except OSError as error:
            monitored.makeConnection(worker)
            monitored.processEnded(Failure(ProcessDone(0)))
            problem = f"{name} cannot be started: {error.strerror}"
            if not self._started:
                raise CannotServe(problem) from None
            _log.error("{problem}", problem=problem)
        else:
            self.workers[name] = worker

    def _heard(self, worker: Worker) -> None:
        if worker.behind:
            worker.behind = False
            worker.tell(signal.SIGUSR1)
        if worker.ready and not worker.served:
            worker.served = True
            self._monitor.delay[worker.name] = 0
            _log.info("{name} serves (process {pid})", name=worker.name, pid=worker.pid)
            if not worker.countable:
                # Another one is installed by now.
                _log.warn(
                    "{name} is echod {version}: nothing of it is counted until a restart",
                    name=worker.name,
                    version=worker.report["version"],
                )
            if self._succession is not None and self._succession[1] == worker.name:
                self._succeed(self._succession[0])

    def _succeed(self, name: str) -> None:
        """
        Let one go whose successor serves, and turn to the next.
        """
        worker = self.workers.get(name)
        if worker is not None:
            worker.succeeded = True
        self._forget(name)
        self._succession = None
        self._goOn()

    def _goOn(self) -> None:
        if self._succession is not None or not self._outdated:
            return
        name = self._outdated.pop(0)
        if name in self._slots:
            self._succession = (name, self._add(self._slots[name]))
        else:
            self._goOn()

    def _forget(self, name: str) -> None:
        """
        Have a worker end, and not come back.
        """
        del self._slots[name]
        again = self._monitor.restart.pop(name, None)
        if again is not None and again.active():
            again.cancel()
        self._monitor.removeProcess(name)

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
                why=_why(reason.value),
            )
        else:
            _log.info("{name} has ended", name=worker.name)
        self._seeWhetherOver()

    def _seeWhetherOver(self) -> None:
        if not self.workers:
            while self._over:
                self._over.pop().callback(None)

    def _watch(self) -> None:
        for worker in self.workers.values():
            worker.silent += 1
            if worker.silent > PATIENCE:
                _log.error("{name} hangs: killed", name=worker.name)
                worker.tell("KILL")


def _why(error: Any) -> str:
    if getattr(error, "signal", None):
        return f"signal {error.signal}"
    return f"exit status {getattr(error, 'exitCode', None)}"
