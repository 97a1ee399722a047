"""
Tests for L{echod.client.ping.reports.plot} and L{echod.client.ping.reports.live}.
"""

from __future__ import annotations

import sys
from io import StringIO
from types import SimpleNamespace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import ClientError
from echod.client.ping.plan import Plan
from echod.client.ping.reports.live import Plot, Progress, isLong
from echod.client.ping.reports.plot import graph, histogram
from echod.net.extras import needed
from tests.support import clock, lacking
from tests.support.pingruns import ADDRESSES, EVENTS, TARGET, summarised


class PictureTests(SynchronousTestCase):
    """
    Tests for L{graph} and L{histogram}.
    """

    def test_graph(self) -> None:
        """
        Each value is a column, as high as it is great; a lost one is marked.
        """
        self.assertEqual(
            graph([1000.0, 2000.0, None, 1500.0, 1.0], 2),
            ["     2.000 ms  █ ▄ ", "     1.000 ms ██x█▁"],
        )
        self.assertEqual(graph([], 1), ["     0.001 ms "])

    def test_histogram(self) -> None:
        """
        Each value is counted once.
        """
        self.assertEqual(
            histogram([1000.0, 1100.0, 1200.0, 2000.0], 2, 3),
            ["     1.000 ms ███ 3", "     1.500 ms █ 1"],
        )
        self.assertEqual(histogram([], 2, 3), [])
        self.assertEqual(histogram([5.0], 2, 3)[0], "     0.005 ms ███ 1")


class LiveTests(SynchronousTestCase):
    """
    Tests for what moves.
    """

    def setUp(self) -> None:
        try:
            from rich.console import Console
        except ImportError:
            lacking("rich")
        self.clock = clock()
        self.drawn = StringIO()
        self.console = Console(
            file=self.drawn, force_terminal=True, width=80, height=40, legacy_windows=False
        )
        self.lines: list[str] = []

    def run_(self, kind: type[Plot] | type[Progress]) -> str:
        """
        @return: The drawing of a run.
        """
        live = kind(self.lines.append, self.clock, console=self.console)
        live.started(Plan(10), "UDP")
        live.opened(TARGET, ADDRESSES)
        for event in EVENTS:
            live.observe(TARGET, event)
        self.clock.advance(0.25)
        live.finished([summarised(64, 64)])
        live.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.lines[-1], "it:7: 1 did not come back in time")
        return self.drawn.getvalue()

    def test_plot(self) -> None:
        """
        A plot shows the round trips, and what was lost.
        """
        drawn = self.run_(Plot)
        self.assertIn("1043.500 ms   █", drawn)
        self.assertIn("▁▁█x", drawn)
        self.assertIn("██ 2", drawn)

    def test_progress(self) -> None:
        """
        A bar shows how far it is.
        """
        self.assertIn("1/10, 1 lost", self.run_(Progress))

    def test_slowReader(self) -> None:
        """
        Nothing is drawn while the reader has not read the drawing before, except the last one.
        """
        file: Any = SimpleNamespace(isBehind=True)
        plot = Plot(self.lines.append, self.clock, file, self.console)
        plot.started(Plan(10), "UDP")
        plot.opened(TARGET, ADDRESSES)
        for event in EVENTS:
            plot.observe(TARGET, event)
        self.clock.advance(1)
        self.assertNotIn("1043.500 ms", self.drawn.getvalue())
        file.isBehind = False
        self.clock.advance(0.25)
        self.assertIn("1043.500 ms", self.drawn.getvalue())
        plot.stop()

    def test_missing(self) -> None:
        """
        Without rich, one line says what is missing.
        """
        self.addCleanup(sys.modules.__setitem__, "rich.console", sys.modules["rich.console"])
        sys.modules["rich.console"] = None  # type: ignore[assignment]
        ended = self.assertRaises(ClientError, Plot, self.lines.append, self.clock)
        self.assertEqual((ended.outcome.status, ended.outcome.message), (2, needed("plot")))

    def test_long(self) -> None:
        """
        A bar is for runs that take long enough to see it.
        """
        self.assertTrue(isLong(Plan(10, 1.0)))
        self.assertFalse(isLong(Plan(10, 0.1)))
        self.assertFalse(isLong(Plan(None, 1.0)))
