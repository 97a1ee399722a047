"""
One worker process, as the parent sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, globalLogPublisher
from twisted.python.failure import Failure

from echod._version import __version__
from echod.workers.aggregate import addable
from echod.workers.pipes import LOG, REPORTS, Lines, event, value

if TYPE_CHECKING:
    # It chooses a reactor.
    from twisted.runner.procmon import LoggingProtocol

_log = Logger(namespace="echod.workers")

PATIENCE = 30
"""
A worker that has not reported for so many checks hangs, and is killed.  It is a number of
checks, not a time: while the machine sleeps, there are no checks.
"""


class Worker(ProcessProtocol):
    """
    A worker process, from its start to its end.

    @ivar name: The name of the worker in the log.

    @ivar slot: The number of its sockets, from 0.

    @ivar pid: The process id.

    @ivar report: The latest report; empty before the first.

    @ivar silent: The number of checks since the latest report.

    @ivar served: True after the first report that says that it serves.

    @ivar behind: True if it must still be told to reopen its files.

    @ivar succeeded: True if another worker has taken over its sockets.
    """

    transport: IProcessTransport
    pid = 0
    silent = 0
    served = False
    behind = False
    succeeded = False

    def __init__(
        self,
        name: str,
        slot: int,
        monitored: LoggingProtocol,
        reported: Callable[[Worker], object],
        ended: Callable[[Worker, Failure], object],
    ) -> None:
        """
        @param monitored: The protocol of the C{ProcessMonitor}.

        @param reported: Called after each report.

        @param ended: Called when the process has ended.
        """
        self.name = name
        self.slot = slot
        self.report: dict[str, Any] = {}
        self._monitored = monitored
        self._reported = reported
        self._ended = ended
        self._streams = {REPORTS: Lines(self._received), LOG: Lines(self._log)}

    @property
    def label(self) -> str:
        """
        The number in its name: C{2}, or C{2.2} for its first successor.
        """
        return self.name.partition(" ")[2]

    @property
    def countable(self) -> bool:
        """
        True if its report can be added to the others: it is of the same version of echod.
        """
        return bool(self.report) and self.report["version"] == __version__

    @property
    def ready(self) -> bool:
        """
        True if it accepts new peers.
        """
        return bool(self.report) and not (self.report["unready"] or self.succeeded)

    def connectionMade(self) -> None:
        """
        The process has started.
        """
        self.pid = self.transport.pid
        self._monitored.makeConnection(self)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        Read a report or log lines.
        """
        self.silent = 0
        self._streams[childFD].add(data)

    def processEnded(self, reason: Failure) -> None:
        """
        The process has ended, and all that it has written was read.
        """
        self._streams[LOG].end()
        try:
            self._ended(self, reason)
        finally:
            self._monitored.processEnded(reason)

    def signalProcess(self, name: str) -> None:
        """
        End the process, for the C{ProcessMonitor}.  With a successor, it gets more time.
        """
        self.tell("HUP" if name == "TERM" and self.succeeded else name)

    def tell(self, name: str | int) -> None:
        """
        Send a signal, unless the process has ended.
        """
        try:
            self.transport.signalProcess(name)
        except ProcessExitedAlready:
            """processEnded will be called."""

    def check(self) -> None:
        """
        Kill the process if it hangs.
        """
        self.silent += 1
        if self.silent > PATIENCE:
            _log.error("{name} hangs: killed", name=self.name)
            self.tell("KILL")

    def _received(self, line: bytes) -> None:
        # A line may be torn, if the pipe had no room for all of it, and any code in the
        # worker can print.
        match value(line):
            case {"version": str(version), "unready": list()} as report if (
                version != __version__ or addable(report)
            ):
                self.report = report
                self._reported(self)

    def _log(self, line: bytes) -> None:
        globalLogPublisher(event(line, self.name))


def cause(reason: Failure) -> str:
    """
    @return: Why a process has ended, in words.
    """
    error: Any = reason.value
    if getattr(error, "signal", None):
        return f"signal {error.signal}"
    return f"exit status {getattr(error, 'exitCode', None)}"
