"""
Read the command line of C{echod} into a L{Config}, without a reactor and without
opening anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import MappingProxyType

from twisted.python import usage

from echod.config.addresses import Address, datagramAddress, statusAddress, streamAddress
from echod.config.config import SERVERS, SESSION_LOG, Config
from echod.config.limitoptions import NETWORKS, LimitOptions
from echod.config.monitoroptions import PAGE, MonitorOptions
from echod.config.serveroptions import DEFAULT_PORTS, ServerOptions
from echod.config.values import naming
from echod.impair.items import ITEMS
from echod.limits.networks import Networks
from echod.net.commandline import CommandLine, hasOption
from echod.net.format import printable, quoted
from echod.net.quantities import DURATION_HELP
from echod.tcp.endpoints import expectsHeader

REPEATED = (*SERVERS, *NETWORKS, *PAGE)
"""
The options whose values are lists.
"""

EVERYTHING_IS_AN_OPTION = "; everything is an option, as in --tcp 8080"

EXAMPLES = """
Examples:
  All three servers, on their default ports, for this machine only:
    echod
  TCP echo, for this machine only:
    echod --tcp 8080
  For IPv6 and IPv4, for everyone:
    echod --tcp '[::]:8080' --udp '[::]:8080'
  Plain RFC 862, for everyone:
    echod --tcp 0.0.0.0:7 --udp 0.0.0.0:7 --no-goodbye
  With TLS:
    echod --tcp ssl:8443:privateKey=key.pem:certKey=cert.pem
  On a UNIX socket:
    echod --tcp unix:/run/echod.sock
  Behind a proxy that sends PROXY headers:
    echod --tcp haproxy:10.0.0.1:8080
  A bad network, to test a client:
    echod --impair delay=50ms,jitter=10ms --impair udp:drop=1%,seed=7
"""


class Options(CommandLine, ServerOptions, LimitOptions, MonitorOptions):
    """
    The options of C{echod}, C{twistd echod} and C{twist echod}.
    """

    longdesc = (
        "A TCP greeting, a TCP echo and a UDP echo server. Without --greeting, --tcp and "
        "--udp, all three run, for this machine only, on the ports 9999, 8080 and 8080. "
        "'echod' is short for 'twistd -n --pidfile= echod'; twistd has more options, for the "
        "log, the user and the background ('twistd --help')."
    )

    groups = {
        "What to serve": ("tcp", "udp", "greeting", "greeting-text", "no-goodbye", "workers"),
        "Whom to serve": ("allow", "deny", "proxy-from", "answer-reserved-ports"),
        "Limits": (
            *("max-connections", "max-per-source", "connect-rate", "udp-rate"),
            *("idle-timeout", "drain-timeout"),
        ),
        "Log and monitoring": (
            *("status", "status-name", "session-lines", "session-log", "show-messages"),
        ),
        "Impairments": ("impair",),
    }

    argumentHelp = {
        "ADDRESS": (
            "A port (8080), or an IP address or a host name with a port (0.0.0.0:8080, "
            "[::]:8080, localhost:8080). A port alone is for this machine only: as 127.0.0.1, "
            "::1 and the machine's own name. For port 0, the system chooses a free port, and "
            "the log shows it. --greeting, --tcp and --status also take a Twisted server "
            "endpoint description, such as unix:/run/echod.sock; tcp:8080 listens on all "
            "addresses. --udp also takes a socket from systemd: "
            "systemd:domain=INET6:name=NAME."
        ),
        "DURATION": DURATION_HELP,
        "NETWORK": (
            "An IP address (192.0.2.1), or the first address of a network with a length "
            "(192.0.2.0/24, 2001:db8::/32)."
        ),
        "SPEC": (
            "One or more items, separated by commas. After udp:, tcp: or greeting:, they are "
            "for this server only. All servers: delay=50ms jitter=10ms seed=7. Datagrams: "
            "drop=1% duplicate=1% reorder=1% corrupt=1% truncate=1%. Connections: rate=1MB/s "
            "pieces=1-7 refuse=1% close-after=1MB reset-after=1MB stall-after=1MB."
        ),
    }

    choices = {
        "impair": tuple(f"{item}=" for item in ITEMS),
        "session-lines": ("all",),
        "workers": ("auto",),
    }

    examples = EXAMPLES

    compData = usage.Completions(multiUse=[*REPEATED, "impair"])

    config: Config
    """
    The command line as read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arguments: list[str] = []
        for option in REPEATED:
            self[option] = []

    def parseArgs(self, *arguments: str) -> None:
        """
        Refuse arguments: echod has only options.
        """
        if arguments:
            near = self.nearest(arguments[0])
            raise usage.UsageError(
                f"unexpected argument {quoted(arguments[0])}"
                + (f": did you mean {near}?" if near else EVERYTHING_IS_AN_OPTION)
            )

    def postOptions(self) -> None:
        """
        Read the addresses, check options against each other, and make the L{Config}.
        Without an address, all three servers get their default port.
        """
        if not any(self[server] for server in DEFAULT_PORTS):
            self.update({server: [port] for server, port in DEFAULT_PORTS.items()})
        servers = {
            server: self._addresses(
                server, datagramAddress if server == "udp" else streamAddress
            )
            for server in SERVERS
        }
        status = self._addresses("status", statusAddress)
        if self["proxy-from"] and not any(
            expectsHeader(address.text) for address in (*status, *sum(servers.values(), ()))
        ):
            raise usage.UsageError("--proxy-from: no address starts with haproxy:")
        with naming("allow and --deny"):
            Networks(self["allow"], self["deny"])
        with naming("impair"):
            impairments = self.impairments.forServers([name for name in SERVERS if self[name]])
        self.config = Config(
            servers=MappingProxyType(servers),
            status=status,
            statusNames=tuple(self["status-name"]),
            greeting=self["greeting-text"].encode("utf-8", "surrogateescape") + b"\r\n",
            goodbye=not self["no-goodbye"],
            showMessages=bool(self["show-messages"]),
            maxConnections=self["max-connections"],
            maxPerSource=self["max-per-source"],
            connectRate=self["connect-rate"],
            idleTimeout=self["idle-timeout"],
            drainTimeout=self["drain-timeout"],
            sessionLines=self["session-lines"],
            udpRate=self["udp-rate"],
            answerReservedPorts=bool(self["answer-reserved-ports"]),
            allowed=tuple(self["allow"]),
            denied=tuple(self["deny"]),
            proxyFrom=tuple(self["proxy-from"]),
            impairments=MappingProxyType(impairments),
            seeded=self.impairments.hasSeed,
            sessionLog=self[SESSION_LOG],
            workers=self["workers"],
        )

    def _addresses(self, option: str, read: Callable[[str], Address]) -> tuple[Address, ...]:
        addresses = []
        for value in self[option]:
            with naming(option, value):
                addresses.append(read(value))
        return tuple(addresses)

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the command line.

        @raise usage.UsageError: if it is invalid.

        @raise SystemExit: with one line, if it is invalid, under twistd and twist.
            After a C{UsageError}, they would print their own help before the message.
        """
        self.arguments = list(sys.argv[1:] if options is None else options)
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            # It quotes the user, who may have typed control characters.
            problem = printable(str(error))
            if self.parent is None:
                raise usage.UsageError(problem) from None
            raise SystemExit(f"echod: {problem}") from None

    def hint(self, option: str) -> str:
        """
        @return: Advice about an unknown option.  It may be an option of the runner.
        """
        if self.parent is None or not hasOption(self.parent, option):
            return super().hint(option)
        runner = "twistd" if "nodaemon" in self.parent else "twist"
        example = f"'{runner} {option} echod'"
        return f"it is an option of {runner} and goes before echod, as in {example}"

    def getSynopsis(self) -> str:
        """
        @return: The first line of C{--help}.
        """
        if self.parent is None:
            return "Usage: echod [options]"
        runner = self.parent.getSynopsis().removesuffix(" plugin [plugin_options]")
        return f"{runner} echod [options]"
