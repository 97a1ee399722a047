"""
Tests for C{--workers}.
"""

from __future__ import annotations

import os
import signal
import socket
from importlib.util import find_spec
from pathlib import Path

from twisted.internet.address import UNIXAddress
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from echod.config import values
from echod.net.sockets import SPREADS
from echod.service.echoservice import EchoService
from echod.service.listening import CannotServe
from echod.tap import Options, makeService
from echod.workers.aggregatemonitor import AggregateMonitor
from echod.workers.service import WorkersService
from tests.support import lacking, logged, temporaryDirectory
from tests.support.config import options
from tests.support.workers import ProcessReactor


class UNIXPort:
    """
    A listening UNIX socket in memory.
    """

    def __init__(self, path: Path) -> None:
        self._address = UNIXAddress(str(path))
        self._socket = socket.socket(socket.AF_UNIX)

    def fileno(self) -> int:
        """
        @return: Its descriptor.
        """
        return self._socket.fileno()

    def stopReading(self) -> None:
        """
        Do nothing: the port has not begun to read.
        """

    def stopListening(self) -> None:
        """
        Stop listening.
        """
        self._socket.close()

    def getHost(self) -> UNIXAddress:
        """
        @return: Its address.
        """
        return self._address


class WorkersTests(SynchronousTestCase):
    """
    Tests for the service of a process with workers.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")

    def test_one(self) -> None:
        """
        The default is one process.
        """
        for arguments in ([], ["--workers=1"]):
            service = makeService(options(*arguments, reactor=ProcessReactor()))
            self.assertIs(type(service), EchoService)
            self.assertEqual(len(service.listening), 3)

    def test_several(self) -> None:
        """
        With several workers, the parent binds the sockets before it drops its privileges;
        each worker gets its own sockets and the same options.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        path = temporaryDirectory(self) / "sessions"
        parsed = options(
            *("--tcp=0", "--udp=0", f"--tcp=unix:{path}.socket", f"--session-log={path}"),
            *("--workers=3", "--status=0"),
            reactor=ProcessReactor(),
        )
        # The reactor in memory makes no real socket.
        parsed.reactor.listenUNIX = lambda *_, **__: UNIXPort(path)
        service = makeService(parsed)
        assert isinstance(service, WorkersService)
        log, whole, _ = service.observers
        self.assertIsInstance(whole, AggregateMonitor)
        service.privilegedStartService()
        self.assertEqual(parsed.reactor.processes, [])
        service.startService()
        processes = parsed.reactor.processes
        self.assertEqual(len(processes), 3)
        inherited = [process.more["childFDs"] for process in processes]
        for descriptor, shared in ((3, False), (4, True), (5, False), (6, True)):
            different = {each[descriptor] for each in inherited}
            self.assertEqual(len(different), 1 if shared else 3)
        self.assertEqual(inherited[0][6], log.fileno())
        names = processes[0].more["env"]["LISTEN_FDNAMES"]
        self.assertEqual(names, "tcp0:tcp1:udp0:session-log")
        self.assertEqual(processes[0].command[5:], [*parsed.arguments, "--workers=3"])
        processes[0].say()
        service.reopen()
        self.assertEqual(processes[0].signals, [signal.SIGUSR1])
        service.stopService()
        for process in processes:
            process.end()

    def test_nothingToShare(self) -> None:
        """
        If a server has no socket that workers can share, the start fails.
        """
        parsed = options("--workers=2", "--tcp=0", "--udp=0", reactor=ProcessReactor())
        service = makeService(parsed)
        service.privilegedStartService()
        assert parsed.workers is not None
        parsed.workers.sockets["udp0"].clear()
        with logged() as lines:
            self.assertRaises(CannotServe, service.startService)
        problem = "worker 1 cannot be started: udp0 listens on nothing that workers can share"
        self.assertIn(problem, lines)
        self.assertEqual(parsed.reactor.processes, [])

    def test_auto(self) -> None:
        """
        C{auto} starts one worker for each core that this process may use.
        """
        allowed = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, allowed)
        for cores in (allowed, {min(allowed)}):
            os.sched_setaffinity(0, cores)
            self.assertEqual(values.workers("auto"), len(cores))

    def test_otherSystem(self) -> None:
        """
        On a system that does not spread connections over sockets, there is one worker at
        most.
        """
        error = self.assertRaises(ValueError, values.workers, "2", spreads=False)
        self.assertEqual(str(error), "only Linux spreads peers over several processes")
        self.assertEqual(values.workers("auto", spreads=False), 1)

    def test_noProcesses(self) -> None:
        """
        A reactor that cannot start processes is refused.
        """
        error = self.assertRaises(usage.UsageError, options, "--workers=2")
        self.assertEqual(str(error), "--workers 2: MemoryReactorClock cannot start processes")

    def test_chroot(self) -> None:
        """
        A root directory without Python is refused.
        """
        parsed = Options(ProcessReactor())
        parsed.parent = usage.Options()
        parsed.parent["chroot"] = None
        parsed.parseOptions(["--workers=2"])
        parsed.parent["chroot"] = "/srv"
        error = self.assertRaises(SystemExit, parsed.parseOptions, ["--workers=2"])
        self.assertEqual(
            error.code, "echod: --workers 2: below --chroot there is no Python to run them"
        )

    def test_impaired(self) -> None:
        """
        Workers can be impaired, but not with a seed.
        """
        parsed = options("--workers=2", "--impair=delay=1ms", reactor=ProcessReactor())
        self.assertEqual(len(parsed.config.impairments), 3)

    def test_maxConnections(self) -> None:
        """
        The workers share the limit of connections, rounded up.
        """
        parsed = options("--workers=3", "--max-connections=10", reactor=ProcessReactor())
        for service in makeService(parsed).listening[:2]:
            self.assertEqual(service.server.limits.capacity.most, 4)  # type: ignore[attr-defined]
