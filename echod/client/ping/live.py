"""
What moves on a terminal while a run of measuring lasts.  It is drawn by rich, which
the C{plot} extra brings.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall

from echod.client.exitstatus import USAGE, Ended, Outcome
from echod.client.ping.pinger import Plan
from echod.client.ping.plot import graph, histogram
from echod.client.ping.report import Print, Quiet
from echod.client.ping.tracker import Event, Kind

REFRESH = 0.25
"""
Between two pictures, in seconds: a person sees it move, and it costs little.
"""

LONG = 5.0
"""
From how many seconds on a run is long enough for a bar.
"""

HEIGHT = 10
BINS = 8
MARGIN = 16
"""
How many columns are left for what stands beside a graph.
"""

MISSING = "needs the plot extra of txechod (rich)"


def isLong(plan: Plan) -> bool:
    """
    @return: Whether it is worth while to show how far a run is.
    """
    return plan.count is not None and plan.count * plan.interval >= LONG


class Moving(Quiet):
    """
    What is drawn again and again.

    @ivar picture: Returns what to draw.
    """

    picture: Callable[[], Any]

    def __init__(self, write: Print, reactor: Any, console: Any = None) -> None:
        """
        @param console: Where to draw: a C{rich.console.Console}.

        @raise Ended: without rich.
        """
        super().__init__(write)
        try:
            from rich.console import Console
            from rich.live import Live
        except ImportError:
            raise Ended(Outcome(USAGE, MISSING)) from None
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False)
        self._refreshing = LoopingCall(self._refresh)
        self._refreshing.clock = reactor

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Draw from now on.
        """
        super().started(target, plan, protocol)
        self._live.start()
        self._refreshing.start(REFRESH)

    def finished(self, summary: dict[str, Any]) -> None:
        """
        Leave the last picture, and print the summary below it.
        """
        self.stop()
        super().finished(summary)

    def stop(self) -> None:
        """
        Draw no more.
        """
        if self._refreshing.running:
            self._refreshing.stop()
            self._refresh()
            self._live.stop()

    def _refresh(self) -> None:
        self._live.update(self.picture(), refresh=True)


class Plot(Moving):
    """
    A moving graph of the round-trip times, and their histogram.
    """

    def __init__(self, write: Print, reactor: Any, console: Any = None) -> None:
        super().__init__(write, reactor, console)
        self._recent: deque[float | None] = deque(maxlen=max(self._console.width - MARGIN, 1))

    def happened(self, event: Event) -> None:
        """
        Take it into the picture.
        """
        if event.roundTrip is not None:
            self._recent.append(event.roundTrip / 1000)
        elif event.kind is Kind.LOST:
            self._recent.append(None)

    def picture(self) -> Any:
        """
        @return: The graph and the histogram.
        """
        from rich.text import Text

        values = [value for value in self._recent if value is not None]
        width = max(self._console.width - 2 * MARGIN, 1)
        rows = [*graph(self._recent, HEIGHT), "", *histogram(values, BINS, width)]
        return Text("\n".join(rows), no_wrap=True)


class Progress(Moving):
    """
    A bar, for a run that is counted.
    """

    def __init__(self, write: Print, reactor: Any, console: Any = None) -> None:
        super().__init__(write, reactor, console)
        self._sent = 0
        self._lost = 0

    def started(self, target: object, plan: Plan, protocol: str) -> None:
        """
        Draw from now on.
        """
        self._count = plan.count or 1
        super().started(target, plan, protocol)

    def happened(self, event: Event) -> None:
        """
        Take note.
        """
        self._sent += event.kind is Kind.SENT
        self._lost += event.kind is Kind.LOST

    def picture(self) -> Any:
        """
        @return: The bar.
        """
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        table = Table.grid(padding=(0, 1))
        table.add_row(
            ProgressBar(self._count, self._sent, width=40),
            f"{self._sent}/{self._count}, {self._lost} lost",
        )
        return table
