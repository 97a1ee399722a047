"""
Tests for L{echod.service.sdnotify}.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from echod.service.sdnotify import STATUS_INTERVAL, Notifier, notifier, watchdogInterval
from tests.support import NO_NUMBERS, deadline, logged, temporaryDirectory


class Daemon:
    """
    The daemon of which systemd is notified.
    """

    ready = True
    sessions = 0


class NotifierTests(SynchronousTestCase):
    """
    Tests for L{Notifier}, with a socket as systemd has it.
    """

    def setUp(self) -> None:
        self.clock = Clock()
        self.daemon = Daemon()

    def listen(self, path: str) -> None:
        """
        Listen in place of systemd.
        """
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.systemd.close)
        self.systemd.setblocking(False)
        self.systemd.bind(path)

    def notify(self, path: str | Path, **environ: str) -> Notifier:
        """
        @return: A notifier for this path.
        """
        service = notifier(
            self.clock, self.daemon, {"NOTIFY_SOCKET": os.fspath(path), **environ}
        )
        assert service is not None
        return service

    def start(self, **environ: str) -> Notifier:
        """
        Listen, and start a notifier.
        """
        path = temporaryDirectory(self) / "notify"
        self.listen(os.fspath(path))
        service = self.notify(path, **environ)
        service.startService()
        self.clock.advance(0)
        return service

    def told(self) -> list[str]:
        """
        @return: The notifications since the last call.
        """
        words = []
        while True:
            try:
                words.append(self.systemd.recv(4096).decode())
            except BlockingIOError:
                return words

    def test_notAsked(self) -> None:
        """
        Without C{NOTIFY_SOCKET}, there is no notifier.
        """
        for environ in ({}, {"NOTIFY_SOCKET": ""}):
            self.assertIsNone(notifier(self.clock, self.daemon, environ))

    def test_ready(self) -> None:
        """
        Readiness is notified once, when all services are ready and the reactor runs.
        """
        self.daemon.ready = False
        self.start()
        self.clock.advance(1)
        self.assertEqual(self.told(), [])
        self.daemon.ready = True
        self.clock.pump([1] * 5)
        self.assertEqual(self.told(), ["READY=1\nSTATUS=sessions: 0"])

    def test_status(self) -> None:
        """
        A changed number of sessions is notified within a second.
        """
        self.start()
        self.told()
        self.daemon.sessions = 1
        self.clock.advance(0.5)
        self.assertEqual(self.told(), [])
        self.daemon.sessions = 2
        self.clock.pump([0.5, 1, 1])
        self.assertEqual(self.told(), ["STATUS=sessions: 2"])

    def test_stopping(self) -> None:
        """
        The start of the stop is notified, and nothing after that.
        """
        service = self.start(WATCHDOG_USEC="3000000")
        self.told()
        self.daemon.sessions = 3
        service.stopService()
        self.assertEqual(self.told(), ["STOPPING=1\nSTATUS=stopping; sessions: 3"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_startsAgain(self) -> None:
        """
        A service that was stopped can be started again, and is ready again.
        """
        service = self.start()
        service.stopService()
        self.told()
        service.startService()
        self.clock.advance(0)
        self.assertEqual(self.told(), ["READY=1\nSTATUS=sessions: 0"])

    def test_stoppedEarly(self) -> None:
        """
        A notifier that stops before the reactor runs does not notify readiness; a stopped
        notifier notifies nothing.
        """
        service = self.start()
        service.stopService()
        self.told()
        service.stopService()
        self.assertEqual(self.told(), [])
        service.startService()
        service.stopService()
        self.clock.advance(1)
        self.assertEqual(self.told(), ["STOPPING=1\nSTATUS=stopping; sessions: 0"])

    def test_watchdog(self) -> None:
        """
        The watchdog is notified twice in each interval of systemd.
        """
        self.start(WATCHDOG_USEC="3000000", WATCHDOG_PID=str(os.getpid()))
        self.assertEqual(self.told(), ["READY=1\nSTATUS=sessions: 0", "WATCHDOG=1"])
        self.clock.pump([1.4, 0.2, 1.4])
        self.assertEqual(self.told(), ["WATCHDOG=1", "WATCHDOG=1"])

    def test_watchdogNotAsked(self) -> None:
        """
        Without a valid interval for this process, the watchdog is not notified.
        """
        for environ in (
            {},
            {"WATCHDOG_USEC": "0"},
            *({"WATCHDOG_USEC": text} for text in ("soon", *NO_NUMBERS)),
            {"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"},
        ):
            self.assertIsNone(watchdogInterval(environ))

    def test_abstract(self) -> None:
        """
        The socket may be an abstract one.
        """
        self.listen("")
        name = self.systemd.getsockname().decode().replace("\0", "@")
        self.notify(name).startService()
        self.clock.advance(0)
        self.assertEqual(self.told(), ["READY=1\nSTATUS=sessions: 0"])

    def test_full(self) -> None:
        """
        If systemd does not read, one line says so, and nothing waits.
        """
        service = self.start()
        with logged() as lines, deadline():
            for _ in range(10_000):
                self.daemon.sessions += 1
                self.clock.advance(STATUS_INTERVAL)
        self.assertEqual(len(lines), 1)
        self.assertTrue(lines[0].endswith(": Resource temporarily unavailable"), lines)
        service.stopService()

    def test_nobodyListens(self) -> None:
        """
        A failed notification is logged once, in one line.
        """
        service = self.notify("/nowhere/notify")
        with logged() as lines:
            service.startService()
            self.clock.advance(0)
            service.stopService()
        self.assertEqual(
            lines,
            [
                "cannot tell /nowhere/notify (NOTIFY_SOCKET) READY=1 STATUS=sessions: 0: "
                "No such file or directory"
            ],
        )
