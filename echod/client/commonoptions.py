"""
The options that all clients share.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from getopt import GetoptError, gnu_getopt

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.python import usage

from echod.client.sockets import SocketOptions
from echod.client.target import Address, Family, Target, joinPort, parseTarget
from echod.client.values import DSCP_NAMES, seconds, typeOfService
from echod.net.addresses import LOOPBACK, LOOPBACK6
from echod.net.commandline import CommandLine
from echod.net.format import quoted
from echod.net.quantities import DURATION_HELP, wholeNumber

ECHO_PORT = 8080

TARGETS = (
    "HOST, HOST:PORT, HOST PORT, [V6]:PORT, a port of this machine (8080){more}. The "
    "default is 127.0.0.1:{port}, or [::1]:{port} with -6."
)

DESCRIPTIONS = (
    ", or a Twisted client endpoint description (tls:host:8443, unix:/run/echod.sock, "
    "tcp:host:port:timeout=3)"
)

SOCKETS = ("ipv4", "ipv6", "source", "tos", "ttl")
"""
The options of all commands that are options of sockets.
"""

LONGEST_SOURCE = 64
"""
The most bytes of a source: an IPv6 address with a scope has at most 61 characters.
"""


class ClientOptions(CommandLine):
    """
    Options and arguments of a client.

    @cvar command: The name of the command.

    @cvar port: The port of a target that names none.

    @cvar streams: True if the target can be an endpoint description.

    @cvar several: True if there can be several targets.
    """

    program = "echoc"
    command = ""
    port = ECHO_PORT
    streams = True
    several = False
    patience = "10"

    choices = {"tos": DSCP_NAMES, "percentiles": ("50,90,99,99.9",)}

    groups = {"Options": ("timeout", *SOCKETS)}

    optFlags: list[list[str | None]] = [
        ["ipv4", "4", "Use IPv4 only."],
        ["ipv6", "6", "Use IPv6 only."],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["source"] = ""
        self["tos"] = self["ttl"] = None
        self["timeout"] = float(self.patience)
        targets = TARGETS.format(more=DESCRIPTIONS if self.streams else "", port=self.port)
        self.argumentHelp = {"TARGET": targets, "DURATION": DURATION_HELP}
        self.docs["timeout"] = f"{self.docs['timeout']} [default: {self.patience}]"

    def getSynopsis(self) -> str:
        """
        @return: The first line of C{--help}.
        """
        targets = "[TARGET...]" if self.several else "[TARGET]"
        return f"Usage: echoc {self.command} [options] {targets}"

    def hint(self, option: str) -> str:
        """
        @return: Advice about an unknown option.  Another command may have it.
        """
        if isinstance(self.parent, CommandLine):
            for command in self.parent.commandsWith(option):
                return f"only 'echoc {command}' has it"
        return super().hint(option)

    def inOrder(self, options: Sequence[str] | None) -> Sequence[str]:
        """
        @return: The command line with its options before the targets.

        @raise usage.UsageError: for a wrong option.
        """
        try:
            given, targets = gnu_getopt(list(options or ()), self.shortOpt, self.longOpt)
        except GetoptError as error:
            raise usage.UsageError(str(error)) from None
        return [*(part for option in given for part in self._split(*option)), "--", *targets]

    def _split(self, name: str, value: str) -> list[str]:
        takesValue = f"{name[1]}:" in self.shortOpt or f"{name[2:]}=" in self.longOpt
        return [name, value] if takesValue else [name]

    def opt_timeout(self, value: str) -> None:
        """
        Wait at most DURATION for an answer.
        """
        self["timeout"] = seconds("--timeout", value)

    opt_W = opt_timeout

    def opt_source(self, value: str) -> None:
        """
        Send from SOURCE, an address or a network interface of this machine.
        """
        if not value or len(os.fsencode(value)) > LONGEST_SOURCE or "\0" in value:
            raise usage.UsageError(
                f"--source {quoted(value)}: give an address (192.0.2.1) or an interface (eth0)"
            )
        self["source"] = value

    def opt_tos(self, value: str) -> None:
        """
        Mark packets with TOS, a DSCP name (EF, AF41, CS6) or a number, 0 to 255.
        """
        self["tos"] = typeOfService(value)

    def opt_ttl(self, value: str) -> None:
        """
        Send with NUMBER as time to live (hop limit), 1 to 255.
        """
        try:
            self["ttl"] = wholeNumber(value, 1, 255)
        except ValueError:
            raise usage.UsageError(
                f"--ttl {quoted(value)}: give a number from 1 to 255"
            ) from None

    opt_I = opt_source
    opt_Q = opt_tos
    opt_t = opt_ttl

    @property
    def socketOptions(self) -> SocketOptions:
        """
        The options of the sockets.
        """
        return SocketOptions(self["source"], self["tos"], self["ttl"])

    @property
    def family(self) -> Family | None:
        """
        The only family of addresses to use; L{None} for all.
        """
        source = self.socketOptions.address
        if self["ipv6"] or ":" in source:
            return IPv6Address
        return IPv4Address if self["ipv4"] or source else None

    def parseArgs(self, *words: str) -> None:
        """
        Parse the targets.
        """
        texts = joinPort(words) or [str(self.port)]
        if len(texts) > 1 and not self.several:
            raise usage.UsageError(f"one TARGET only; {quoted(texts[1])} is too much")
        self["targets"] = [self._parsed(text) for text in texts]
        self["target"] = self["targets"][0]

    def _parsed(self, text: str) -> Target:
        loopback = LOOPBACK6 if self.family is IPv6Address else LOOPBACK
        try:
            return parseTarget(text, self.port, loopback)
        except ValueError as error:
            raise usage.UsageError(f"{quoted(text)}: {error}") from None

    def postOptions(self) -> None:
        """
        Check that the options fit the targets.
        """
        if self["ipv4"] and self["ipv6"]:
            raise usage.UsageError("--ipv4 does not go with --ipv6")
        for target in self["targets"]:
            self._check(target)

    def _check(self, target: Target) -> None:
        if isinstance(target, Address):
            other = isIPv6Address if self.family is IPv4Address else isIPAddress
            if self.family is not None and other(target.host):
                option = next(name for name in ("ipv4", "ipv6", "source") if self[name])
                raise usage.UsageError(f"--{option} does not go with {target.host}")
        elif not self.streams:
            raise usage.UsageError(
                f"{quoted(target)}: datagrams go to HOST, HOST:PORT or [V6]:PORT"
            )
        elif self["ipv4"] or self["ipv6"]:
            option = "ipv4" if self["ipv4"] else "ipv6"
            raise usage.UsageError(f"--{option} does not go with an endpoint description")
