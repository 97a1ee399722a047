"""
The session log: what has been, for scripts.  One JSON object a line for each
session that has ended and, once a second, for the datagrams of each source.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from time import time
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from echod.service.echoservice import CannotServe, EchoService, ListeningService
from echod.status.appendfile import LineFile
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session
from echod.udp.echo import UDPEchoProtocol

_log = Logger(namespace="echod.status")

INTERVAL = 1.0
"""
For how long the datagrams of a source are summed up, and how long it is at least
from one report of lost lines to the next, in seconds.
"""


class SessionLog(Service):
    """
    Writes the session log, as far as the file takes it.
    """

    _file: LineFile | None = None
    _reported = 0
    _waiting: IDelayedCall | None = None

    def __init__(
        self,
        reactor: Any,
        path: str,
        echo: EchoService,
        *,
        descriptor: int | None = None,
        wallClock: Callable[[], float] = time,
    ) -> None:
        """
        @param descriptor: Where the file is open already, if it is.

        @param wallClock: Tells the time of day.
        """
        self._reactor = reactor
        self._path = path
        self._echo = echo
        self._descriptor = descriptor
        self._wallClock = wallClock

    def fileno(self) -> int:
        """
        @return: Where the file is open.
        """
        assert self._file is not None
        return self._file.fileno()

    def privilegedStartService(self) -> None:
        """
        Open the file, while that may still be allowed.

        @raise CannotServe: if it cannot be written to.
        """
        super().privilegedStartService()
        try:
            self._file = LineFile(self._path, self._descriptor)
        except OSError as error:
            problem = CannotServe(f"cannot write {self._path}: {error.strerror}")
            _log.critical("{problem}", problem=problem)
            raise problem from None

    def startService(self) -> None:
        """
        Have everything written that ends from now on.

        @raise CannotServe: if the file cannot be written to.
        """
        super().startService()
        if self._file is None:
            self.privilegedStartService()
        for service in self._echo.listening:
            if isinstance(service.server, SessionFactory):
                service.server.onEnd = self._listenerFor(service)
        self._wait()

    def stopService(self) -> None:
        """
        Write what there is, and close the file.
        """
        super().stopService()
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._lookAround()
        if self._file is not None:
            self._file.close()
            self._file = None

    def reopen(self) -> None:
        """
        Go on with the file that has the name by now.
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

    def _listenerFor(self, service: ListeningService) -> Callable[[Session], None]:
        def ended(session: Session) -> None:
            self._write(
                "session",
                service,
                peer=session.peer,
                seconds=round(session.duration, 6),
                receivedBytes=session.received,
                returnedBytes=session.returned,
                outcome=session.outcome,
            )

        return ended

    def _write(self, event: str, service: ListeningService, **fields: object) -> None:
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
        self._lookAround()
        self._wait()

    def _lookAround(self) -> None:
        for service in self._echo.listening:
            server = service.server
            if isinstance(server, UDPEchoProtocol) and server.sources is not None:
                for source, traffic in server.sources.take().items():
                    self._write("datagrams", service, source=source, **asdict(traffic))
        self._reportLost()

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
