"""
Tests for L{echod.service.echoservice}.
"""

from __future__ import annotations

import errno
from typing import Any

from twisted.application.service import Application, IService, Service
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from echod import __version__
from echod.limits.descriptors import ProcessRoom
from echod.service.echoservice import EchoService
from echod.service.listening import STOPPED, CannotServe, ListeningService
from tests.support import logged
from tests.support.service import Endpoint, Port, Server


class EchoServiceTests(SynchronousTestCase):
    """
    Tests for L{EchoService}.
    """

    def setUp(self) -> None:
        self.endpoints = [Endpoint(), Endpoint()]
        self.servers: list[Any] = []
        self.reactor = MemoryReactorClock()
        self.service = EchoService(self.reactor)
        for endpoint in self.endpoints:
            child = ListeningService("127.0.0.1:0", endpoint, Server())
            self.servers.append(child.server)
            child.setServiceParent(self.service)
        self.observed = Endpoint()
        observer = ListeningService("[::1]:0", self.observed, Server())
        observer.setServiceParent(self.service.observers)

    def test_starts(self) -> None:
        """
        The service listens on all addresses, and logs its version and its reactor once.
        """
        with logged() as lines:
            self.service.privilegedStartService()
            self.service.startService()
        self.assertEqual(lines[0], f"echod {__version__} on MemoryReactorClock")
        self.assertEqual(len(lines), 4)
        self.assertEqual([len(endpoint.ports) for endpoint in self.endpoints], [1, 1])
        self.assertTrue(verifyObject(IService, self.service))

    def test_limits(self) -> None:
        """
        The log states the limits when everything listens.
        """
        self.service.limits = lambda: f"{len(self.endpoints[1].ports)} of each"
        with logged() as lines:
            self.service.startService()
        self.assertEqual(lines[4:], ["limits: 1 of each"])

    def test_noRoom(self) -> None:
        """
        If no connection has room, the start fails with one line, and nothing is listened
        on.
        """
        service = EchoService(self.reactor, ProcessRoom(limit=lambda: 20, used=lambda: 15))
        listening = ListeningService("127.0.0.1:0", self.endpoints[0], Server())
        listening.setServiceParent(service)
        with logged() as lines:
            problem = self.assertRaises(CannotServe, service.startService)
        self.assertEqual(lines[2:], [str(problem)])
        self.assertRegex(str(problem), r"^echod cannot serve: the limit of open files ")
        self.assertEqual(listening.state, STOPPED)

    def test_installLog(self) -> None:
        """
        The service installs its log, if it has one, in the application that it joins.
        """
        applications: list[object] = []
        for install in (None, applications.append):
            application = Application("echod")
            self.service.installLog = install
            self.service.setServiceParent(application)
            self.service.disownServiceParent()
        self.assertEqual(applications, [application])

    def test_cannotListen(self) -> None:
        """
        If one address cannot be listened on, none is.
        """
        for start in (self.service.privilegedStartService, self.service.startService):
            self.endpoints[1].result = fail(OverflowError("no"))
            self.assertRaises(CannotServe, start)
            self.assertFalse(self.endpoints[0].ports[-1].listening)
            self.assertFalse(self.service.running)

    def test_portsInUse(self) -> None:
        """
        The log names each address whose port is in use, and then the command that uses free
        ports, if there is one.  Another problem ends the start.
        """
        inUse = CannotListenError("", 8080, OSError(errno.EADDRINUSE, "in use"))
        hint = "in use; ss -lntup shows the process that uses it"
        first, last = (f"echo cannot listen on {host}:0" for host in ("127.0.0.1", "[::1]"))
        command = "this uses free ports (0) instead: echod --tcp 0"
        for free, error, expected in (
            ("echod --tcp 0", inUse, [f"{first}: {hint}", f"{last}: {hint}", command]),
            ("", inUse, [f"{first}: {hint}", f"{last}: {hint}"]),
            ("", OverflowError("no"), [f"{first}: no"]),
        ):
            self.service.withFreePorts = lambda free=free: free  # type: ignore[misc]
            self.endpoints[0].result, self.observed.result = fail(error), fail(error)
            with logged() as lines:
                self.assertRaises(CannotServe, self.service.privilegedStartService)
            self.observed.result.addErrback(lambda _: None)
            said = [line for line in lines if "listens" not in line and line[:5] != "echod"]
            self.assertEqual(said, expected)

    def test_ready(self) -> None:
        """
        The service is ready while all addresses are listened on.
        """
        Service().setServiceParent(self.service)
        self.assertFalse(self.service.ready)
        self.endpoints[1].result = Deferred()
        self.service.startService()
        self.assertFalse(self.service.ready)
        self.endpoints[1].result.callback(Port())
        self.assertTrue(self.service.ready)
        self.service.stopService()
        self.assertFalse(self.service.ready)

    def test_sessions(self) -> None:
        """
        The sessions are those of all servers.
        """
        self.assertEqual(self.service.sessions, 0)
        self.servers[0].sessions = ("one",)
        self.servers[1].sessions = ("two", "three")
        self.assertEqual(self.service.sessions, 3)

    def test_observers(self) -> None:
        """
        Observers stop when no session is left.
        """
        self.service.privilegedStartService()
        self.service.startService()
        self.servers[0].drained = Deferred()
        stopped = self.service.stopService()
        self.assertEqual([port.listening for port in self.observed.ports], [True])
        self.servers[0].drained.callback(None)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual([port.listening for port in self.observed.ports], [False])

    def test_observersStay(self) -> None:
        """
        If the service is started again before its stop has ended, the observers run on.
        """
        calls: list[str] = []

        class Observer(Service):
            def startService(self) -> None:
                calls.append("start")

            def stopService(self) -> None:
                calls.append("stop")

        Observer().setServiceParent(self.service.observers)
        self.service.startService()
        self.servers[0].drained = Deferred()
        stopped = self.service.stopService()
        self.service.startService()
        self.servers[0].drained.callback(None)
        self.assertIsNone(self.successResultOf(stopped))
        self.assertEqual(calls, ["start"])
        self.service.stopService()
        self.assertEqual(calls, ["start", "stop"])

    def test_observerCannotServe(self) -> None:
        """
        If an observer cannot listen, nothing is listened on.
        """
        self.observed.result = fail(OverflowError("no"))
        self.assertRaises(CannotServe, self.service.startService)
        self.assertFalse(self.endpoints[0].ports[-1].listening)

    def test_reload(self) -> None:
        """
        A reload reopens the files.
        """
        reopened: list[int] = []
        self.service.onReopen = [lambda: reopened.append(1), lambda: reopened.append(2)]
        self.service.reload()
        self.assertEqual(reopened, [1, 2])
