"""
The state of all services, taken once a second.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from socket import gethostname
from time import time

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod._version import __version__
from echod.net.histogram import Histogram
from echod.net.statistics import ServedSession
from echod.service.echoservice import EchoService
from echod.status.history import History
from echod.status.snapshot import (
    Data,
    openSessions,
    serviceState,
    sessionStates,
    unready,
    withKeys,
)

INTERVAL = 1.0
"""
The time from one look at the services to the next, in seconds: often enough that the
page seems alive.
"""

LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""
The bounds of the histogram of lags, in seconds: from delays that nobody notices to delays
that break connections.
"""


class Monitor(Service):
    """
    Looks at all services once a second, for any number of viewers.

    @ivar lags: How late the timer for each look has fired, in seconds.  All peers wait
        as long, because one reactor serves them all.

    @ivar lag: The latest of these lags.

    @ivar history: The rates of the last minutes.

    @ivar listeners: Called after each look.

    @ivar deaths: How many workers have died.
    """

    deaths = 0
    lag = 0.0
    _looking: IDelayedCall | None = None

    def __init__(
        self, reactor: IReactorTime, echo: EchoService, wallClock: Callable[[], float] = time
    ) -> None:
        """
        @param wallClock: Returns the time of day.
        """
        self.lags = Histogram(LAGS)
        self.history = History()
        self.listeners: set[Callable[[], None]] = set()
        self._reactor = reactor
        self._echo = echo
        self._wallClock = wallClock
        self._seen: dict[ServedSession, int] = {}
        self._before: dict[ServedSession, int] = {}
        self._made: dict[str, bytes] = {}
        self._when = self._elapsed = 0.0

    @property
    def reactor(self) -> str:
        """
        The name of the reactor.
        """
        return type(self._reactor).__name__

    @property
    def workers(self) -> list[Data]:
        """
        The processes that serve; empty if this process serves.
        """
        return []

    @property
    def services(self) -> list[Data]:
        """
        The state and the statistics of each service.
        """
        return [serviceState(service) for service in self._echo.listening]

    @property
    def sessions(self) -> Data:
        """
        The number of open sessions, the busiest and the newest of them.
        """
        clock = self._wallClock() - self._reactor.seconds()
        return sessionStates(self._echo.listening, self._rate, clock)

    @property
    def unready(self) -> list[str]:
        """
        The reasons not to send new peers here; empty if there are none.
        """
        return unready(self._echo.listening)

    @property
    def draining(self) -> bool:
        """
        True if echod is about to stop.
        """
        return not self._echo.running

    @property
    def full(self) -> bytes:
        """
        Everything, as JSON.
        """
        return self.once("full", lambda: self._published(list(self.history.entries)))

    @property
    def latest(self) -> bytes:
        """
        Everything with only the newest entry of the history, as JSON.
        """
        return self.once("latest", lambda: self._published(self._newest))

    @property
    def report(self) -> bytes:
        """
        The same as L{latest}, for another process of echod: with the reasons and the
        outcomes in words, as the metrics have them.
        """
        return self._serialized(self.services, self._newest)

    @property
    def _newest(self) -> list[Data]:
        return list(self.history.entries)[-1:]

    def once(self, name: str, make: Callable[[], bytes]) -> bytes:
        """
        Make a document once for each look, for all clients that ask for it: the time
        that it takes grows with the number of sessions.

        @param name: The name of the document.

        @return: The document, less than a second old.
        """
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def startService(self) -> None:
        """
        Look now, and then every second.
        """
        super().startService()
        self._began = self._wallClock()
        self._started = self._reactor.seconds()
        self._look()

    def stopService(self) -> None:
        """
        Stop looking.
        """
        super().stopService()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def tell(self) -> None:
        """
        Make all documents again when they are needed next, and call the listeners.
        """
        self._made.clear()
        for listener in list(self.listeners):
            listener()

    def _waited(self, due: float) -> None:
        self.lag = max(0.0, self._reactor.seconds() - due)
        self.lags.add(self.lag)
        self._look()

    def _look(self) -> None:
        now = self._reactor.seconds()
        self._looking = self._reactor.callLater(INTERVAL, self._waited, now + INTERVAL)
        self._see(now)
        self.tell()

    def _see(self, now: float) -> None:
        services = self._echo.listening
        statistics = [service.server.statistics() for service in services]
        totals = [(each["received_bytes"], each["returned_bytes"]) for each in statistics]
        self.history.add(now, totals, time=self._wallClock(), lag=self.lag)
        self._before = self._seen
        self._seen = {session: session.received for session in openSessions(services)}
        self._elapsed, self._when = now - self._when, now

    def _rate(self, session: ServedSession) -> float:
        """
        @return: How many bytes per second a session has received between the latest
            two looks.
        """
        more = self._seen.get(session, 0) - self._before.get(session, 0)
        return more / self._elapsed if more else 0.0

    def _published(self, history: list[Data]) -> bytes:
        return self._serialized(list(map(withKeys, self.services)), history)

    def _serialized(self, services: list[Data], history: list[Data]) -> bytes:
        data = {
            "version": __version__,
            "reactor": self.reactor,
            "host": gethostname(),
            "process": os.getpid(),
            "time_unix_s": round(self._wallClock(), 3),
            "started_unix_s": round(self._began, 3),
            "uptime_s": round(self._reactor.seconds() - self._started, 3),
            "unready": self.unready,
            "draining": self.draining,
            "lag_s": round(self.lag, 6),
            "lag_buckets": self.lags.counts,
            "lag_sum_s": round(self.lags.sum, 6),
            "workers": self.workers,
            "services": services,
            "sessions": self.sessions,
            "history": history,
        }
        return json.dumps(data, separators=(",", ":")).encode("ascii")
