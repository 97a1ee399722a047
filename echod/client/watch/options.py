"""
The options of C{echoc watch}.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from twisted.python import usage

from echod.client.commonoptions import SOCKETS
from echod.client.ping.plan import Plan
from echod.client.ping.probeoptions import PROBES, ProbeOptions
from echod.net.addresses import LOOPBACK, LOOPBACK6, MAX_PORT, parsed
from echod.net.format import quoted
from echod.net.quantities import wholeNumber

REMEMBERED_TIME = 60.0
"""
For how long settled probes are remembered, in seconds.
"""

FEWEST, MOST = 100, 10_000
"""
The limits for the number of probes that are remembered.  10,000 take a few megabytes.
"""

_PLACE = re.compile(r"(?:(?:\[([^]]*)\]|([^:]*)):)?([0-9]+)")


class Place(NamedTuple):
    """
    The address of the metrics.

    @ivar hosts: The addresses of this machine to listen on.

    @ivar port: The port; 0 for a free one.
    """

    hosts: tuple[str, ...]
    port: int


class WatchOptions(ProbeOptions):
    """
    C{echoc watch}.

    @ivar plan: The probes to send.  A run goes on without answers, but ends when its connection
        is lost.

    @ivar place: The address of the metrics.
    """

    command = "watch"
    longdesc = (
        "Probes for ever, checks every byte that comes back, and serves the results as "
        "metrics for Prometheus."
    )
    groups = {
        "What to send": PROBES,
        "How long to wait": ("timeout",),
        "What to serve": ("metrics",),
        "Sockets": SOCKETS,
    }
    plan: Plan
    place: Place

    def __init__(self) -> None:
        super().__init__()
        self["metrics"] = None
        self.argumentHelp["ADDRESS"] = (
            "A port of this machine (9101), or an address with a port (0.0.0.0:9101, "
            "[::]:9101). Port 0 is a free port."
        )

    def opt_metrics(self, value: str) -> None:
        """
        Serve the metrics at ADDRESS.  Required.
        """
        self["metrics"] = value
        self.place = parsePlace(value)

    def postOptions(self) -> None:
        """
        Check that the options fit together, and make the plan.
        """
        super().postOptions()
        if self["metrics"] is None:
            raise usage.UsageError("give --metrics with a port for Prometheus, such as 9101")
        for target in self["targets"]:
            if self["targets"].count(target) > 1:
                raise usage.UsageError(f"{target} is given twice")
        self.plan = Plan(
            interval=self.interval,
            sizes=self.sizes,
            timeout=self["timeout"],
            persistent=not self["tcp"] or bool(self["anew"]),
            remembered=min(max(round(REMEMBERED_TIME / self.interval), FEWEST), MOST),
        )


def parsePlace(value: str) -> Place:
    """
    Parse C{PORT}, C{V4:PORT} or C{[V6]:PORT}.

    @raise usage.UsageError: for everything else.
    """
    match = _PLACE.fullmatch(value)
    try:
        if match is None:
            raise ValueError
        port = wholeNumber(match[3], 0, MAX_PORT)
        host = match[1] or match[2]
        if host is None:
            return Place((LOOPBACK, LOOPBACK6), port)
        if parsed(host).version != (4 if match[1] is None else 6):
            raise ValueError
    except ValueError:
        raise usage.UsageError(
            f"--metrics {quoted(value)}: give a port, V4:PORT or [V6]:PORT, such as 9101, "
            "0.0.0.0:9101 or [::]:9101"
        ) from None
    return Place((host,), port)
