"""
Notifications for systemd (sd_notify(3)).

Each one is a datagram to a socket that the environment names.  The packages for this are
longer than this module, and drop errors or block.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from echod.net.quantities import wholeNumber

_log = Logger(namespace="echod.service")

STATUS_INTERVAL = 1.0
"""
The time between two checks of the status, in seconds.
"""


class Daemon(Protocol):
    """
    The daemon whose status is sent: an
    L{EchoService<echod.service.echoservice.EchoService>}.
    """

    @property
    def ready(self) -> bool: ...

    @property
    def sessions(self) -> int: ...


def notifier(
    reactor: IReactorTime, daemon: Daemon, environ: Mapping[str, str]
) -> Notifier | None:
    """
    @return: A notifier if systemd expects notifications; else L{None}.
    """
    path = environ.get("NOTIFY_SOCKET")
    return Notifier(reactor, daemon, path, environ) if path else None


def watchdogInterval(environ: Mapping[str, str]) -> float | None:
    """
    @return: The time between two watchdog notifications, in seconds: half of systemd's
        timeout, as sd_watchdog_enabled(3) recommends.  L{None} if systemd expects none from
        this process.
    """
    if environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return wholeNumber(environ.get("WATCHDOG_USEC", ""), 1) / 1e6 / 2
    except ValueError:
        return None


class Notifier(Service):
    """
    Notifies systemd when all services are ready, of the number of sessions, that the
    reactor is alive, and when the stop begins.

    Make it the last child of the service: then it starts last, and stops first.
    """

    _failed = False
    _starting: IDelayedCall | None = None
    _status: str | None = None

    def __init__(
        self, reactor: IReactorTime, daemon: Daemon, path: str, environ: Mapping[str, str]
    ) -> None:
        """
        @param path: The path of the socket.  C{@} at its start means an abstract socket.
        """
        self._reactor = reactor
        self._daemon = daemon
        self._path = path
        self._environ = environ
        self._loops: list[LoopingCall] = []

    def startService(self) -> None:
        """
        Start to notify when the reactor runs: only then a signal stops it in order.
        """
        super().startService()
        self._status = None
        self._starting = self._reactor.callLater(0, self._start)

    def stopService(self) -> None:
        """
        Notify systemd of the stop.  After that, it watches no longer.
        """
        if self.running:
            self._say("STOPPING=1", f"STATUS=stopping; sessions: {self._daemon.sessions}")
        super().stopService()
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        while self._loops:
            self._loops.pop().stop()

    def _start(self) -> None:
        self._starting = None
        self._every(STATUS_INTERVAL, self._news)
        # Only now: twistd may have forked since its start.
        interval = watchdogInterval(self._environ)
        if interval is not None:
            self._every(interval, lambda: self._say("WATCHDOG=1"))

    def _every(self, interval: float, act: Callable[[], None]) -> None:
        loop = LoopingCall(act)
        loop.clock = self._reactor
        loop.start(interval)
        self._loops.append(loop)

    def _news(self) -> None:
        if not self._daemon.ready:
            return
        status = f"STATUS=sessions: {self._daemon.sessions}"
        if self._status is None:
            self._say("READY=1", status)
        elif status != self._status:
            self._say(status)
        self._status = status

    def _say(self, *words: str) -> None:
        """
        Send one datagram.  The first failure is logged; echod serves anyway.
        """
        path = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as skt:
                skt.setblocking(False)
                skt.sendto("\n".join(words).encode(), path)
        except OSError as error:
            if not self._failed:
                self._failed = True
                _log.warn(
                    "cannot tell {path} (NOTIFY_SOCKET) {words}: {error}",
                    path=self._path,
                    words=" ".join(words),
                    error=error.strerror,
                )
