"""
A look at everything, once a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from time import time
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall

from echod._version import __version__
from echod.service.echoservice import EchoService
from echod.status.history import History
from echod.status.lag import Lag
from echod.status.snapshot import (
    Data,
    ofService,
    ofSessions,
    serverOf,
    sessionsOf,
    unready,
)
from echod.tcp.session import Session

INTERVAL = 1.0
"""
How long it is from one look to the next, in seconds: what people see as alive.
"""


class Monitor(Service):
    """
    Looks at all services once a second, however many look at it.

    @ivar lag: How late that was.

    @ivar history: What has been seen.

    @ivar listeners: Called after each look.

    @ivar deaths: How many of the workers have died.
    """

    deaths = 0
    _looking: IDelayedCall | None = None
    _full: bytes | None = None
    _latest: bytes | None = None

    def __init__(
        self, reactor: Any, echo: EchoService, wallClock: Callable[[], float] = time
    ) -> None:
        """
        @param wallClock: Tells the time of day.
        """
        self.lag = Lag()
        self.history = History()
        self.listeners: set[Callable[[], None]] = set()
        self._reactor = reactor
        self._echo = echo
        self._wallClock = wallClock
        self._seen: dict[Session, int] = {}
        self._before: dict[Session, int] = {}
        self._when = self._elapsed = 0.0

    @property
    def reactor(self) -> str:
        """
        What echod runs on.
        """
        return type(self._reactor).__name__

    @property
    def workers(self) -> list[Data]:
        """
        The processes that serve, if it is not this one.
        """
        return []

    @property
    def services(self) -> list[Data]:
        """
        All there is to say about each service.
        """
        return [ofService(service) for service in self._echo.listening]

    @property
    def sessions(self) -> Data:
        """
        How many sessions there are, the busiest and the newest of them.
        """
        clock = self._wallClock() - self._reactor.seconds()
        return ofSessions(self._echo.listening, self._rate, clock)

    @property
    def unready(self) -> list[str]:
        """
        Why no more peers should be sent here; empty if they may.
        """
        return unready(self._echo.listening)

    @property
    def draining(self) -> bool:
        """
        Whether echod is about to stop.
        """
        return not self._echo.running

    @property
    def full(self) -> bytes:
        """
        Everything, as JSON.  It is made once for each look.
        """
        if self._full is None:
            self._full = self._serialized(list(self.history.entries))
        return self._full

    @property
    def latest(self) -> bytes:
        """
        The same, with no more of the history than is new.
        """
        if self._latest is None:
            self._latest = self._serialized(list(self.history.entries)[-1:])
        return self._latest

    def startService(self) -> None:
        """
        Look, now and every second.
        """
        super().startService()
        self._began = self._wallClock()
        self._look()

    def stopService(self) -> None:
        """
        Look no more.
        """
        super().stopService()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _waited(self, due: float) -> None:
        self.lag.add(max(0.0, self._reactor.seconds() - due))
        self._look()

    def tell(self) -> None:
        """
        Have everything put into words again, and tell who listens.
        """
        self._full = self._latest = None
        for listener in list(self.listeners):
            listener()

    def _look(self) -> None:
        now = self._reactor.seconds()
        self._looking = self._reactor.callLater(INTERVAL, self._waited, now + INTERVAL)
        self._see(now)
        self.tell()

    def _see(self, now: float) -> None:
        services = self._echo.listening
        servers = [serverOf(service) for service in services]
        totals = [(server.received, server.returned) for server in servers]
        self.history.add(now, totals, time=self._wallClock(), lag=self.lag.last)
        self._before = self._seen
        self._seen = {session: session.received for session in sessionsOf(services)}
        self._elapsed, self._when = now - self._when, now

    def _rate(self, session: Session) -> float:
        """
        @return: How many bytes a session had received from the look before to
            the latest one, in a second.
        """
        more = self._seen.get(session, 0) - self._before.get(session, 0)
        return more / self._elapsed if more else 0.0

    def _serialized(self, history: list[Data]) -> bytes:
        lag = self.lag
        data = {
            "version": __version__,
            "reactor": self.reactor,
            "process": os.getpid(),
            "time": round(self._wallClock(), 3),
            "started": round(self._began, 3),
            "unready": self.unready,
            "draining": self.draining,
            "lag": round(lag.last, 6),
            "lags": lag.counts,
            "lagSeconds": round(lag.seconds, 6),
            "workers": self.workers,
            "services": self.services,
            "sessions": self.sessions,
            "history": history,
        }
        return json.dumps(data, separators=(",", ":")).encode("ascii")
