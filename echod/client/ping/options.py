"""
The options of C{echoc ping}.
"""

from __future__ import annotations

import re

from twisted.python import usage

from echod.client.commonoptions import ClientOptions
from echod.client.ping.plan import PERCENTILES, Plan
from echod.client.ping.probe import MAX_SIZE
from echod.client.values import positive, seconds
from echod.net.format import quoted
from echod.net.quantities import MOST, decimal, size, wholeNumber

LEAST_PERCENT = 0.0001
"""
The smallest percentile: one in a million.
"""


class PingOptions(ClientOptions):
    """
    C{echoc ping}.

    @ivar plan: The plan that the options describe.
    """

    command = "ping"
    patience = "1"
    several = True
    about = (
        "Measures: sends probes on schedule, and checks every byte that comes back. Several "
        "targets are measured at the same time."
    )
    plan: Plan

    optFlags = [
        ["tcp", None, "Use one TCP connection."],
        ["udp", None, "Use UDP datagrams (the default)."],
        ["anew", None, "With --tcp: open a new connection for each probe."],
        ["flood", None, "Send as fast as possible."],
        ["df", None, "Do not fragment datagrams: shows which size is too big for the path."],
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
        self["size"] = None
        self["count"] = self["interval"] = self["rate"] = None
        self["deadline"] = self["every"] = None
        self["histogram"] = ""
        self["percentiles"] = PERCENTILES

    @property
    def streams(self) -> bool:  # type: ignore[override]
        """
        Whether the target can be an endpoint description.
        """
        return bool(self["tcp"])

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

    def opt_interval(self, value: str) -> None:
        """
        Send a probe every DURATION; 50us is possible. [default: 1]
        """
        self["interval"] = seconds("--interval", value)

    def opt_rate(self, value: str) -> None:
        """
        Send NUMBER probes a second, instead of --interval.
        """
        self["rate"] = positive("--rate", value, "a number of probes a second")

    def opt_size(self, value: str) -> None:
        """
        Send probes of BYTES; 64-1472:64 sends each of these sizes in turn. [default: 64]
        """
        self["size"] = sizes(value)

    def opt_deadline(self, value: str) -> None:
        """
        End the run after DURATION, even if answers are due.
        """
        self["deadline"] = seconds("--deadline", value)

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
        Write how often each round-trip time occurred to FILE, as CSV.
        """
        self["histogram"] = value

    opt_w = opt_deadline
    opt_c = opt_count
    opt_i = opt_interval
    opt_s = opt_size

    def postOptions(self) -> None:
        """
        Check that the options fit together, and make the plan.
        """
        super().postOptions()
        self._onlyOne("tcp", "udp")
        self._onlyOne("interval", "rate", "flood")
        self._onlyOne("json", "json-lines", "csv", "plot")
        if self["anew"] and not self["tcp"]:
            raise usage.UsageError("--anew is for connections: give --tcp as well")
        for name in ("tcp", "size", "count", "interval", "rate", "flood", "plot"):
            self._onlyOne("mtu", name)
        for name in ("plot", "histogram"):
            if self[name] and len(self["targets"]) > 1:
                raise usage.UsageError(f"--{name} is for one target")
        if self["tcp"]:
            if self["df"]:
                raise usage.UsageError("--df is for datagrams, not for --tcp")
            if 0 in self._sizes():
                raise usage.UsageError("--size 0: a stream cannot carry nothing")
        self.plan = Plan(
            self._count(),
            self._interval(),
            self._sizes(),
            self["timeout"],
            self["deadline"],
            self["percentiles"],
        )

    def _count(self) -> int | None:
        count: int | None = self["count"]
        if count is None and len(self._sizes()) > 1:
            return len(self._sizes())
        return count

    def _sizes(self) -> tuple[int, ...]:
        return self["size"] or (64,)

    def _interval(self) -> float:
        if self["flood"] or self["mtu"]:
            return 0.0
        if self["rate"]:
            return 1 / float(self["rate"])
        return self["interval"] or 1.0

    def _onlyOne(self, *names: str) -> None:
        given = [f"--{name}" for name in names if self[name]]
        if len(given) > 1:
            raise usage.UsageError(f"{given[0]} does not go with {given[1]}")


def sizes(value: str) -> tuple[int, ...]:
    """
    Parse a size or a range of sizes, C{FIRST-LAST:STEP}.

    @raise usage.UsageError: for everything else.
    """
    match = re.fullmatch("([^-:]+)(?:-([^-:]+)(?::([^-:]+))?)?", value)
    try:
        if match is None:
            raise ValueError
        first = size(match[1])
        last = size(match[2] or match[1])
        step = size(match[3] or "1")
        if not first <= last <= MAX_SIZE or not step:
            raise ValueError
    except ValueError:
        raise usage.UsageError(
            f"--size {quoted(value)}: give bytes, 0 to {MAX_SIZE}, or a sweep, 64-1472:64"
        ) from None
    return tuple(range(first, last + 1, step))
