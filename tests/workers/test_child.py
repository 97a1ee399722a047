"""
Tests for L{echod.workers.child} and L{echod.workers.pipes}.
"""

from __future__ import annotations

import json
import os
import socket
from functools import partial
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.config.build import serverEndpoints
from echod.config.config import SESSION_LOG, Config
from echod.config.options import Options
from echod.net.appendfile import AppendFile
from echod.net.sockets import SPREADS
from echod.service.echoservice import EchoService
from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.service.listening import LISTENING
from echod.status.monitor import Monitor
from echod.status.sessionlog import SessionLog
from echod.tcp.echo import EchoFactory
from echod.workers.child import (
    SIGHT,
    Reporter,
    WorkerService,
    inheritedHosts,
    listenOn,
    makeWorker,
    parentLog,
)
from echod.workers.pipes import LONGEST_LINE, Lines, event, record
from tests.support import UNTIMED, connect, deadline, lacking, temporaryDirectory
from tests.support.service import Endpoint, listenFor
from tests.support.service import Port as MemoryPort
from tests.support.workers import ProcessReactor


class Port(MemoryPort):
    """
    A port that can stop reading.
    """

    reading = True

    def stopReading(self) -> None:
        """
        Record the call.
        """
        self.reading = False


class StoppingReactor(ProcessReactor):
    """
    A reactor that counts how often it was stopped.
    """

    stops = 0

    def stop(self) -> None:
        """
        Count the call.
        """
        self.stops += 1


class ChannelTests(SynchronousTestCase):
    """
    Tests for L{echod.workers.pipes}.
    """

    def test_lines(self) -> None:
        """
        A line that arrives in several pieces is one line.
        """
        lines: list[bytes] = []
        some = Lines(lines.append)
        for data in (b"a", b"", b"b\nc\n\nd", b"\n"):
            some.add(data)
        self.assertEqual(lines, [b"ab", b"c", b"", b"d"])

    def test_longLine(self) -> None:
        """
        Only the beginning of a line that is too long is kept.
        """
        lines: list[bytes] = []
        some = Lines(lines.append)
        for _ in range(5):
            some.add(b"x" * (LONGEST_LINE // 2))
        some.add(b"\nnext\n" + b"y" * 2 * LONGEST_LINE + b"\n" + b"z" * 2 * LONGEST_LINE)
        some.end()
        self.assertEqual(
            [(line[:1], len(line)) for line in lines],
            [(b"x", LONGEST_LINE), (b"n", 4), (b"y", LONGEST_LINE), (b"z", LONGEST_LINE)],
        )

    def there(self, **fields: Any) -> dict[str, Any]:
        """
        @return: An event as the parent reads it.
        """
        line = record({"log_time": 1.5, "log_format": "{a} {{", "a": "\n\u2028", **fields})
        self.assertTrue(line.endswith("\n"))
        self.assertEqual(line.count("\n"), 1)
        return event(line[:-1].encode(), "worker 1")

    def test_record(self) -> None:
        """
        An event arrives with its time, its level and its source.
        """
        there = self.there(log_level=LogLevel.warn, log_namespace="echod.tcp")
        self.assertEqual(there["log_time"], 1.5)
        self.assertEqual(there["log_level"], LogLevel.warn)
        self.assertEqual(there["log_system"], "worker 1: echod.tcp#warn")
        self.assertEqual(there["text"], "\n\u2028 {")

    def test_legacy(self) -> None:
        """
        An event of Twisted's older log arrives with its time, its level and its source.
        """
        there = self.there(log_system="-")
        self.assertEqual(there["log_level"], LogLevel.info)
        self.assertEqual(there["log_system"], "worker 1: -")

    def test_failure(self) -> None:
        """
        A failure arrives with its traceback.
        """
        there = self.there(log_failure=Failure(ZeroDivisionError("never")))
        self.assertIn("ZeroDivisionError: never", there["text"])


class MakeWorkerTests(SynchronousTestCase):
    """
    Tests for L{makeWorker} and L{listenOn}.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")
        self.descriptors: dict[str, int] = {}
        self.ports: dict[str, int] = {}
        self.reactor = ProcessReactor()

    def handOver(self, **kinds: socket.SocketKind) -> None:
        """
        Make a socket of each kind for the worker.
        """
        for name, kind in kinds.items():
            with socket.socket(socket.AF_INET, kind) as skt:
                skt.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    skt.listen()
                self.ports[name] = skt.getsockname()[1]
                self.descriptors[name] = os.dup(skt.fileno())
                self.addCleanup(self.close, self.descriptors[name])

    def close(self, descriptor: int) -> None:
        """
        Close a descriptor, unless it is closed already.
        """
        try:
            os.close(descriptor)
        except OSError:
            """It was adopted."""

    def config(self, *arguments: str) -> Config:
        """
        @return: The config of a worker with this command line.
        """
        options = Options()
        options.parseOptions(arguments)
        return options.config

    def serve(self, *arguments: str) -> Any:
        """
        @return: The service of a worker.
        """
        # That of this process is not to be changed.
        self.patch(os, "set_blocking", lambda descriptor, blocking: None)
        config = self.config(*arguments)
        return makeWorker(config, self.reactor, os.getppid(), self.descriptors)

    def test_adopts(self) -> None:
        """
        A worker listens on the inherited sockets instead of the addresses on the command
        line, and shows its data to its parent only.
        """
        self.handOver(tcp0=socket.SOCK_STREAM, udp0=socket.SOCK_DGRAM)
        service = self.serve("--tcp", "1", "--udp", "2", "--status", "3", "--workers", "2")
        self.assertIsInstance(service, WorkerService)
        service.privilegedStartService()
        (adopted,) = self.reactor.adoptedPorts
        self.assertEqual(adopted[1], socket.AF_INET)
        places = [each.place for each in service.listening]
        self.assertIn(f"127.0.0.1:{self.ports['udp0']}", places)
        kinds = [type(observer) for observer in service.observers]
        self.assertEqual(kinds, [Monitor, Reporter])
        service.stopService()

    def test_greetingWithNames(self) -> None:
        """
        The greeting of a worker names the peer and the machine.
        """
        self.handOver(greeting0=socket.SOCK_STREAM)
        text = "Hello {peer} from {host}"
        (listening,) = self.serve("--greeting=1", "--greeting-text", text).listening
        _, transport = connect(listening.server, address=IPv4Address("TCP", "192.0.2.7", 4000))
        self.assertEqual(
            transport.value(), f"Hello 192.0.2.7:4000 from {socket.gethostname()}\r\n".encode()
        )

    def test_handedOverBefore(self) -> None:
        """
        A socket that systemd has passed to the parent is passed on to the worker.
        """
        self.handOver(tcp0=socket.SOCK_STREAM, udp0=socket.SOCK_DGRAM)
        config = self.config(
            *("--tcp", "systemd:domain=INET6:name=a", "--udp", "systemd:domain=INET6:index=7")
        )
        found = serverEndpoints(
            config,
            partial(listenOn, self.reactor, self.descriptors),
            partial(inheritedHosts, self.descriptors),
        )
        for name, kind in (("tcp", InheritedStreamEndpoint), ("udp", InheritedUDPEndpoint)):
            ((_, endpoint),) = found[name]
            assert isinstance(endpoint, (InheritedStreamEndpoint, InheritedUDPEndpoint))
            self.assertIsInstance(endpoint, kind)
            self.assertEqual(endpoint._descriptor, self.descriptors[f"{name}0"])

    def test_sessionLog(self) -> None:
        """
        The session log is the file that the parent has opened.
        """
        self.handOver(tcp0=socket.SOCK_STREAM)
        path = temporaryDirectory(self) / "sessions"
        self.descriptors[SESSION_LOG] = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.addCleanup(self.close, self.descriptors[SESSION_LOG])
        service = self.serve("--tcp", "1", "--session-log", "/nonexistent/sessions")
        sessions, *_ = service.observers
        self.assertIsInstance(sessions, SessionLog)
        sessions.privilegedStartService()
        self.assertEqual(sessions.fileno(), self.descriptors[SESSION_LOG])
        sessions.stopService()


class WorkerServiceTests(SynchronousTestCase):
    """
    Tests for L{WorkerService}.
    """

    def setUp(self) -> None:
        self.reactor = StoppingReactor()
        self.service = WorkerService(self.reactor, 5.0)
        self.factory = EchoFactory(self.reactor, limits=UNTIMED)
        self.endpoint = Endpoint()
        self.port = Port()
        self.endpoint.result = succeed(self.port)
        listenFor(self.service, self.factory, endpoint=self.endpoint)
        self.service.startService()

    def test_end(self) -> None:
        """
        A worker stops its reactor once, even if it is told to end twice.
        """
        for _ in range(2):
            self.service.end()
        self.assertEqual(self.reactor.stops, 1)

    def test_endBeforeRetiring(self) -> None:
        """
        A worker that drains already does not retire.
        """
        self.service.end()
        self.service.stopService()
        self.service.retire()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.reactor.stops, 1)

    def test_cut(self) -> None:
        """
        All sessions can be cut, and the worker continues.
        """
        _, transport = connect(self.factory)
        self.service.abort()
        self.assertTrue(transport.aborted)
        self.assertEqual(self.reactor.stops, 0)

    def test_retire(self) -> None:
        """
        A worker that retires accepts no new connections, serves its sessions, and
        ends when they have ended.
        """
        session, transport = connect(self.factory)
        self.service.retire()
        self.assertFalse(self.port.reading)
        session.dataReceived(b"hello")
        self.assertEqual(transport.value(), b"hello")
        self.assertEqual(self.service.listening[0].state, LISTENING)
        self.reactor.advance(SIGHT)
        self.assertEqual(self.reactor.stops, 0)
        transport.connectionDone()
        self.reactor.advance(SIGHT)
        self.assertEqual(self.reactor.stops, 1)

    def test_retireAtLast(self) -> None:
        """
        A session that lasts longer than the drain timeout is drained.
        """
        connect(self.factory)
        self.service.retire()
        self.reactor.pump([SIGHT] * 10)
        self.assertEqual(self.reactor.stops, 1)

    def test_retireAlone(self) -> None:
        """
        A retiring worker without sessions ends at once, unless a session is about to
        start.
        """
        self.factory.waiting.add(None)  # type: ignore[arg-type]
        self.service.retire()
        self.assertEqual(self.reactor.stops, 0)
        self.factory.waiting.clear()
        self.reactor.advance(SIGHT)
        self.assertEqual(self.reactor.stops, 1)


class ReporterTests(SynchronousTestCase):
    """
    Tests for L{Reporter}.
    """

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.service = EchoService(self.reactor)
        self.factory = EchoFactory(self.reactor, limits=UNTIMED)
        listenFor(self.service, self.factory)
        self.monitor = Monitor(self.reactor, self.service)
        self.monitor.setServiceParent(self.service.observers)
        self.path = temporaryDirectory(self) / "reports"
        self.orphaned = 0

    def report(self, parent: int) -> None:
        """
        Start a reporter.
        """
        reports = AppendFile(os.fspath(self.path))
        self.addCleanup(reports.close)
        reporter = Reporter(self.reactor, self.monitor, reports, parent, self.noteOrphaned)
        reporter.setServiceParent(self.service.observers)
        self.service.startService()
        self.assertEqual(self.reports(), [])
        self.reactor.run()

    def noteOrphaned(self) -> None:
        """
        Count the call.
        """
        self.orphaned += 1

    def reports(self) -> list[Any]:
        """
        @return: All reports so far.
        """
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_neverStarted(self) -> None:
        """
        A reporter that was never started, because another part could not listen, can be
        stopped.
        """
        reporter = Reporter(
            self.reactor, self.monitor, AppendFile(os.devnull), 1, self.noteOrphaned
        )
        reporter.stopService()
        self.assertEqual(self.orphaned, 0)

    def test_reports(self) -> None:
        """
        A worker reports at once, every second, and at the end, when everything is
        counted.
        """
        self.report(os.getppid())
        self.assertEqual([each["unready"] for each in self.reports()], [[]])
        session, transport = connect(self.factory)
        session.dataReceived(b"hello")
        self.reactor.advance(1)
        self.assertEqual(self.reports()[-1]["sessions"]["open"], 1)
        stopped = self.service.stopService()
        transport.connectionDone()
        self.successResultOf(stopped)
        last = self.reports()[-1]
        self.assertEqual((len(self.reports()), last["draining"]), (3, True))
        (counted,) = last["services"]
        self.assertEqual((counted["open"], counted["accepted"]), (0, 1))
        self.assertEqual(counted["ended"], {"closed by peer": 1})
        self.assertEqual(self.monitor.listeners, set())
        self.assertEqual(self.orphaned, 0)

    def test_orphaned(self) -> None:
        """
        A worker without its parent ends.
        """
        self.report(os.getpid())
        self.assertEqual(self.orphaned, 1)


class ParentLogTests(SynchronousTestCase):
    """
    Tests for L{parentLog}.
    """

    def test_stalled(self) -> None:
        """
        Each event is a line of the pipe, and a pipe that the parent does not read loses
        lines instead of blocking.
        """
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        log = Logger("echod.tcp", observer=parentLog(writing))
        log.info("hello")
        line = os.read(reading, 1000)
        self.assertEqual(event(line[:-1], "worker 1")["text"], "hello")
        with deadline():
            for _ in range(1000):
                log.info("x" * 1000)
        self.assertLess(len(os.read(reading, 1 << 20)), 1000 * 1000)
