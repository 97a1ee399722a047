"""
Tests for L{echod.workers.service}, L{echod.workers.aggregatemonitor} and
L{echod.workers.aggregate}.
"""

from __future__ import annotations

import json
import signal
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.service.echoservice import EchoService
from echod.status.monitor import LAGS, Monitor
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from echod.workers.aggregate import added, rates
from echod.workers.aggregatemonitor import AggregateMonitor
from echod.workers.pool import WorkerPool
from echod.workers.service import WorkersService
from tests.support import UNTIMED
from tests.support.service import Endpoint, listenFor
from tests.support.workers import ProcessReactor, nothing, ofDatagrams, ofSessions


class SumTests(SynchronousTestCase):
    """
    Tests for L{echod.workers.aggregate}.
    """

    def test_added(self) -> None:
        """
        Numbers are added up at any depth; a missing number counts as 0.
        """
        self.assertEqual(
            added({"a": 1, "b": [1, 2], "c": {"x": 1}}, {"b": [3, 4], "c": {"y": 2}, "d": 0.5}),
            {"a": 1, "b": [4, 6], "c": {"x": 1, "y": 2}, "d": 0.5},
        )

    def test_rates(self) -> None:
        """
        The rates of all workers that have reported rates are added up.
        """
        one, other = ({"history": [{"bytes_per_s": [[1, 2], [3, 4]]}]} for _ in range(2))
        self.assertEqual(rates([one, nothing(), other]), [[2, 4], [6, 8]])
        self.assertEqual(rates([nothing()]), [])


class AggregateMonitorTests(SynchronousTestCase):
    """
    Tests for L{WorkersService} and L{AggregateMonitor}.
    """

    def setUp(self) -> None:
        self.reactor = ProcessReactor()
        self.pool = WorkerPool(self.reactor, 2, [], lambda slot: {}, 5.0)
        self.service = WorkersService(self.reactor, self.pool)
        self.endpoint = Endpoint()
        self.listen(self.service)
        self.whole = AggregateMonitor(
            self.reactor, self.service, lambda: 1000 + self.reactor.seconds()
        )
        self.whole.setServiceParent(self.service.observers)
        self.service.privilegedStartService()
        self.assertEqual(self.reactor.processes, [])
        self.service.startService()
        self.one, self.other = self.reactor.processes

    def listen(self, parent: EchoService) -> None:
        """
        Add a TCP and a UDP echo to a service.
        """
        tcp, udp = EchoFactory(self.reactor, limits=UNTIMED), UDPEchoProtocol(self.reactor)
        listenFor(parent, tcp, udp, endpoint=self.endpoint)

    def say(self, process: Any, sessions: Any, datagrams: Any, **more: Any) -> None:
        """
        Let a worker report its services.
        """
        process.say(services=[ofSessions(**sessions), ofDatagrams(**datagrams)], **more)

    def full(self) -> Any:
        """
        @return: All data of the monitor.
        """
        self.reactor.advance(1)
        return json.loads(self.whole.full)

    def test_shape(self) -> None:
        """
        The data has the same form as that of one process; before the first report, all
        counts are 0.
        """
        single = EchoService(self.reactor)
        self.listen(single)
        monitor = Monitor(self.reactor, single, lambda: 1000.0)
        monitor.setServiceParent(single.observers)
        single.startService()
        expected, full = json.loads(monitor.full), self.full()
        self.assertEqual(list(full), list(expected))
        self.assertEqual(full["services"], expected["services"])
        self.assertEqual(full["sessions"], expected["sessions"])
        self.assertEqual(full["lag_buckets"], [0] * (len(LAGS) + 1))
        self.assertEqual(
            full["unready"], ["worker 1 does not serve", "worker 2 does not serve"]
        )
        single.stopService()

    def test_sum(self) -> None:
        """
        The counts of the workers are added up, with the addresses of the parent.
        """
        self.say(
            self.one,
            {"received_bytes": 5, "open": 1, "accepted": 3, "ended": {"goodbye": 2}},
            {"received": 7, "refused": {"own source port": 1}, "address": "elsewhere"},
            lag_buckets=[1] * (len(LAGS) + 1),
            lag_sum_s=0.5,
            lag_s=0.25,
        )
        self.say(
            self.other,
            {"received_bytes": 6, "open": 2, "accepted": 2},
            {"received": 1, "refused": {"own source port": 2}},
            lag_s=0.5,
        )
        full = self.full()
        sessions, datagrams = full["services"]
        self.assertEqual(sessions["address"], "127.0.0.1:40000")
        self.assertEqual(datagrams["address"], "127.0.0.1:40000")
        self.assertEqual(
            (sessions["received_bytes"], sessions["open"], sessions["accepted"]), (11, 3, 5)
        )
        self.assertEqual(sessions["max_connections"], 10)
        self.assertEqual(sessions["ended"], {"goodbye": 2})
        self.assertEqual(
            (datagrams["received"], datagrams["refused"]["own_source_port"]), (8, 3)
        )
        self.assertEqual((full["lag_s"], full["lag_sum_s"]), (0.5, 0.5))
        self.assertEqual(full["lag_buckets"], [1] * (len(LAGS) + 1))
        self.assertEqual(
            full["workers"],
            [
                {"worker": "1", "process": 1000, "serves": True},
                {"worker": "2", "process": 1001, "serves": True},
            ],
        )

    def test_neverLess(self) -> None:
        """
        The counts do not become lower when a worker dies or is replaced.
        """
        for process in (self.one, self.other):
            self.say(process, {"accepted": 3, "open": 1, "ended": {"goodbye": 2}}, {})
        self.one.end(signal=9)
        for _ in range(2):
            sessions, _ = self.full()["services"]
            self.assertEqual((sessions["accepted"], sessions["open"]), (6, 1))
            self.assertEqual(sessions["ended"], {"goodbye": 4, "lost_with_its_worker": 1})
        self.say(self.reactor.alive[-1], {"accepted": 1, "open": 1}, {})
        sessions, _ = self.full()["services"]
        self.assertEqual((sessions["accepted"], sessions["open"]), (7, 2))
        self.assertEqual(self.whole.deaths, 1)

    def test_sessions(self) -> None:
        """
        The busiest and the newest sessions are those of all workers.
        """
        rows = [
            {
                "peer": str(number),
                "received_bytes_per_s": number,
                "received_bytes": 0,
                "since_unix_s": -number,
            }
            for number in range(60)
        ]
        for process, some in ((self.one, rows[::2]), (self.other, rows[1::2])):
            process.say(
                services=[ofSessions(), ofDatagrams()],
                sessions={"open": len(some), "busiest": some, "newest": some},
            )
        self.assertEqual(self.service.sessions, 60)
        sessions = self.full()["sessions"]
        self.assertEqual(sessions["open"], 60)
        peers = [str(number) for number in range(60)]
        self.assertEqual([row["peer"] for row in sessions["busiest"]], peers[:9:-1])
        self.assertEqual([row["peer"] for row in sessions["newest"]], peers[:50])

    def test_history(self) -> None:
        """
        The traffic of each second is that of all workers together.
        """
        for process in (self.one, self.other):
            process.say(
                services=[ofSessions(), ofDatagrams()],
                history=[{"bytes_per_s": [[5, 5], [1, 0]], "lag_s": 0, "time_unix_s": 0}],
                lag_s=0.125,
            )
        (entry,) = self.full()["history"]
        self.assertEqual(
            entry, {"time_unix_s": 1001, "lag_s": 0.125, "bytes_per_s": [[10, 10], [2, 0]]}
        )

    def test_impairments(self) -> None:
        """
        The impairments of each worker are shown; each has its own seed.
        """
        self.say(self.one, {"impairments": "delay=1ms,seed=1"}, {})
        self.say(self.other, {"impairments": "delay=1ms,seed=2"}, {})
        sessions, datagrams = self.full()["services"]
        self.assertEqual(sessions["impairments"], "delay=1ms,seed=1; delay=1ms,seed=2")
        self.assertIsNone(datagrams["impairments"])

    def test_ready(self) -> None:
        """
        The service is ready when all workers serve.
        """
        self.say(self.one, {}, {})
        self.assertFalse(self.service.ready)
        self.say(self.other, {}, {})
        self.assertTrue(self.service.ready)
        self.assertEqual(self.full()["unready"], [])

    def test_stop(self) -> None:
        """
        A stop first closes the ports, then ends the workers. Until they have ended, the
        status page shows the service as draining.
        """
        listening = [port.listening for port in self.endpoint.ports]
        self.assertEqual(listening, [True, True])
        self.patch(
            self.one,
            "signalProcess",
            lambda name: listening.append(self.endpoint.ports[0].listening),
        )
        stopped = self.service.stopService()
        self.assertEqual((listening[2:], self.other.signals), ([False], ["TERM"]))
        full = self.full()
        self.assertTrue(full["draining"])
        self.assertEqual([each["state"] for each in full["services"]], ["draining"] * 2)
        self.one.end()
        self.assertNoResult(stopped)
        self.other.end()
        self.successResultOf(stopped)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        self.assertEqual(self.whole.services[0]["state"], "stopped")

    def test_cut(self) -> None:
        """
        All workers get the signal to cut their sessions.
        """
        self.service.abort()
        self.assertEqual((self.one.signals, self.other.signals), (["INT"], ["INT"]))

    def test_reopen(self) -> None:
        """
        The session log is reopened in the parent first, then in the workers.
        """
        before: list[list[str | int]] = []
        self.service.onReopen.append(lambda: before.append([*self.other.signals]))
        self.other.say()
        self.service.reopen()
        self.assertEqual((before, self.other.signals), ([[]], [signal.SIGUSR1]))

    def test_reload(self) -> None:
        """
        A reload reopens the session log, and replaces the workers.
        """
        self.other.say()
        self.service.reload()
        self.assertEqual(self.other.signals, [signal.SIGUSR1])
        self.reactor.advance(0)
        self.assertEqual(len(self.reactor.alive), 3)
        self.service.stopService()
        for process in self.reactor.alive:
            process.end()
