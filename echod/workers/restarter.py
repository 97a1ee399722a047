"""
Starting workers again that die, with the C{ProcessMonitor} of Twisted.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING, Any

from twisted.internet.interfaces import IReactorProcess, IReactorTime
from zope.interface import implementer

from echod.net.reactor import Reactor, ReactorWrapper

if TYPE_CHECKING:
    # It chooses a reactor.
    from twisted.runner.procmon import LoggingProtocol

FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
"""
The first and the longest delay before a worker is started again that died before it
served, in seconds.  Each delay is twice as long as the one before.
"""

MARGIN = 4.0
"""
The time that a worker may take to end, in seconds, after its sessions have ended.
"""


@implementer(IReactorProcess, IReactorTime)
class MonitorReactor(ReactorWrapper):
    """
    The reactor of a C{ProcessMonitor}, with another way to start processes.
    """

    def __init__(self, reactor: Any, spawn: Callable[..., Any]) -> None:
        """
        @param spawn: Called in place of the reactor's C{spawnProcess}.
        """
        super().__init__(reactor)
        self.spawnProcess = spawn


class Restarter:
    """
    Starts each worker again that dies: at once if it has served, else after a delay, which
    grows.
    """

    def __init__(
        self, reactor: Reactor, drainTimeout: float, spawn: Callable[..., object]
    ) -> None:
        """
        @param drainTimeout: How long a worker may take to drain, in seconds.

        @param spawn: Starts a process.  It takes the protocol of the C{ProcessMonitor},
            whose C{name} is the name of the worker.
        """
        # Its module chooses a reactor, so it is imported when there is one.
        from twisted.runner.procmon import ProcessMonitor

        monitor: Any = ProcessMonitor(MonitorReactor(reactor, self._startProcess))
        # Every death counts as early.  The delay is reset when a worker serves.
        monitor.threshold = inf
        monitor.minRestartDelay, monitor.maxRestartDelay = FIRST_DELAY, LONGEST_DELAY
        # A worker with a successor serves for the drain timeout, and then drains.
        monitor.killTime = 2 * drainTimeout + MARGIN
        self._monitor = monitor
        self._spawn = spawn

    def start(self) -> None:
        """
        Start to watch workers.
        """
        self._monitor.startService()

    def stop(self) -> None:
        """
        End all workers, and start none again.
        """
        self._monitor.stopService()

    def add(self, name: str) -> None:
        """
        Start a worker.
        """
        self._monitor.addProcess(name, [name])

    def served(self, name: str) -> None:
        """
        Note that a worker serves: if it dies, it is started again at once.
        """
        self._monitor.delay[name] = 0

    def remove(self, name: str) -> None:
        """
        End a worker, and do not start it again.
        """
        again = self._monitor.restart.pop(name, None)
        if again is not None and again.active():
            again.cancel()
        self._monitor.removeProcess(name)

    def _startProcess(self, monitored: LoggingProtocol, *_: object, **more: object) -> None:
        name = monitored.name
        # A worker that dies before it serves is not started again at once.
        self._monitor.delay[name] = max(self._monitor.delay[name], FIRST_DELAY)
        self._spawn(monitored)
