"""
Tests for L{echod.status.monitor}.
"""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.service.echoservice import EchoService, ListeningService
from echod.status.monitor import Monitor
from echod.tcp.echo import EchoFactory
from tests.service.test_echoservice import Endpoint
from tests.support import UNTIMED, clock, connect


class MonitorTests(SynchronousTestCase):
    """
    Tests for L{Monitor}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.echo = EchoService(self.clock)
        self.factory = EchoFactory(self.clock, limits=UNTIMED)
        ListeningService("127.0.0.1:0", Endpoint(), self.factory).setServiceParent(self.echo)
        self.monitor = Monitor(self.clock, self.echo, lambda: 1000 + self.clock.seconds())
        self.monitor.setServiceParent(self.echo.observers)
        self.clock.advance(10)
        self.echo.startService()

    def full(self) -> Any:
        """
        @return: Everything there is to see.
        """
        return json.loads(self.monitor.full)

    def test_looks(self) -> None:
        """
        There is a look at everything once a second, which whoever wants to is
        told of.
        """
        looks: list[object] = []
        self.monitor.listeners.add(lambda: looks.append(None))
        self.clock.pump([0.5] * 6)
        self.assertEqual(len(looks), 3)

    def test_full(self) -> None:
        """
        It shows what there is, with times by the wall clock, and how busy each
        session was in the second before.
        """
        session, _ = connect(self.factory)
        session.dataReceived(b"x" * 100)
        self.clock.advance(1)
        session.dataReceived(b"x" * 20)
        self.clock.advance(1)
        full = self.full()
        self.assertEqual((full["started"], full["time"]), (1010, 1012))
        self.assertEqual(
            (full["reactor"], full["unready"], full["draining"]), ("Clock", [], False)
        )
        (row,) = full["sessions"]["busiest"]
        self.assertEqual((row["since"], row["bytesPerSecond"]), (1010, 20))
        self.assertEqual(
            [entry["rates"] for entry in full["history"]], [[[100, 100]], [[20, 20]]]
        )
        self.assertEqual([each["service"] for each in full["services"]], ["TCP echo"])

    def test_firstSight(self) -> None:
        """
        A session that came after the look counts as idle.
        """
        connect(self.factory)[0].dataReceived(b"x")
        self.assertEqual(self.full()["sessions"]["newest"][0]["bytesPerSecond"], 0)

    def test_once(self) -> None:
        """
        However many look, everything is put into words once a look.
        """
        for words in ("full", "latest"):
            first = getattr(self.monitor, words)
            connect(self.factory)
            self.assertIs(getattr(self.monitor, words), first)
            self.clock.advance(1)
            self.assertNotEqual(getattr(self.monitor, words), first)

    def test_latest(self) -> None:
        """
        Who has seen the history is shown what is new in it.
        """
        for expected in ([], [1011], [1012]):
            latest = json.loads(self.monitor.latest)
            self.assertEqual([entry["time"] for entry in latest["history"]], expected)
            self.clock.advance(1)

    def test_lag(self) -> None:
        """
        That a look comes late is the lag of the reactor; early is no lag.
        """
        self.clock.advance(1.25)
        self.assertEqual(self.monitor.lag, 0.25)
        self.assertEqual(self.full()["lag"], 0.25)
        self.clock.advance(1)
        self.assertEqual(self.monitor.lag, 0)

    def test_draining(self) -> None:
        """
        It looks on while sessions are served to their end, and no longer.
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
        There is nothing to stop in a monitor that does not look.
        """
        Monitor(self.clock, self.echo).stopService()
