"""
Workers in memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface import implementer

from echod._version import __version__
from echod.net.statistics import DATAGRAMS, LENGTHS, SESSIONS
from echod.status.monitor import LAGS
from echod.workers.pipes import LOG, REPORTS


class FakeProcess:
    """
    A process in memory.

    @ivar signals: The signals that were sent to it.
    """

    def __init__(self, pid: int, protocol: Any, command: list[str], **more: Any) -> None:
        self.pid = pid
        self.protocol = protocol
        self.command = command
        self.more = more
        self.signals: list[str | int] = []
        self.over = False

    def signalProcess(self, name: str | int) -> None:
        """
        Record the call.
        """
        if self.over:
            raise ProcessExitedAlready
        self.signals.append(name)

    def say(self, **report: Any) -> None:
        """
        Send a report.
        """
        line = json.dumps({**nothing(), **report}).encode()
        self.protocol.childDataReceived(REPORTS, line + b"\n")

    def log(self, line: bytes) -> None:
        """
        Write a line to the log.
        """
        self.protocol.childDataReceived(LOG, line + b"\n")

    def end(self, signal: int | None = None, status: int = 0) -> None:
        """
        End the process.
        """
        self.over = True
        bad = signal is not None or status
        error = ProcessTerminated(status, signal) if bad else ProcessDone(0)
        self.protocol.processEnded(Failure(error))


@implementer(IReactorProcess)
class ProcessReactor(MemoryReactorClock):
    """
    A reactor whose processes are in memory.

    @ivar processes: All processes that were ever started.

    @ivar problem: The error of the next starts; L{None} if they succeed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.processes: list[FakeProcess] = []
        self.problem: OSError | None = None

    def spawnProcess(  # type: ignore[override]
        self, protocol: Any, executable: str, args: list[str], **more: Any
    ) -> FakeProcess:
        """
        Start a process.
        """
        if self.problem is not None:
            raise self.problem
        process = FakeProcess(1000 + len(self.processes), protocol, args, **more)
        self.processes.append(process)
        protocol.makeConnection(process)
        return process

    def callFromThread(self, act: Callable[..., object], *arguments: object) -> None:
        """
        Call the function at once.
        """
        act(*arguments)

    @property
    def alive(self) -> list[FakeProcess]:
        """
        The processes that have not ended.
        """
        return [process for process in self.processes if not process.over]


def ofSessions(**more: Any) -> dict[str, Any]:
    """
    @return: The report of a service with sessions.
    """
    sessions = {
        "open": 0,
        "max_connections": 5,
        "accepted": 0,
        "ended": {},
        "duration_buckets": [0] * (len(LENGTHS) + 1),
        "duration_sum_s": 0.0,
    }
    return {**_ofService("TCP echo", SESSIONS), **sessions, **more}


def ofDatagrams(**more: Any) -> dict[str, Any]:
    """
    @return: The report of a service with datagrams.
    """
    return {**_ofService("UDP echo", DATAGRAMS), "received": 0, "answered": 0, **more}


def _ofService(service: str, kind: str) -> dict[str, Any]:
    return {
        "service": service,
        "address": "127.0.0.1:8080",
        "state": "listening",
        "received_bytes": 0,
        "returned_bytes": 0,
        "refused": {},
        "impairments": None,
        "impaired": {},
        "kind": kind,
    }


def nothing() -> dict[str, Any]:
    """
    @return: The report of a worker without services.
    """
    return {
        "version": __version__,
        "unready": [],
        "lag_s": 0.0,
        "lag_buckets": [0] * (len(LAGS) + 1),
        "lag_sum_s": 0.0,
        "services": [],
        "sessions": {"open": 0, "busiest": [], "newest": []},
        "history": [],
    }
