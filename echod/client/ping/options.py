"""
The options of C{echoc ping}.
"""

from __future__ import annotations

from twisted.python import usage

from echod.client.commonoptions import SOCKETS
from echod.client.ping.plan import PERCENTILES, Limits, Plan
from echod.client.ping.probeoptions import PROBES, ProbeOptions
from echod.client.udpsocket import PROBE_PATH
from echod.client.values import seconds
from echod.net.format import quoted
from echod.net.quantities import MOST, decimal, wholeNumber

LEAST_PERCENT = 0.0001
"""
The smallest percentile: one in a million.
"""

NOT_WITH_MTU = (
    *("tcp", "size", "count", "for", "interval", "rate", "flood", "plot"),
    *("max-loss", "max-rtt"),
)
"""
The options that do not go with C{--mtu}: the search decides about the probes.
"""


class PingOptions(ProbeOptions):
    """
    C{echoc ping}.

    @ivar plan: The plan that the options describe.
    """

    command = "ping"
    longdesc = (
        "Measures: sends probes on schedule, and checks every byte that comes back. Several "
        "targets are measured at the same time."
    )
    plan: Plan

    groups = {
        "What to send": (*PROBES, "count", "for", "flood", "mtu"),
        "How long to wait": ("timeout", "deadline"),
        "What is too much": ("max-loss", "max-rtt"),
        "What to print": (
            *("quiet", "every", "percentiles", "histogram", "time-of-day", "plot", "csv"),
            *("json", "json-lines"),
        ),
        "Sockets": SOCKETS,
    }

    optFlags = [
        ["flood", None, "Send as fast as possible."],
        ["mtu", None, "Search for the path MTU, and print it."],
        ["quiet", "q", "Print no line for each probe."],
        ["plot", None, "Draw a live graph (needs the plot extra of txechod)."],
        ["json", None, "Print one JSON object at the end."],
        ["json-lines", None, "Print a JSON object for each probe, and one at the end."],
        ["csv", None, "Print a line of CSV for each probe."],
        ["time-of-day", "D", "Begin each line with the time of day, in seconds since 1970."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["count"] = self["deadline"] = self["every"] = self["for"] = None
        self["max-loss"] = self["max-rtt"] = None
        self["histogram"] = ""
        self["percentiles"] = PERCENTILES

    @property
    def discovery(self) -> int | None:
        """
        The datagrams that may be fragmented.
        """
        return PROBE_PATH if self["mtu"] else super().discovery

    @property
    def interval(self) -> float:
        """
        The time between two probes, in seconds.
        """
        return 0.0 if self["flood"] or self["mtu"] else super().interval

    def opt_count(self, value: str) -> None:
        """
        Send NUMBER probes; without it, send until Ctrl-C.
        """
        try:
            self["count"] = wholeNumber(value, 1)
        except ValueError:
            raise usage.UsageError(
                f"--count {quoted(value)}: give a number from 1 to {MOST}"
            ) from None

    def opt_deadline(self, value: str) -> None:
        """
        End the run after DURATION, even if answers are due.
        """
        self["deadline"] = seconds("--deadline", value)

    def opt_for(self, value: str) -> None:
        """
        Send for DURATION, then wait for the last answers.
        """
        self["for"] = seconds("--for", value)

    def opt_max_loss(self, value: str) -> None:
        """
        Exit with status 1 if more than PERCENT of the probes have no answer in time.
        """
        try:
            self["max-loss"] = decimal(value.removesuffix("%"), 0, 100)
        except ValueError:
            raise usage.UsageError(
                f"--max-loss {quoted(value)}: give a percentage from 0 to 100"
            ) from None

    def opt_max_rtt(self, value: str) -> None:
        """
        Exit with status 1 if the average round trip is longer than DURATION.
        """
        self["max-rtt"] = seconds("--max-rtt", value)

    def opt_every(self, value: str) -> None:
        """
        Print interim statistics every DURATION, as Ctrl-\\ does.
        """
        self["every"] = seconds("--every", value)

    def opt_percentiles(self, value: str) -> None:
        """
        Print the percentiles in LIST of the round-trip times. [default: 50,90,99,99.9]
        """
        try:
            self["percentiles"] = tuple(
                decimal(each, LEAST_PERCENT, 100) for each in value.split(",")
            )
        except ValueError:
            raise usage.UsageError(
                f"--percentiles {quoted(value)}: give numbers from {LEAST_PERCENT} to 100 "
                "with commas between them, such as 50,99.9"
            ) from None

    def opt_histogram(self, value: str) -> None:
        """
        Write a CSV file, FILE, with the number of probes for each round-trip time.
        """
        self["histogram"] = value

    opt_w = opt_deadline
    opt_c = opt_count

    def postOptions(self) -> None:
        """
        Check that the options fit together, and make the plan.
        """
        super().postOptions()
        self.onlyOne("interval", "rate", "flood")
        self.onlyOne("json", "json-lines", "csv", "plot")
        for name in NOT_WITH_MTU:
            self.onlyOne("mtu", name)
        for name in ("plot", "histogram"):
            if self[name] and len(self["targets"]) > 1:
                raise usage.UsageError(f"--{name} is for one target")
        self.plan = Plan(
            self._count(),
            self.interval,
            self.sizes,
            self["timeout"],
            self["deadline"],
            self["percentiles"],
            self["for"],
            persistent=self["count"] is not None or self["for"] is not None,
        )

    @property
    def limits(self) -> Limits:
        """
        The limits for the result.
        """
        return Limits(self["max-loss"], self["max-rtt"])

    def _count(self) -> int | None:
        count: int | None = self["count"]
        if count is None and self["for"] is None and len(self.sizes) > 1:
            return len(self.sizes)
        return count
