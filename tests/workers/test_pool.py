"""
Tests for L{echod.workers.pool} and the modules that it uses.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
from typing import Any

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from echod._version import __version__
from echod.service.listening import CannotServe
from echod.workers.aggregate import LOST
from echod.workers.pipes import LONGEST_LINE, RECORD, REPORTS
from echod.workers.pool import LOOK, WorkerPool
from echod.workers.process import PATIENCE
from echod.workers.restarter import FIRST_DELAY, LONGEST_DELAY, MARGIN
from echod.workers.spawner import CHILD, PRIVATE
from tests.support import logged
from tests.support.workers import FakeProcess, ProcessReactor, nothing, ofSessions

NO_JSON = (
    *(b"", b"{", b"[[", b"\xff", b"\x00", b'"\xff"', b"[1.5", b"9" * 5000, b"NaN"),
    *(b"[" * 100_000, b"x" * 3 * LONGEST_LINE),
)
"""
Lines that are incomplete, too long, or not text.
"""

NO_RECORDS = [
    RECORD + line
    for line in (
        *NO_JSON,
        *(b"null", b"5", b'"text"', b"{}", b"[]", b'["a", "b", "c", "d"]'),
        b'["1.5", "info", "-", "-", "text"]',
        b'[NaN, "info", "-", "-", "text"]',
        b'[1e300, "info", "-", "-", "text"]',
        b'[1.5, "loud", "-", "-", "text"]',
        b'[1.5, ["info"], "-", "-", "text"]',
        b'[1.5, "info", null, "-", "text"]',
        b'[1.5, "info", "-", "-", 5]',
        b'[1.5, "info", "-", "-", "text", "more"]',
    )
]

WRONG: list[dict[str, Any]] = [
    {"unready": 5},
    {"lag_s": "long"},
    {"lag_s": float("nan")},
    {"lag_s": 10**400},
    {"lag_buckets": 5},
    {"lag_buckets": [0]},
    {"services": 5},
    {"services": [5]},
    {"services": [{}]},
    {"services": [ofSessions(open="many")]},
    {"services": [ofSessions(impairments=[])]},
    {"services": [ofSessions(refused=5)]},
    {"sessions": []},
    {"sessions": {"open": 0, "busiest": [{}], "newest": []}},
    {"sessions": {"open": None, "busiest": [], "newest": []}},
    {"history": 5},
    {"history": [{}]},
    {"history": [{"bytes_per_s": [["fast"]]}]},
]
"""
Values that a report must not contain.
"""

NO_REPORTS: list[Any] = [
    *(None, True, 5, 0.5, "text", [], {}, [[]]),
    *({"version": 5, "unready": []}, {"version": __version__}),
    {"version": __version__, "unready": []},
    *({**nothing(), **wrong} for wrong in WRONG),
]


class WorkerPoolTests(SynchronousTestCase):
    """
    Tests for L{WorkerPool}.
    """

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.pool = WorkerPool(
            self.reactor, 2, ["--tcp", "0"], lambda slot: {"tcp0": 10 + slot, "udp0": 20}, 5.0
        )

    def start(self) -> list[FakeProcess]:
        """
        Start the pool, and let all workers serve.
        """
        self.pool.startService()
        for process in self.reactor.alive:
            process.say()
        return self.reactor.alive

    def stop(self) -> None:
        """
        Stop the pool, and check that no timer is left.
        """
        self.pool.stopService()
        for process in self.reactor.alive:
            process.end()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def names(self) -> list[str]:
        """
        @return: The names of the living workers.
        """
        return list(self.pool.workers)

    def test_start(self) -> None:
        """
        Each worker runs the same echod on the same reactor and in the directory of the
        parent, and inherits its own sockets as from systemd.
        """
        self.patch(os, "environ", {"HOME": "/", **dict.fromkeys(PRIVATE, "x")})
        self.pool.startService()
        module = ProcessReactor.__module__
        command = [sys.executable, "-c", CHILD, str(os.getpid()), module]
        for slot, process in enumerate(self.reactor.processes):
            self.assertEqual(process.command, [*command, "--tcp", "0"])
            self.assertEqual(process.more["path"], os.getcwd())
            self.assertEqual(
                process.more["childFDs"], {0: "w", 1: "r", 2: "r", 3: 10 + slot, 4: 20}
            )
            environ = process.more["env"]
            self.assertNotIn("", environ.pop("PYTHONPATH").split(os.pathsep))
            expected = {"HOME": "/", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "tcp0:udp0"}
            self.assertEqual(environ, expected)
        self.assertEqual(len(self.reactor.processes), 2)
        self.stop()

    def test_ready(self) -> None:
        """
        A worker counts as missing until it reports that it serves; an incomplete report
        does not count.
        """
        self.pool.startService()
        one, other = self.reactor.processes
        one.say()
        self.assertEqual(len(self.pool.reports), 1)
        other.say(unready=["TCP echo on 127.0.0.1:8080 is starting"])
        other.protocol.childDataReceived(1, b'{"unre\n')
        self.assertEqual(self.pool.unready, ["worker 2 does not serve"])
        with logged() as lines:
            other.say()
            other.say()
        self.assertEqual(lines, ["worker 2 serves (process 1001)"])
        self.assertEqual(self.pool.unready, [])
        self.stop()

    def test_replaced(self) -> None:
        """
        A worker that dies after it has served is replaced at once, by a worker with the
        same name.
        """
        one, _ = self.start()
        with logged() as lines:
            one.end(signal=9)
        self.assertEqual(lines, ["worker 1 (process 1000) has died: signal 9"])
        self.assertEqual(self.pool.unready, ["worker 1 does not serve"])
        self.reactor.advance(0)
        self.assertEqual(self.names(), ["worker 2", "worker 1"])
        again = self.reactor.processes[-1]
        self.assertEqual(again.more["childFDs"][3], 10)
        self.assertEqual(self.pool.deaths, 1)
        self.stop()

    def test_crashLoop(self) -> None:
        """
        A worker that dies before it serves is restarted after longer and longer delays,
        until it serves.
        """
        one, _ = self.start()
        one.end(signal=9)
        delays = []
        for _ in range(10):
            began = self.reactor.seconds()
            count = len(self.reactor.processes)
            while len(self.reactor.processes) == count:
                self.reactor.advance(FIRST_DELAY / 2)
            delays.append(self.reactor.seconds() - began)
            with logged() as lines:
                self.reactor.processes[-1].end(status=1)
            self.assertIn("has died: exit status 1", lines[0])
        expected = [0, *(FIRST_DELAY * 2**n for n in range(7)), LONGEST_DELAY, LONGEST_DELAY]
        for delay, about in zip(delays, expected, strict=True):
            self.assertLess(abs(delay - about), FIRST_DELAY * 0.6)
        self.reactor.advance(LONGEST_DELAY)
        self.reactor.alive[-1].say()
        self.reactor.alive[-1].end(signal=9)
        self.reactor.advance(0)
        self.assertEqual(len(self.reactor.alive), 2)
        self.stop()

    def test_cannotStart(self) -> None:
        """
        If a worker cannot be started at the beginning, the start fails.
        """
        self.reactor.problem = OSError(errno.EMFILE, "Too many open files")
        with self.assertRaises(CannotServe) as raised:
            self.pool.startService()
        self.assertEqual(
            str(raised.exception), "worker 1 cannot be started: Too many open files"
        )
        self.stop()

    def test_cannotStartAgain(self) -> None:
        """
        If a worker cannot be started again, one line says so each time, and it is tried
        again.
        """
        one, _ = self.start()
        self.reactor.problem = OSError(errno.EAGAIN, "Resource temporarily unavailable")
        one.end(signal=9)
        with logged() as lines:
            self.reactor.advance(0)
        why = "cannot be started: Resource temporarily unavailable"
        self.assertEqual(lines, [f"worker 1 {why}"])
        self.assertEqual(self.names(), ["worker 2"])
        self.reactor.problem = None
        self.reactor.advance(FIRST_DELAY)
        self.assertEqual(self.names(), ["worker 2", "worker 1"])
        self.stop()

    def test_hangs(self) -> None:
        """
        A worker that has sent no report for a long time is killed.
        """
        one, other = self.start()
        for _ in range(PATIENCE):
            self.reactor.advance(LOOK)
            other.say()
        self.assertEqual(one.signals, [])
        with logged() as lines:
            self.reactor.advance(LOOK)
        self.assertEqual((one.signals, other.signals), (["KILL"], []))
        self.assertEqual(lines, ["worker 1 hangs: killed"])
        self.stop()

    def test_renew(self) -> None:
        """
        The workers are replaced one by one: when the successor on the same sockets
        serves, the worker ends, and the next one is replaced. A worker that is ending
        does not count as serving.
        """
        one, other = self.start()
        self.pool.renew()
        self.assertEqual(self.names(), ["worker 1", "worker 2", "worker 1.2"])
        successor = self.reactor.processes[-1]
        self.assertEqual(successor.more["childFDs"][3], 10)
        self.assertEqual(one.signals, [])
        successor.say()
        self.assertEqual((one.signals, other.signals), (["HUP"], []))
        self.assertEqual(self.names(), ["worker 1", "worker 2", "worker 1.2", "worker 2.2"])
        successor.end(signal=9)
        self.assertEqual(self.pool.unready, ["worker 1 does not serve"])
        self.reactor.advance(0)
        for process in self.reactor.alive[2:]:
            process.say()
        self.assertEqual(other.signals, ["HUP"])
        with logged() as lines:
            one.end()
            other.end()
        self.assertEqual(lines, ["worker 1 has ended", "worker 2 has ended"])
        self.reactor.advance(LOOK)
        self.assertEqual(self.names(), ["worker 2.2", "worker 1.2"])
        self.assertEqual((self.pool.deaths, self.pool.unready), (1, []))
        self.stop()

    def test_successorNeverServes(self) -> None:
        """
        If its successor does not serve, a worker stays; it ends when a later attempt
        serves.
        """
        one, _ = self.start()
        self.pool.renew()
        self.reactor.alive[-1].end(status=1)
        self.reactor.advance(FIRST_DELAY)
        self.assertEqual(self.names(), ["worker 1", "worker 2", "worker 1.2"])
        self.assertEqual(one.signals, [])
        self.reactor.alive[-1].say()
        self.assertEqual(one.signals, ["HUP"])
        self.stop()

    def test_renewedMeanwhile(self) -> None:
        """
        A second request during a replacement replaces all workers once more, still one by
        one.
        """
        self.start()
        self.pool.renew()
        self.pool.renew()
        self.assertEqual(self.names(), ["worker 1", "worker 2", "worker 1.2"])
        for expected in ("worker 2.2", "worker 1.3"):
            self.reactor.alive[-1].say()
            self.assertEqual(self.names()[-1], expected)
        self.reactor.alive[-1].say()
        for process in self.reactor.alive:
            if process.signals:
                process.end()
        self.assertEqual(self.names(), ["worker 2.2", "worker 1.3"])
        self.stop()

    def test_deadBeforeSucceeded(self) -> None:
        """
        A worker that dies while its successor starts is not restarted when the successor
        serves.
        """
        one, _ = self.start()
        self.pool.renew()
        successor = self.reactor.alive[-1]
        one.end(signal=9)
        successor.say()
        self.reactor.advance(LOOK)
        self.assertEqual(self.names(), ["worker 2", "worker 1.2", "worker 2.2"])
        self.stop()

    def test_neverServedBeforeSucceeded(self) -> None:
        """
        A restarted worker also ends when its successor serves.
        """
        one, _ = self.start()
        one.end(signal=9)
        self.reactor.advance(0)
        self.reactor.alive[-1].say()
        self.pool.renew()
        self.reactor.alive[-1].say()
        self.assertEqual(self.reactor.processes[2].signals, ["HUP"])
        self.stop()

    def test_notRunning(self) -> None:
        """
        After the stop, no worker is replaced.
        """
        self.start()
        self.stop()
        self.pool.renew()
        self.assertEqual(self.names(), [])

    def test_stop(self) -> None:
        """
        A stop ends all workers, including those that are ending or about to succeed another
        one, and is complete when all have ended.  The next start has no successor left.
        """
        self.start()
        self.pool.renew()
        self.reactor.alive[-1].say()
        one, other, successor, candidate = self.reactor.processes
        self.pool.stopService()
        over = self.pool.whenDone()
        self.assertEqual(one.signals, ["HUP", "TERM"])
        candidate.say()
        for process in (other, successor, candidate):
            self.assertEqual(process.signals, ["TERM"])
            process.end()
        self.assertNoResult(over)
        one.end()
        self.successResultOf(over)
        self.successResultOf(self.pool.whenDone())
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.start()
        self.assertEqual(self.names(), ["worker 2", "worker 1.2"])
        self.stop()

    def test_killed(self) -> None:
        """
        A worker that does not end in time is killed.
        """
        self.start()
        self.pool.stopService()
        one, other = self.reactor.alive
        other.end()
        self.reactor.advance(2 * 5.0 + MARGIN)
        self.assertEqual((one.signals, other.signals), (["TERM", "KILL"], ["TERM"]))
        one.end(signal=9)

    def test_startsAgain(self) -> None:
        """
        A stopped pool can be started again; a second stop does nothing.
        """
        self.start()
        self.stop()
        self.stop()
        self.start()
        self.assertEqual(self.names(), ["worker 1", "worker 2"])
        self.stop()

    def test_cut(self) -> None:
        """
        All living workers get the signal to cut their sessions.
        """
        one, other = self.start()
        one.over = True
        self.pool.abort()
        self.assertEqual((one.signals, other.signals), ([], ["INT"]))
        one.over = False
        self.stop()

    def test_reopen(self) -> None:
        """
        All workers are told to reopen their files; a worker that is not ready is told as
        soon as it is.
        """
        self.pool.startService()
        one, other = self.reactor.processes
        one.say()
        self.pool.reopen()
        self.assertEqual((one.signals, other.signals), ([signal.SIGUSR1], []))
        for process in (one, other, one, other):
            process.say()
        self.assertEqual((one.signals, other.signals), ([signal.SIGUSR1], [signal.SIGUSR1]))
        self.stop()

    def test_foreign(self) -> None:
        """
        A worker of another version serves and is replaced like any other, but is not
        counted, and the log says so.
        """
        one, other = self.start()
        one.say(services=[ofSessions(accepted=7)])
        other.say(services=[ofSessions()])
        one.end(signal=9)
        self.reactor.advance(0)
        past = self.pool.past
        foreign = self.reactor.processes[-1]
        with logged() as lines:
            foreign.say(version="99", services=[ofSessions(lengths=[1])])
        self.assertEqual(
            lines[1:], ["worker 1 is echod 99: nothing of it is counted until a restart"]
        )
        self.assertEqual(self.pool.unready, [])
        self.assertEqual(len(self.pool.reports), 1)
        foreign.end(signal=9)
        self.assertEqual(self.pool.past, past)
        self.reactor.advance(0)
        self.assertEqual(len(self.reactor.alive), 2)
        self.stop()

    def test_past(self) -> None:
        """
        The counts of ended workers are kept, and their open sessions are counted as lost.
        """
        one, other = self.start()
        one.say(services=[ofSessions(accepted=7, open=2, ended={"goodbye": 5})])
        one.end(signal=9)
        other.say(services=[ofSessions(accepted=3, ended={"goodbye": 3})])
        other.end()
        (service,) = self.pool.past["services"]
        self.assertEqual(service["accepted"], 10)
        self.assertEqual(service["ended"], {"goodbye": 8, LOST: 2})
        self.assertNotIn("open", service)
        self.stop()

    def test_neverReported(self) -> None:
        """
        A worker that dies before its first report has counted nothing.
        """
        self.pool.startService()
        self.reactor.alive[0].end(status=1)
        self.assertEqual((self.pool.past, self.pool.reports), ({}, []))
        self.stop()

    def test_badLog(self) -> None:
        """
        A line that is not a log record is logged unchanged, as an error; the records
        after it are logged as usual.
        """
        one, _ = self.start()
        for line in NO_RECORDS:
            with capturedLogs() as events:
                one.log(line)
                one.log(b'\x1e[1.5, "info", "-", "-", "next"]')
            bad, good = events
            self.assertEqual(bad["log_level"], LogLevel.error, line)
            self.assertTrue(bad["text"].startswith("\\x1e"), bad["text"])
            self.assertTrue(bad["text"].isprintable(), bad["text"])
            self.assertLess(len(bad["text"]), 5000)
            self.assertEqual(good["text"], "next")
        self.stop()

    def test_strangeLog(self) -> None:
        """
        The text of a log record can be written to a file, whatever characters it
        contains.
        """
        one, _ = self.start()
        with capturedLogs() as events:
            one.log(RECORD + rb'[1.5, "info", "\ud800", "\n", "a\nb\udc80"]')
        (event,) = events
        self.assertEqual(event["text"], "a\nb\\udc80")
        self.assertEqual(event["log_namespace"], "\\ud800")
        self.assertEqual(event["log_system"], "worker 1: \\n")
        self.stop()

    def test_badReports(self) -> None:
        """
        An invalid report changes nothing; the next report counts.
        """
        one, _ = self.start()
        one.say(lag_s=0.5)
        before = self.pool.reports
        for data in [*NO_JSON, *(json.dumps(report).encode() for report in NO_REPORTS)]:
            one.protocol.childDataReceived(REPORTS, data + b"\n")
            self.assertEqual(self.pool.reports, before, data)
        one.say(lag_s=0.25, services=[ofSessions(impairments="delay=1ms")])
        self.assertEqual(self.pool.reports[0]["lag_s"], 0.25)
        self.stop()

    def test_otherServices(self) -> None:
        """
        Reports of different services are added up too.
        """
        one, other = self.start()
        one.say(services=[ofSessions(accepted=1)])
        other.say(services=[ofSessions(accepted=2), ofSessions(accepted=4)])
        one.end()
        other.end()
        accepted = [service["accepted"] for service in self.pool.past["services"]]
        self.assertEqual(accepted, [3, 4])
        self.stop()

    def test_log(self) -> None:
        """
        The log records of a worker are logged with its name and their own source; so is
        other output on standard error, in one piece or in several.
        """
        one, _ = self.start()
        with capturedLogs() as events:
            one.log(b'\x1e[1.5, "warn", "echod.tcp", "echod.tcp#warn", "TCP echo: {x}"]')
            one.protocol.childDataReceived(2, b"Fatal ")
            one.log(b"\xff")
            # A worker that dies in the middle of a line.
            one.protocol.childDataReceived(2, b"Segmentation")
            one.end(signal=11)
        first, second, third, _ = events
        self.assertEqual(first["log_time"], 1.5)
        self.assertEqual(first["log_level"], LogLevel.warn)
        self.assertEqual(first["log_namespace"], "echod.tcp")
        self.assertEqual(first["log_system"], "worker 1: echod.tcp#warn")
        self.assertEqual(first["text"], "TCP echo: {x}")
        self.assertEqual(second["log_system"], "worker 1: -")
        self.assertEqual((second["log_level"], second["text"]), (LogLevel.error, "Fatal \\xff"))
        self.assertEqual(third["text"], "Segmentation")
        self.stop()
