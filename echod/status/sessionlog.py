"""
The session log, for scripts: a line of JSON for each session that has ended and, once a
second, for each source of datagrams.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from time import time

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from echod.net.appendfile import AppendFile
from echod.net.statistics import ServedSession
from echod.service.echoservice import EchoService
from echod.service.listening import CannotServe
from echod.status.snapshot import Listening

_log = Logger(namespace="echod.status")

INTERVAL = 1.0
"""
The time between two lines about one source of datagrams, and between two reports of
lost lines, in seconds.
"""


class SessionLog(Service):
    """
    Writes the session log.
    """

    _file: AppendFile | None = None
    _reported = 0
    _waiting: IDelayedCall | None = None

    def __init__(
        self,
        reactor: IReactorTime,
        path: str,
        echo: EchoService,
        *,
        descriptor: int | None = None,
        wallClock: Callable[[], float] = time,
    ) -> None:
        """
        @param descriptor: The file, if it is open already.

        @param wallClock: Returns the time of day.
        """
        self._reactor = reactor
        self._path = path
        self._echo = echo
        self._descriptor = descriptor
        self._wallClock = wallClock

    def fileno(self) -> int:
        """
        @return: The descriptor of the open file.
        """
        assert self._file is not None
        return self._file.fileno()

    def privilegedStartService(self) -> None:
        """
        Open the file, before the process gives up its privileges.

        @raise CannotServe: if it cannot be opened.
        """
        super().privilegedStartService()
        try:
            self._file = AppendFile(self._path, self._descriptor)
        except OSError as error:
            problem = CannotServe(f"cannot write {self._path}: {error.strerror}")
            _log.critical("{problem}", problem=problem)
            raise problem from None

    def startService(self) -> None:
        """
        Write a line for each session that ends from now on.

        @raise CannotServe: if the file cannot be opened.
        """
        super().startService()
        if self._file is None:
            self.privilegedStartService()
        for service in self._echo.listening:
            service.server.onEnd = partial(self._writeSession, service)
        self._wait()

    def stopService(self) -> None:
        """
        Write the datagrams of the last second, and close the file.
        """
        super().stopService()
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._writeDatagrams()
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self) -> None:
        """
        Open the path again, and write to the file that is there now.
        """
        if self._file is not None:
            try:
                self._file.reopen()
            except OSError as error:
                _log.error(
                    "session log: cannot reopen {path}: {why}; the old file is kept",
                    path=self._path,
                    why=error.strerror,
                )

    def _writeSession(self, service: Listening, session: ServedSession) -> None:
        self._write(
            "session",
            service,
            peer=session.peer,
            duration_s=round(session.duration, 6),
            received_bytes=session.received,
            returned_bytes=session.returned,
            outcome=session.outcome,
        )

    def _writeDatagrams(self) -> None:
        for service in self._echo.listening:
            for source, traffic in service.server.taken().items():
                self._write("datagrams", service, source=source, **asdict(traffic))
        self._reportLost()

    def _write(self, event: str, service: Listening, **fields: object) -> None:
        if self._file is not None:
            now = datetime.fromtimestamp(self._wallClock(), timezone.utc)
            record = {
                "time": now.isoformat(timespec="milliseconds"),
                "event": event,
                "service": service.server.service,
                "address": service.place,
                **fields,
            }
            self._file.write(json.dumps(record).encode("ascii"))

    def _wait(self) -> None:
        self._waiting = self._reactor.callLater(INTERVAL, self._waited)

    def _waited(self) -> None:
        self._writeDatagrams()
        self._wait()

    def _reportLost(self) -> None:
        assert self._file is not None
        lost, self._reported = self._file.lost - self._reported, self._file.lost
        if lost:
            _log.error(
                "session log: lines that could not be written to {path}: {lost} ({why})",
                path=self._path,
                lost=lost,
                why=self._file.why,
            )
