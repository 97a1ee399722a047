"""
The options that all clients share.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from getopt import GetoptError, gnu_getopt

from twisted.internet.abstract import isIPAddress
from twisted.python import usage

from echod._version import __version__
from echod.client.target import LOOPBACK6, Address, parseTarget
from echod.net.addresses import LOOPBACK
from echod.net.format import quoted
from echod.net.quantities import LONGEST_TIME, decimal

ECHO_PORT = 8080

TARGETS = (
    "TARGET is HOST, HOST:PORT, [V6]:PORT, a port of this machine, or {more} "
    "Without one it is 127.0.0.1:{port}, or [::1]:{port} with -6."
)

DESCRIPTIONS = (
    "a Twisted client endpoint description (tls:host:8443, unix:/run/echod.sock, "
    "tcp:host:port:timeout=3)."
)

SHORTEST = 1e-9
"""
The smallest number, chiefly of seconds: the clients count nanoseconds.
"""


class ClientOptions(usage.Options):
    """
    Options and arguments of a client.

    @cvar port: The port of a target that names none.

    @cvar streams: Whether the target can be an endpoint description.
    """

    port = ECHO_PORT
    streams = True
    synopsis = "[options] [TARGET]"
    about = ""
    patience = "10"

    optFlags: list[list[str | None]] = [["ipv6", "6", "Use IPv6 only."]]

    def __init__(self) -> None:
        super().__init__()
        self["timeout"] = float(self.patience)
        self.docs["timeout"] = f"{self.docs['timeout'].strip()} [default: {self.patience}]"

    @property
    def longdesc(self) -> str:
        """
        The text above the options in C{--help}.
        """
        more = DESCRIPTIONS if self.streams else "an address."
        return f"{self.about} {TARGETS.format(more=more, port=self.port)}"

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.  Options may stand before or after the target.

        @raise usage.UsageError: for a wrong command line.
        """
        options = list(options or ())
        # The superclass reports options that getopt cannot parse.
        with contextlib.suppress(GetoptError):
            given, targets = gnu_getopt(options, self.shortOpt, self.longOpt)
            options = [part for option in given for part in self._split(*option)]
            options += ["--", *targets]
        super().parseOptions(options)

    def _split(self, name: str, value: str) -> list[str]:
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
        Wait at most SECONDS for an answer.
        """
        self["timeout"] = seconds("--timeout", value)

    opt_w = opt_timeout

    def parseArgs(self, *targets: str) -> None:
        """
        Parse the target.
        """
        if len(targets) > 1:
            raise usage.UsageError(f"one TARGET only; {quoted(targets[1])} is too much")
        text = targets[0] if targets else str(self.port)
        try:
            target = parseTarget(text, self.port, LOOPBACK6 if self["ipv6"] else LOOPBACK)
        except ValueError as error:
            raise usage.UsageError(f"{quoted(text)}: {error}") from None
        self["target"] = target

    def postOptions(self) -> None:
        """
        Check that the options fit the target.
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


def seconds(option: str, value: str) -> float:
    """
    Parse a time.

    @raise usage.UsageError: if it is not a number of seconds above 0.
    """
    return positive(option, value, "seconds")


def positive(option: str, value: str, what: str) -> float:
    """
    Parse a number above 0.

    @param what: The quantity, for the message.

    @raise usage.UsageError: for everything else.
    """
    try:
        return decimal(value, SHORTEST, LONGEST_TIME)
    except ValueError:
        raise usage.UsageError(
            f"{option} {quoted(value)}: give {what}, more than 0 and at most {LONGEST_TIME}"
        ) from None
