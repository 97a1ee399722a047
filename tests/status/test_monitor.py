"""
Tests for L{echod.status.monitor}.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from socket import gethostname
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import DENIED
from echod.service.echoservice import EchoService
from echod.status.monitor import Monitor
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import UNTIMED, clock, connect
from tests.support.service import listenFor

DOCS = Path(__file__).parents[2] / "docs"


def keys(data: Any) -> Iterator[str]:
    """
    @return: All keys of all objects in data from JSON.
    """
    if isinstance(data, dict):
        yield from data
        data = list(data.values())
    if isinstance(data, list):
        for value in data:
            yield from keys(value)


class MonitorTests(SynchronousTestCase):
    """
    Tests for L{Monitor}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.echo = EchoService(self.clock)
        self.factory = EchoFactory(self.clock, limits=UNTIMED)
        listenFor(self.echo, self.factory)
        self.monitor = Monitor(self.clock, self.echo, lambda: 1000 + self.clock.seconds())
        self.monitor.setServiceParent(self.echo.observers)
        self.clock.advance(10)
        self.echo.startService()

    def full(self) -> Any:
        """
        @return: Everything that the monitor shows.
        """
        return json.loads(self.monitor.full)

    def test_looks(self) -> None:
        """
        The monitor looks once a second, and calls its listeners after each look.
        """
        looks: list[object] = []
        self.monitor.listeners.add(lambda: looks.append(None))
        self.clock.pump([0.5] * 6)
        self.assertEqual(len(looks), 3)

    def test_full(self) -> None:
        """
        The monitor shows all services and sessions, with wall-clock times and the rates
        of the last second.
        """
        session, _ = connect(self.factory)
        session.dataReceived(b"x" * 100)
        self.clock.advance(1)
        session.dataReceived(b"x" * 20)
        self.clock.advance(1)
        full = self.full()
        self.assertEqual(
            [full[f"{key}_s"] for key in ("started_unix", "time_unix", "uptime")],
            [1010, 1012, 2],
        )
        self.assertEqual(
            [full[key] for key in ("reactor", "host", "unready", "draining")],
            ["Clock", gethostname(), [], False],
        )
        (row,) = full["sessions"]["busiest"]
        self.assertEqual((row["since_unix_s"], row["received_bytes_per_s"]), (1010, 20))
        self.assertEqual(
            [entry["bytes_per_s"] for entry in full["history"]], [[[100, 100]], [[20, 20]]]
        )
        self.assertEqual([each["service"] for each in full["services"]], ["TCP echo"])

    def test_lateRate(self) -> None:
        """
        The rate is per second, also if a look is late.
        """
        connect(self.factory)[0].dataReceived(b"x" * 100)
        self.clock.advance(2)
        self.assertEqual(self.full()["sessions"]["busiest"][0]["received_bytes_per_s"], 50)

    def test_firstSight(self) -> None:
        """
        A session that has started since the latest look has the rate 0.
        """
        connect(self.factory)[0].dataReceived(b"x")
        self.assertEqual(self.full()["sessions"]["newest"][0]["received_bytes_per_s"], 0)

    def test_once(self) -> None:
        """
        The JSON is made once for each look.
        """
        for name in ("full", "latest"):
            first = getattr(self.monitor, name)
            connect(self.factory)
            self.assertIs(getattr(self.monitor, name), first)
            self.clock.advance(1)
            self.assertNotEqual(getattr(self.monitor, name), first)

    def test_latest(self) -> None:
        """
        The latest state has only the newest entry of the history.
        """
        for expected in ([], [1011], [1012]):
            latest = json.loads(self.monitor.latest)
            self.assertEqual([entry["time_unix_s"] for entry in latest["history"]], expected)
            self.clock.advance(1)

    def test_keys(self) -> None:
        """
        C{jq} takes every key without quotes, and docs/status.rst explains it.
        """
        echo = EchoService(self.clock)
        listenFor(echo, self.factory, UDPEchoProtocol(self.clock))
        monitor = Monitor(self.clock, echo)
        monitor.setServiceParent(echo.observers)
        echo.startService()
        connect(self.factory)
        self.clock.advance(1)
        page = (DOCS / "status.rst").read_text()
        names = set(keys(json.loads(monitor.full)))
        self.assertIn("received_bytes_per_s", names)
        for name in names:
            self.assertRegex(name, r"^[a-z]+(_[a-z]+)*$")
            self.assertIn(f"``{name}``", page)

    def test_report(self) -> None:
        """
        A report for another process has the reasons in the words of the metrics.
        """
        self.factory.refusals.add(DENIED, "192.0.2.1:40000")
        report, latest = json.loads(self.monitor.report), json.loads(self.monitor.latest)
        self.assertEqual(report["services"][0].pop("refused"), {"denied address": 1})
        self.assertEqual(latest["services"][0].pop("refused"), {"denied_address": 1})
        self.assertEqual(report, latest)

    def test_lag(self) -> None:
        """
        The lag is how late a look is; a look that is on time or early has the lag 0.
        """
        self.clock.advance(1.25)
        self.assertEqual(self.monitor.lag, 0.25)
        self.assertEqual(self.full()["lag_s"], 0.25)
        self.clock.advance(1)
        self.assertEqual(self.monitor.lag, 0)
        (timer,) = self.clock.getDelayedCalls()
        timer.reset(0.5)
        self.clock.advance(0.5)
        self.assertEqual(self.monitor.lag, 0)

    def test_draining(self) -> None:
        """
        The monitor looks while sessions drain, and stops after them.
        """
        _, transport = connect(self.factory)
        stopped = self.echo.stopService()
        self.clock.advance(1)
        full = self.full()
        self.assertTrue(full["draining"])
        self.assertEqual(full["unready"], ["TCP echo on 127.0.0.1:40000 is draining"])
        transport.connectionDone()
        self.successResultOf(stopped)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopWithoutStart(self) -> None:
        """
        A monitor that has not started can be stopped.
        """
        Monitor(self.clock, self.echo).stopService()
