"""
Read the command line of C{twistd echod} into a L{Config}, without a reactor and without
opening anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import MappingProxyType

from twisted.python import usage

from echod._version import __version__
from echod.config.addresses import Address, datagramAddress, statusAddress, streamAddress
from echod.config.config import SERVERS, SESSION_LOG, Config
from echod.config.limitoptions import NETWORKS, LimitOptions
from echod.config.monitoroptions import PAGE, MonitorOptions
from echod.config.serveroptions import DEFAULT_PORTS, ServerOptions
from echod.config.values import naming
from echod.limits.networks import Networks
from echod.net.format import printable, quoted
from echod.net.quantities import DURATION_HELP
from echod.tcp.endpoints import expectsHeader

REPEATED = (*SERVERS, *NETWORKS, *PAGE)
"""
The options whose values are lists.
"""

EXAMPLES = """
Examples:
  twistd -n echod                       all three servers, on their default ports
  twistd -n echod --tcp 8080            TCP echo, for this machine only
  twistd -n echod --tcp 0.0.0.0:7 --udp 0.0.0.0:7 --no-goodbye
                                        plain RFC 862, for everyone
  twistd -n echod --tcp '[::]:8080' --udp '[::]:8080'
                                        for IPv6 and IPv4
  twistd -n echod --tcp ssl:8443:privateKey=key.pem:certKey=cert.pem
  twistd -n echod --tcp unix:/run/echod.sock
  twistd -n echod --tcp haproxy:10.0.0.1:8080
                                        behind a proxy that sends PROXY headers
  twistd -n echod --impair delay=50ms,jitter=10ms --impair udp:drop=1%,seed=7
                                        a bad network, to test a client

SPEC is one or more of these items, separated by commas. After udp:, tcp: or
greeting:, they are for this server only.
  all servers      delay=50ms jitter=10ms seed=7
  datagrams        drop=1% duplicate=1% reorder=1% corrupt=1% truncate=1%
  connections      rate=1MB/s pieces=1-7 refuse=1%
                   close-after=1MB reset-after=1MB stall-after=1MB
"""


class Options(ServerOptions, LimitOptions, MonitorOptions):
    """
    The options of C{twistd echod} and C{twist echod}.
    """

    synopsis = "[options]"

    longdesc = (
        "A TCP greeting, a TCP echo and a UDP echo server. ADDRESS is a port (8080), or an IP "
        "address or a host name with a port (0.0.0.0:8080, [::]:8080, localhost:8080). A port "
        "alone is for this machine only: as 127.0.0.1, ::1 and the machine's own name. "
        "--greeting, --tcp and --status also take a Twisted server endpoint description, such "
        "as unix:/run/echod.sock; tcp:8080 listens on all addresses. --udp also takes a "
        "socket from systemd: systemd:domain=INET6:name=NAME. For port 0, the system chooses "
        "a free port, and the log shows it. Without --greeting, --tcp and --udp, all three "
        f"servers run, for this machine only, on the ports 9999, 8080 and 8080. {DURATION_HELP}"
    )

    compData = usage.Completions(multiUse=[*REPEATED, "impair"])

    config: Config
    """
    The command line as read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arguments: list[str] = []
        # Before Python 3.13, the docstrings of methods contain their indentation.
        self.docs = {name: " ".join(words.split()) for name, words in self.docs.items()}
        for option in REPEATED:
            self[option] = []

    def opt_version(self) -> None:
        """
        Display echod's version and exit.
        """
        print(f"echod {__version__}")
        raise SystemExit(0)

    def parseArgs(self, *arguments: str) -> None:
        """
        Refuse arguments: echod has only options.
        """
        if arguments:
            raise usage.UsageError(
                f"unexpected argument {quoted(arguments[0])}; everything is an option, "
                "as in --tcp 8080"
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

    def getUsage(self, width: int | None = None) -> str:
        """
        @return: The text of C{--help}.
        """
        return super().getUsage(width) + EXAMPLES
