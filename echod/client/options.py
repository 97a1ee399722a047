"""
The command line of C{echoc}.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from getopt import GetoptError, gnu_getopt
from typing import Any

from twisted.internet.abstract import isIPAddress
from twisted.python import usage

from echod._version import __version__
from echod.client.ping.pinger import Plan
from echod.client.ping.probe import MAX_SIZE
from echod.client.target import LOOPBACK6, Address, parse
from echod.net.addresses import LOOPBACK
from echod.net.format import quoted
from echod.net.quantities import LONGEST_TIME, MOST, decimal, wholeNumber

GREETING_PORT = 9999

ECHO_PORT = 8080

SUMMARY = """
Exit status: 0 all came back; 1 some did not; 2 usage; 3 refused: nothing listens;
4 silent: dropped, filtered, or down; 5 what came back was not what was sent.
"""

TARGETS = (
    "TARGET is HOST, HOST:PORT, [V6]:PORT, a port of this machine, or {more} "
    "Without one it is 127.0.0.1:{port}, or [::1]:{port} with -6."
)

DESCRIPTIONS = (
    "a Twisted client endpoint description (tls:host:8443, unix:/run/echod.sock, "
    "tcp:host:port:timeout=3)."
)


class ClientOptions(usage.Options):
    """
    What the four clients have in common.

    @cvar port: The one of a target that has none.

    @cvar streams: Whether the target can be an endpoint description.
    """

    port = ECHO_PORT
    streams = True
    synopsis = "[options] [TARGET]"
    about = ""
    patience = "10"

    optFlags: list[list[str | None]] = [["ipv6", "6", "By IPv6 only."]]

    def __init__(self) -> None:
        super().__init__()
        self["timeout"] = float(self.patience)
        self.docs["timeout"] = f"{self.docs['timeout'].strip()} [default: {self.patience}]"

    @property
    def longdesc(self) -> str:
        """
        What C{--help} says.
        """
        more = DESCRIPTIONS if self.streams else "an address."
        return f"{self.about} {TARGETS.format(more=more, port=self.port)}"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the command line; options may also follow the target.

        @raise usage.UsageError: for what does not make sense.
        """
        options = list(options or ())
        # What cannot be read, the superclass says.
        with contextlib.suppress(GetoptError):
            given, targets = gnu_getopt(options, self.shortOpt, self.longOpt)
            options = [part for option in given for part in self._apart(*option)]
            options += ["--", *targets]
        super().parseOptions(options)

    def _apart(self, name: str, value: str) -> list[str]:
        takesValue = f"{name[1]}:" in self.shortOpt or f"{name[2:]}=" in self.longOpt
        return [name, value] if takesValue else [name]

    def opt_version(self) -> None:
        """
        Display the version and exit.
        """
        print(f"echoc {__version__}")
        raise SystemExit(0)

    def opt_timeout(self, value: str) -> None:
        """
        Wait at most SECONDS for what should come.
        """
        self["timeout"] = seconds("--timeout", value)

    opt_w = opt_timeout

    def parseArgs(self, *targets: str) -> None:
        """
        There is one target at most.
        """
        if len(targets) > 1:
            raise usage.UsageError(f"one TARGET only; {quoted(targets[1])} is too much")
        text = targets[0] if targets else str(self.port)
        try:
            target = parse(text, self.port, LOOPBACK6 if self["ipv6"] else LOOPBACK)
        except ValueError as error:
            raise usage.UsageError(f"{quoted(text)}: {error}") from None
        self["target"] = target

    def postOptions(self) -> None:
        """
        See whether the whole makes sense.
        """
        if isinstance(self["target"], Address):
            if self["ipv6"] and isIPAddress(self["target"].host):
                raise usage.UsageError(f"--ipv6 does not go with {self['target'].host}")
        else:
            if not self.streams:
                raise usage.UsageError(
                    f"{quoted(self['target'])}: datagrams go to HOST, HOST:PORT or [V6]:PORT"
                )
            if self["ipv6"]:
                raise usage.UsageError("--ipv6 does not go with an endpoint description")


class GreetOptions(ClientOptions):
    """
    C{echoc greet}.
    """

    port = GREETING_PORT
    about = "Connects, prints what the server says, and ends."


class TCPOptions(ClientOptions):
    """
    C{echoc tcp}.
    """

    about = (
        "At a terminal, a conversation: 'bye' or Ctrl-D ends it. Otherwise standard input goes "
        "out, and what comes back goes to standard output, byte for byte. (echod takes a line "
        "'bye' for the end, unless it runs with --no-goodbye.)"
    )


class UDPOptions(ClientOptions):
    """
    C{echoc udp}.
    """

    streams = False
    patience = "3"
    about = "The same in datagrams: each line is one, and waits for its answer."


class PingOptions(ClientOptions):
    """
    C{echoc ping}.  C{plan} is the L{Plan}.
    """

    patience = "1"
    about = "Measures: sends probes on schedule, and checks every byte of what comes back."

    optFlags = [
        ["tcp", None, "Over one TCP connection."],
        ["udp", None, "In UDP datagrams (the default)."],
        ["anew", None, "With --tcp: each probe on a connection of its own."],
        ["flood", None, "As fast as possible."],
        ["df", None, "Datagrams must not be fragmented: which size is too big for the path?"],
        ["quiet", "q", "No line for each probe."],
        ["plot", None, "A live picture (needs the plot extra of txechod)."],
        ["json", None, "Print one JSON object, at the end."],
        ["json-lines", None, "Print a JSON object for each probe, and one at the end."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["sizes"] = (64,)
        self["count"] = self["interval"] = self["rate"] = None

    @property
    def streams(self) -> bool:  # type: ignore[override]
        """
        Whether the target can be an endpoint description.
        """
        return bool(self["tcp"])

    def opt_count(self, value: str) -> None:
        """
        Send NUMBER probes; without it, until Ctrl-C.
        """
        try:
            self["count"] = wholeNumber(value, 1)
        except ValueError:
            raise usage.UsageError(
                f"--count {quoted(value)}: give a number from 1 to {MOST}"
            ) from None

    def opt_interval(self, value: str) -> None:
        """
        SECONDS from one probe to the next; 0.00005 is possible. [default: 1]
        """
        self["interval"] = seconds("--interval", value)

    def opt_rate(self, value: str) -> None:
        """
        Send NUMBER probes a second, instead of --interval.
        """
        self["rate"] = _number("--rate", value, "a number of probes a second")

    def opt_size(self, value: str) -> None:
        """
        Probes of so many BYTES; 64-1472:64 is a sweep, each in turn. [default: 64]
        """
        self["sizes"] = sizes(value)

    opt_c = opt_count
    opt_i = opt_interval
    opt_s = opt_size

    def postOptions(self) -> None:
        """
        See whether the whole makes sense, and what the plan is.
        """
        super().postOptions()
        self._one("tcp", "udp")
        self._one("interval", "rate", "flood")
        self._one("json", "json-lines", "plot")
        if self["anew"] and not self["tcp"]:
            raise usage.UsageError("--anew is for connections: give --tcp as well")
        if self["tcp"]:
            if self["df"]:
                raise usage.UsageError("--df is for datagrams, not for --tcp")
            if min(self["sizes"]) == 0:
                raise usage.UsageError("--size 0: a stream cannot carry nothing")
        if self["flood"]:
            interval = 0.0
        elif self["rate"]:
            interval = 1 / self["rate"]
        else:
            interval = self["interval"] or 1.0
        count = self["count"]
        if count is None and len(self["sizes"]) > 1:
            # A sweep is over when every size had its turn.
            count = len(self["sizes"])
        self.plan = Plan(count, interval, self["sizes"], self["timeout"])

    def _one(self, *names: str) -> None:
        given = [f"--{name}" for name in names if self[name]]
        if len(given) > 1:
            raise usage.UsageError(f"{given[0]} does not go with {given[1]}")


class Options(usage.Options):
    """
    C{echoc}.
    """

    synopsis = "Usage: echoc {greet|tcp|udp|ping} [options] [TARGET]"

    longdesc = "Clients of an echo server, and one that measures."

    subCommands = [
        ["greet", None, GreetOptions, "Print what a server says."],
        ["tcp", None, TCPOptions, "A conversation, or a pipe."],
        ["udp", None, UDPOptions, "The same in datagrams."],
        ["ping", None, PingOptions, "Measure."],
    ]

    opt_version = ClientOptions.opt_version

    def postOptions(self) -> None:
        """
        There is a subcommand.
        """
        if self.subCommand is None:
            raise usage.UsageError("which one? greet, tcp, udp or ping")

    def getUsage(self, width: int | None = None) -> str:
        """
        What C{--help} shows.
        """
        return super().getUsage(width) + SUMMARY


def seconds(option: str, value: str) -> float:
    """
    @raise usage.UsageError: for what is not a time that can be waited for.
    """
    return _number(option, value, "seconds")


def sizes(value: str) -> tuple[int, ...]:
    """
    @param value: A size, or C{FIRST-LAST:STEP}.

    @raise usage.UsageError: for what is neither.
    """
    match = re.fullmatch("([^-:]+)(?:-([^-:]+)(?::([^-:]+))?)?", value)
    try:
        if match is None:
            raise ValueError
        first = wholeNumber(match[1], 0, MAX_SIZE)
        last = wholeNumber(match[2] or match[1], first, MAX_SIZE)
        step = wholeNumber(match[3] or "1", 1)
    except ValueError:
        raise usage.UsageError(
            f"--size {quoted(value)}: give bytes, 0 to {MAX_SIZE}, or a sweep, 64-1472:64"
        ) from None
    return tuple(range(first, last + 1, step))


def _number(option: str, value: str, what: str) -> float:
    try:
        # From a nanosecond, in which time is counted.
        return decimal(value, 1e-9, LONGEST_TIME)
    except ValueError:
        raise usage.UsageError(
            f"{option} {quoted(value)}: give {what}, more than 0 and at most {LONGEST_TIME}"
        ) from None


def parsed(arguments: list[str]) -> tuple[str, Any]:
    """
    @return: The subcommand, and its options.

    @raise usage.UsageError: for what does not make sense.
    """
    options = Options()
    options.parseOptions(arguments)
    return str(options.subCommand), options.subOptions
