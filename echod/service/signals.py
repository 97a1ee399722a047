"""
The signals of a process that belongs to echod: under twistd and twist, and in a
worker.  A program that embeds echod keeps its own handlers.

========= ============================================== ==========================
Signal    The process, or the parent of workers          A worker
========= ============================================== ==========================
SIGTERM   Drain and stop.  A second one closes all       Drain and stop.
          sessions at once.
SIGINT    The same as SIGTERM.                           Close all sessions at once.
SIGHUP    With a controlling terminal: drain and stop.   Drain after the successor
          Without one: reopen the log files, and         has taken over, and stop.
          replace the workers.
SIGUSR1   Reopen the log files.                          Reopen the session log.
========= ============================================== ==========================

SIGINT, SIGHUP and SIGUSR1 stay ignored if they were ignored at the start: a shell
ignores SIGINT for C{command &} in a script, and C{nohup} ignores SIGHUP.  A worker
handles all four, because its parent sends them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Protocol

from twisted.logger import Logger

_log = Logger(namespace="echod.service")

Handler = Callable[[int, FrameType | None], object]

TERMINAL = "/dev/tty"
"""
Each process finds its own controlling terminal here.
"""


class Reactor(Protocol):
    """
    The methods of the reactor that signals call.
    """

    def sigInt(self, number: int, frame: FrameType | None, /) -> object: ...

    def sigTerm(self, number: int, frame: FrameType | None, /) -> object: ...

    def callFromThread(self, act: Callable[[], object], /) -> object: ...

    def stop(self) -> object: ...


class Stoppable(Protocol):
    """
    The methods that the signals of a process call.
    """

    def abort(self) -> None: ...

    def reopen(self) -> None: ...

    def reload(self) -> None: ...


class Worker(Protocol):
    """
    The methods that the signals of a worker call.
    """

    def end(self) -> None: ...

    def retire(self) -> None: ...

    def abort(self) -> None: ...

    def reopen(self) -> None: ...


class Signals:
    """
    The signal handlers of a process, or of the parent of workers.
    """

    def __init__(self, reactor: Reactor, service: Stoppable, terminal: str = TERMINAL) -> None:
        """
        @param terminal: The path at which a process that has a controlling terminal
            can open it.
        """
        self._terminal = terminal
        self._reactor = reactor
        self._service = service
        self._stopping = False

    def install(self) -> None:
        """
        Install the handlers.  Call this when the reactor runs: then the reactor has installed
        its own handlers, and twistd has left the terminal, if it runs in the background.
        """
        for number, theirs in (
            (signal.SIGINT, self._reactor.sigInt),
            (signal.SIGTERM, self._reactor.sigTerm),
        ):
            # The reactor leaves SIGINT to others: to the shell that ignores it, and
            # to the debugger of twistd.
            if signal.getsignal(number) == theirs:
                signal.signal(number, partial(self._end, theirs))
        # When the signal comes, the process may have lost its terminal already.
        hangUp = self._hangUp if canOpen(self._terminal) else self._reload
        actions = {"SIGHUP": hangUp, "SIGUSR1": self._service.reopen}
        # Windows has neither of the two.
        for number in signal.Signals:
            if number.name in actions and signal.getsignal(number) != signal.SIG_IGN:
                _handle(self._reactor, number, actions[number.name])

    def _end(self, theirs: Handler, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            self._reactor.callFromThread(self._service.abort)
        else:
            self._stopping = True
            theirs(number, frame)

    def _hangUp(self) -> None:
        # A terminal that closes may send several signals: only the first one counts.
        if not self._stopping:
            self._stopping = True
            _log.info("Received SIGHUP, shutting down.")
            self._reactor.stop()

    def _reload(self) -> None:
        _log.info("Received SIGHUP, reloading.")
        self._service.reload()


def handleInWorker(reactor: Reactor, worker: Worker) -> None:
    """
    Install the signal handlers of a worker.  Call this when the reactor runs.
    """
    for number, act in (
        (signal.SIGTERM, worker.end),
        (signal.SIGINT, worker.abort),
        (signal.SIGHUP, worker.retire),
        (signal.SIGUSR1, worker.reopen),
    ):
        _handle(reactor, number, act)


def canOpen(path: str) -> bool:
    """
    @return: True if the process can open a file.
    """
    try:
        os.close(os.open(path, os.O_RDONLY))
    except OSError:
        return False
    return True


def _handle(reactor: Reactor, number: int, act: Callable[[], object]) -> None:
    """
    Have the reactor call a function on a signal.
    """
    signal.signal(number, lambda *_: reactor.callFromThread(act))
