"""
Reports that are redrawn on the terminal during a measurement.  They need rich, which
the C{plot} extra installs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO, cast

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from echod.client.exitstatus import USAGE, ClientError, Outcome
from echod.client.ping.addresses import Addresses
from echod.client.ping.plan import Plan
from echod.client.ping.reports.output import OutputFile
from echod.client.ping.reports.plot import graph, histogram
from echod.client.ping.reports.report import Print, Quiet, Summary
from echod.client.ping.tracking.events import Event, Kind
from echod.client.target import Target
from echod.net.extras import needed

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

REFRESH = 0.25
"""
The time between two drawings, in seconds: it looks alive, and costs little.
"""

LONG = 5.0
"""
The length of a run, in seconds, from which it has a progress bar.
"""

HEIGHT = 10
BINS = 8
MARGIN = 16
"""
The number of columns for the labels beside a graph.
"""


def isLong(plan: Plan) -> bool:
    """
    @return: True if a run is long enough for a progress bar.
    """
    return plan.probes is not None and plan.probes * plan.interval >= LONG


class Live(Quiet):
    """
    A report that is redrawn several times a second.

    @ivar drawing: Returns the current drawing.
    """

    drawing: Callable[[], RenderableType]

    def __init__(
        self,
        write: Print,
        reactor: IReactorTime,
        file: OutputFile | None = None,
        console: Console | None = None,
    ) -> None:
        """
        @param file: The terminal to draw on.

        @param console: Draws; L{None} for a new one.

        @raise ClientError: if rich is not installed.
        """
        super().__init__(write)
        try:
            from rich import live
            from rich.console import Console
        except ImportError:
            raise ClientError(Outcome(USAGE, needed("plot"))) from None
        self._file = file
        # rich only writes to the file, and asks whether it is a terminal.
        self._console = console or Console(file=cast(TextIO, file))
        self._live = live.Live(console=self._console, auto_refresh=False)
        self._refreshing = LoopingCall(self._refresh)
        self._refreshing.clock = reactor

    def opened(self, target: Target, addresses: Addresses | None) -> None:
        """
        Start drawing.
        """
        super().opened(target, addresses)
        self._live.start()
        self._refreshing.start(REFRESH)

    def finished(self, summaries: Sequence[Summary]) -> None:
        """
        Print the summary below the last drawing.
        """
        self.stop()
        super().finished(summaries)

    def stop(self) -> None:
        """
        Stop drawing.
        """
        if self._refreshing.running:
            self._refreshing.stop()
            self._draw()
            self._live.stop()

    def _refresh(self) -> None:
        if self._file is None or not self._file.isBehind:
            self._draw()

    def _draw(self) -> None:
        self._live.update(self.drawing(), refresh=True)


class Plot(Live):
    """
    Draws a graph of the latest round-trip times, and their histogram.
    """

    _recent: deque[float | None]

    def opened(self, target: Target, addresses: Addresses | None) -> None:
        """
        Start drawing.
        """
        self._recent = deque(maxlen=max(self._console.width - MARGIN, 1))
        super().opened(target, addresses)

    def observe(self, target: Target, event: Event) -> None:
        """
        Add a round trip or a loss.
        """
        if event.roundTrip is not None:
            self._recent.append(event.roundTrip / 1000)
        elif event.kind is Kind.LOST:
            self._recent.append(None)

    def drawing(self) -> RenderableType:
        """
        @return: The graph and the histogram.
        """
        from rich.text import Text

        values = [value for value in self._recent if value is not None]
        width = max(self._console.width - 2 * MARGIN, 1)
        rows = [*graph(self._recent, HEIGHT), "", *histogram(values, BINS, width)]
        return Text("\n".join(rows), no_wrap=True)


class Progress(Live):
    """
    Draws a progress bar for a run with a count.
    """

    _sent = 0
    _lost = 0

    def observe(self, target: Target, event: Event) -> None:
        """
        Count probes and losses.
        """
        self._sent += event.kind is Kind.SENT
        self._lost += event.kind is Kind.LOST

    def drawing(self) -> RenderableType:
        """
        @return: The progress bar.
        """
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        count = self._plan.probes or 1
        table = Table.grid(padding=(0, 1))
        table.add_row(
            ProgressBar(count, self._sent, width=40),
            f"{self._sent}/{count}, {self._lost} lost",
        )
        return table
