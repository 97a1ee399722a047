"""
Tests for L{echod.service.listening}.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReadDescriptor
from twisted.python import log
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides

from echod.service.listening import (
    DRAINING,
    FAILED,
    LAST_READS,
    LISTENING,
    STARTING,
    STOPPED,
    CannotServe,
    ListeningService,
)
from tests.support import logged
from tests.support.service import Endpoint, Port, Server


class ListeningServiceTests(SynchronousTestCase):
    """
    Tests for L{ListeningService}.
    """

    def setUp(self) -> None:
        self.endpoint = Endpoint()
        self.server = Server()
        self.service = ListeningService("127.0.0.1:0", self.endpoint, self.server)

    def explain(self, error: Exception) -> str:
        """
        @return: The line with which the service explains that it cannot listen.
        """
        self.endpoint.result = fail(error)
        with logged() as lines:
            problem = self.assertRaises(CannotServe, self.service.startService)
        self.assertEqual(lines, [str(problem)])
        self.assertEqual(problem.code, 1)
        return lines[0]

    def test_listens(self) -> None:
        """
        A running service listens, once, and logs the real address.
        """
        with logged() as lines:
            self.service.privilegedStartService()
            self.service.startService()
        (port,) = self.endpoint.ports
        self.assertIs(self.service.port, port)
        self.assertEqual(lines, ["echo listens on 127.0.0.1:40000"])
        self.assertEqual(self.service.place, "127.0.0.1:40000")

    def test_note(self) -> None:
        """
        A note about the address is logged with the real address.
        """
        note = "expects a PROXY header"
        service = ListeningService("haproxy:0", self.endpoint, self.server, note=note)
        with logged() as lines:
            service.startService()
        self.assertEqual(lines[1:], ["echo on 127.0.0.1:40000 expects a PROXY header"])

    def test_logsOnce(self) -> None:
        """
        Twisted's own message about listening is not logged too.
        """
        listen = self.endpoint.listen

        def listenAloud(server: object) -> Deferred[Any]:
            log.msg("echo starting on 40000")
            return listen(server)

        self.endpoint.listen = listenAloud  # type: ignore[method-assign]
        with logged() as lines:
            self.service.startService()
        self.assertEqual([line for line in lines if line], ["echo listens on 127.0.0.1:40000"])

    def test_state(self) -> None:
        """
        The state of a service follows its start, its stop and its drain.
        """
        states = [self.service.state]
        self.endpoint.result = Deferred()
        self.service.startService()
        states.append(self.service.state)
        self.endpoint.result.callback(Port())
        states.append(self.service.state)
        self.server.drained = Deferred()
        self.service.stopService()
        states.append(self.service.state)
        self.server.drained.callback(None)
        states.append(self.service.state)
        self.assertEqual(states, [STOPPED, STARTING, LISTENING, DRAINING, STOPPED])

    def test_stops(self) -> None:
        """
        A stopped service does not listen, and can be started again.
        """
        self.service.startService()
        self.successResultOf(self.service.stopService())
        self.assertIsNone(self.service.port)
        self.service.startService()
        self.assertEqual([port.listening for port in self.endpoint.ports], [False, True])

    def test_stopWaits(self) -> None:
        """
        A stop ends the listening at once, and is complete when no session is left.
        """
        self.service.startService()
        self.server.drained = Deferred()
        stopped = self.service.stopService()
        self.assertFalse(self.endpoint.ports[0].listening)
        self.assertNoResult(stopped)
        self.server.drained.callback(None)
        self.assertIsNone(self.successResultOf(stopped))

    def test_startsAgainLater(self) -> None:
        """
        A start during a stop takes effect when the stop is complete; each call of
        C{stopService} gets its result.
        """
        self.service.startService()
        self.server.drained = Deferred()
        stops = [self.service.stopService() for _ in range(2)]
        self.service.privilegedStartService()
        self.service.startService()
        self.assertEqual(len(self.endpoint.ports), 1)
        self.server.drained.callback(None)
        for stopped in stops:
            self.successResultOf(stopped)
        self.assertEqual([port.listening for port in self.endpoint.ports], [False, True])
        self.assertEqual(self.service.state, LISTENING)
        self.server.drained = succeed(None)
        self.successResultOf(self.service.stopService())

    def test_cannotStartAgainLater(self) -> None:
        """
        If a start after a stop fails, the log says why, and the service can be stopped.
        """
        self.service.startService()
        self.server.drained = Deferred()
        self.service.stopService()
        self.service.startService()
        self.endpoint.result = fail(OverflowError("no"))
        with logged() as lines:
            self.server.drained.callback(None)
        self.assertEqual(lines, ["echo cannot listen on 127.0.0.1:0: no"])
        self.successResultOf(self.service.stopService())

    def test_lastLook(self) -> None:
        """
        Connections that wait at the port when it is closed are accepted, up to a limit;
        after C{stopAccepting} they are left to other processes, until the next start.
        """
        for waiting, leaves, looks in (
            (0, False, 0),
            (3, False, 3),
            (1000, False, LAST_READS),
            (3, True, 0),
            (3, False, 3),
        ):
            near, far = socket.socketpair()
            with near, far:
                # A look too many fails, and does not hang.
                near.setblocking(False)
                far.sendall(b"x" * waiting)

                class Waiting(Port):
                    looks = 0
                    reading = True

                    def stopReading(self) -> None:
                        self.reading = False

                    def fileno(self, near: socket.socket = near) -> int:
                        return near.fileno()

                    def doRead(self, near: socket.socket = near) -> None:
                        self.looks += 1
                        near.recv(1)

                port = Waiting()
                directlyProvides(port, IReadDescriptor)
                self.endpoint.result = succeed(port)
                self.service.startService()
                if leaves:
                    self.service.stopAccepting()
                self.assertEqual(port.reading, not leaves)
                self.successResultOf(self.service.stopService())
                self.assertEqual(port.looks, looks)
                self.assertFalse(port.listening)

    def test_stopWithoutStart(self) -> None:
        """
        A service that does not listen stops at once.
        """
        self.assertIsNone(self.successResultOf(self.service.stopService()))

    def test_stopBeforeListening(self) -> None:
        """
        A service that is stopped before it listens never listens, and logs nothing.
        """
        self.endpoint.result = Deferred()
        with logged() as lines:
            self.service.startService()
            self.successResultOf(self.service.stopService())
        self.assertEqual(lines, [])

    def test_reasons(self) -> None:
        """
        The line about a failure names the address, and has the system's reason and a remedy.
        The service knows the port that is in use.
        """
        inUse = OSError(errno.EADDRINUSE, "in use")
        denied = PermissionError(errno.EACCES, "Permission denied")
        tooMany = OSError(errno.EMFILE, "Too many open files")
        limit = "Too many open files; raise the limit of open files (ulimit -n)"
        for error, why, port in (
            (
                CannotListenError("", 8080, inUse),
                "in use; ss -lntup shows the process that uses it",
                8080,
            ),
            (CannotListenError(None, "/run/echod.sock", inUse), "in use", 0),
            (
                CannotListenError("127.0.0.1", 7, denied),
                "Permission denied; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE",
                0,
            ),
            (CannotListenError("", 8080, denied), "Permission denied", 0),
            (CannotListenError("", "/run/echod.sock", denied), "Permission denied", 0),
            (CannotListenError("", 8080, tooMany), limit, 0),
            (tooMany, limit, 0),
            (OverflowError("port must be 0-65535"), "port must be 0-65535", 0),
        ):
            self.assertEqual(self.explain(error), f"echo cannot listen on 127.0.0.1:0: {why}")
            self.assertEqual(self.service.inUse, port)

    def test_startsAfterFailure(self) -> None:
        """
        After a failure the service can be started again.
        """
        self.explain(OverflowError("no"))
        self.endpoint.result = None
        self.service.startService()
        self.assertTrue(self.endpoint.ports[0].listening)

    def test_lateFailure(self) -> None:
        """
        An endpoint that fails later is logged in one line.
        """
        self.endpoint.result = Deferred()
        self.service.startService()
        with logged() as lines:
            self.endpoint.result.errback(OSError(errno.EIO, "Input/output error"))
        self.assertEqual(lines, ["echo cannot listen on 127.0.0.1:0: Input/output error"])
        self.assertEqual(self.service.state, FAILED)

    def test_noPort(self) -> None:
        """
        An endpoint that returns something that cannot stop listening is refused in one
        line.
        """
        self.endpoint.result = succeed(object())
        with logged() as lines:
            self.assertRaises(CannotServe, self.service.startService)
        self.assertEqual(
            lines, ["echo cannot listen on 127.0.0.1:0: its endpoint does not listen"]
        )
        self.assertIsNone(self.service.port)
