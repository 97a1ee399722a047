"""
The options of all commands that send probes.
"""

from __future__ import annotations

import re

from twisted.python import usage

from echod.client.commonoptions import ClientOptions
from echod.client.ping.tracking.probe import MAX_SIZE
from echod.client.target import Target
from echod.client.udpsocket import NO_FRAGMENTS
from echod.client.values import positive, seconds
from echod.net.descriptions import socketPath
from echod.net.format import quoted
from echod.net.quantities import SIZE_HELP, size

PROBES = ("tcp", "udp", "anew", "size", "df", "interval", "rate")
"""
The options about the probes.
"""

DEFAULT_SIZES = (64,)
"""
The sizes of probes without C{--size}: the one of ping.
"""


class ProbeOptions(ClientOptions):
    """
    The options about the probes and their sockets.
    """

    patience = "1"
    several = True

    optFlags = [
        ["tcp", None, "Use one TCP connection."],
        ["udp", None, "Use UDP datagrams (the default)."],
        ["anew", None, "With --tcp: open a new connection for each probe."],
        ["df", None, "Do not fragment datagrams: shows which size is too big for the path."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["size"] = self["interval"] = self["rate"] = None
        self.argumentHelp["BYTES"] = SIZE_HELP

    @property
    def streams(self) -> bool:  # type: ignore[override]
        """
        True if the target can be an endpoint description.
        """
        return bool(self["tcp"])

    @property
    def protocol(self) -> str:
        """
        The protocols that carry the probes.
        """
        return " and ".join(sorted(set(map(self.protocolOf, self["targets"]))))

    def protocolOf(self, target: Target) -> str:
        """
        @return: The protocol that carries the probes of a target.
        """
        if not self["tcp"]:
            return "UDP"
        return "TCP" if socketPath(str(target)) is None else "UNIX"

    @property
    def discovery(self) -> int | None:
        """
        The datagrams that may be fragmented, as for C{ConnectedPort}.
        """
        return NO_FRAGMENTS if self["df"] else None

    @property
    def sizes(self) -> tuple[int, ...]:
        """
        The sizes of the probes, used in turn.
        """
        return self["size"] or DEFAULT_SIZES

    @property
    def interval(self) -> float:
        """
        The time between two probes, in seconds.
        """
        if self["rate"]:
            return 1 / float(self["rate"])
        return self["interval"] or 1.0

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
        self["size"] = parseSizes(value)

    opt_i = opt_interval
    opt_s = opt_size

    def postOptions(self) -> None:
        """
        Check that the options fit together.
        """
        super().postOptions()
        self.onlyOne("tcp", "udp")
        self.onlyOne("interval", "rate")
        if self["anew"] and not self["tcp"]:
            raise usage.UsageError("--anew is for connections: give --tcp as well")
        if self["tcp"]:
            if self["df"]:
                raise usage.UsageError("--df is for datagrams, not for --tcp")
            if 0 in self.sizes:
                raise usage.UsageError("--size 0: a stream cannot carry nothing")

    def onlyOne(self, *names: str) -> None:
        """
        Check that at most one of several options is given.
        """
        given = [f"--{name}" for name in names if self[name]]
        if len(given) > 1:
            raise usage.UsageError(f"{given[0]} does not go with {given[1]}")


def parseSizes(value: str) -> tuple[int, ...]:
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
