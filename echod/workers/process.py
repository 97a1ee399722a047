"""
One worker process, as the parent sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from echod._version import __version__
from echod.workers.aggregate import addable
from echod.workers.pipes import LOG, REPORTS, Lines, event, value

if TYPE_CHECKING:
    # It chooses a reactor.
    from twisted.runner.procmon import LoggingProtocol


class Worker(ProcessProtocol):
    """
    A process, from its start to its end.

    @ivar name: What it is called in the log.

    @ivar slot: Which of the sockets are its own.

    @ivar pid: The number of its process.

    @ivar report: What it has said last of how it is; empty until it has.

    @ivar silent: How often it was looked for since then.

    @ivar served: Whether it was ever ready.

    @ivar behind: Whether it has yet to hear that files were opened again.

    @ivar succeeded: Whether another has taken over its sockets.
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
        @param monitored: What waits for its end, and may ask for it.

        @param reported: Called when it has said how it is.

        @param ended: Called when it has ended.
        """
        self.name = name
        self.slot = slot
        self.report: dict[str, Any] = {}
        self._monitored = monitored
        self._reported = reported
        self._ended = ended
        self._streams = {REPORTS: Lines(self._hear), LOG: Lines(self._log)}

    @property
    def label(self) -> str:
        """
        What tells it from the others: the number of its sockets and, if it is not
        the first to have them, the number that it has among those who had.
        """
        return self.name.partition(" ")[2]

    @property
    def countable(self) -> bool:
        """
        Whether what it has reported can be added up: it is that of an echod of the
        same version.
        """
        return bool(self.report) and self.report["version"] == __version__

    @property
    def ready(self) -> bool:
        """
        Whether it serves who comes.
        """
        return bool(self.report) and not (self.report["unready"] or self.succeeded)

    def connectionMade(self) -> None:
        """
        It has started.
        """
        self.pid = self.transport.pid
        self._monitored.makeConnection(self)

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """
        It says something.
        """
        self.silent = 0
        self._streams[childFD].add(data)

    def processEnded(self, reason: Failure) -> None:
        """
        It is over, and has said all it had to say.
        """
        self._streams[LOG].end()
        try:
            self._ended(self, reason)
        finally:
            self._monitored.processEnded(reason)

    def signalProcess(self, name: str) -> None:
        """
        What is to be its end.  One whose sockets another has by now has more time
        for it.
        """
        self.tell("HUP" if name == "TERM" and self.succeeded else name)

    def tell(self, name: str | int) -> None:
        """
        Send it a signal, unless it has ended already.
        """
        try:
            self.transport.signalProcess(name)
        except ProcessExitedAlready:
            """Its end is on its way."""

    def _hear(self, line: bytes) -> None:
        # A line may be torn, if the pipe had no room for all of it, and anything in
        # the worker can print.
        match value(line):
            case {"version": str(version), "unready": list()} as report if (
                version != __version__ or addable(report)
            ):
                self.report = report
                self._reported(self)

    def _log(self, line: bytes) -> None:
        globalLogPublisher(event(line, self.name))
