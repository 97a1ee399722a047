"""
The command line of C{twistd echod}, read into a L{Config}.  This needs no reactor and
opens nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from math import inf
from types import MappingProxyType

from twisted.python import usage

from echod._version import __version__
from echod.config.addresses import Address, datagramAddress, statusAddress, streamAddress
from echod.config.config import SERVERS, Config
from echod.impair.options import ImpairmentOptions
from echod.impair.spec import Impairments
from echod.limits.capacity import DRAIN_TIMEOUT, IDLE_TIMEOUT, SESSION_LINES
from echod.limits.networks import Networks
from echod.limits.ratelimit import UDP_RATE
from echod.net.format import printable, quoted, shortened
from echod.net.quantities import LONGEST_TIME, decimal, wholeNumber
from echod.net.sockets import SPREADS
from echod.status.hosts import hostName
from echod.tcp.endpoints import expectsHeader
from echod.tcp.greeting import GREETING

DEFAULT_PORTS = {"greeting": "9999", "tcp": "8080", "udp": "8080"}
"""
The ports of the article.
"""

NETWORKS = ("allow", "deny", "proxy-from")

MOST_WORKERS = 1024
"""
The most workers: more than any machine has cores.
"""

SESSION_LOG = "session-log"
"""
The name of the option, and of the file's descriptor in a worker.
"""

EXAMPLES = """
Examples:
  twistd -n echod                       all three on their default ports
  twistd -n echod --tcp 8080            TCP echo, for this machine only
  twistd -n echod --tcp 0.0.0.0:7 --udp 0.0.0.0:7 --no-goodbye
                                        RFC 862 for everyone
  twistd -n echod --tcp '[::]:8080' --udp '[::]:8080'
                                        for IPv6 and IPv4
  twistd -n echod --tcp ssl:8443:privateKey=key.pem:certKey=cert.pem
  twistd -n echod --tcp unix:/run/echod.sock
  twistd -n echod --tcp haproxy:10.0.0.1:8080
                                        behind a proxy that sends PROXY headers
  twistd -n echod --impair delay=50ms,jitter=10ms --impair udp:drop=1%,seed=7
                                        a bad path to test a client with

Impairments, one or more with commas between them, after udp:, tcp: or greeting:
for that one only:
  for all          delay=50ms jitter=10ms seed=7
  for datagrams    drop=1% duplicate=1% reorder=1% corrupt=1% truncate=1%
  for connections  rate=1MB/s pieces=1-7 refuse=1%
                   close-after=1MB reset-after=1MB stall-after=1MB
"""


def _wholeNumber(option: str) -> Callable[[str], int]:
    def parse(value: str) -> int:
        try:
            return wholeNumber(value)
        except ValueError as error:
            raise usage.UsageError(f"--{option} {quoted(value)}: {error}") from None

    return parse


def _seconds(option: str) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            return decimal(value, most=LONGEST_TIME)
        except ValueError:
            raise usage.UsageError(
                f"--{option} {quoted(value)}: not a number of seconds, such as 0.5 or 600, and "
                f"at most {LONGEST_TIME}"
            ) from None

    return parse


def _sessionLines(value: str) -> float:
    if value == "all":
        return inf
    try:
        return wholeNumber(value)
    except ValueError as error:
        raise usage.UsageError(
            f"--session-lines {quoted(value)}: neither all nor a number of lines a second: "
            f"{error}"
        ) from None


def _workers(value: str) -> int:
    if value == "auto":
        return len(os.sched_getaffinity(0)) if SPREADS else 1
    try:
        number = wholeNumber(value, 1, MOST_WORKERS)
    except ValueError:
        raise usage.UsageError(
            f"--workers {quoted(value)}: neither a number of processes, from 1 to "
            f"{MOST_WORKERS}, nor auto, which is one for each core"
        ) from None
    if number > 1 and not SPREADS:
        raise usage.UsageError(
            f"--workers {number}: only Linux spreads what comes over several processes"
        )
    return number


class Options(usage.Options):
    """
    The options of C{twistd echod} and C{twist echod}.
    """

    synopsis = "[options]"

    longdesc = (
        "Sends back what it gets. ADDRESS is a port (8080: for this machine only, as "
        "127.0.0.1, ::1 and the machine's own name), an address or a host name with a port "
        "(0.0.0.0:8080, [::]:8080, localhost:8080), or, for --greeting and "
        "--tcp, a Twisted server endpoint description, which listens on all addresses "
        "unless it says otherwise; for --udp of these only systemd:domain=INET6:name=NAME. "
        "Port 0 takes a free one; the log says which. With none of the three, all are "
        "served, for this machine only, on the ports 9999, 8080 and 8080."
    )

    optParameters = [
        [
            "greeting-text",
            None,
            GREETING.decode().rstrip(),
            "Greet with TEXT; a line ending is added.",
        ],
        [
            "max-connections",
            None,
            0,
            "Take at most NUMBER connections at a time for each --tcp and --greeting; 0 for as "
            "many as the limit of open files leaves room for, which is what all of them have "
            "together.",
            _wholeNumber("max-connections"),
        ],
        [
            "max-per-source",
            None,
            0,
            "Take at most NUMBER connections at a time from one IPv4 address or one IPv6 /64; "
            "0 for any number, as many people may share one address.",
            _wholeNumber("max-per-source"),
        ],
        [
            "connect-rate",
            None,
            0,
            "Take at most NUMBER new connections a second from one IPv4 address or one IPv6 "
            "/64, and as many at once after a quiet second; 0 for any number. This machine's "
            "own addresses have the same limit.",
            _wholeNumber("connect-rate"),
        ],
        [
            "idle-timeout",
            None,
            IDLE_TIMEOUT,
            "Close a session in which nothing comes or goes for SECONDS, longer than a person "
            "pauses; 0 is never.",
            _seconds("idle-timeout"),
        ],
        [
            "drain-timeout",
            None,
            DRAIN_TIMEOUT,
            "When stopped, let sessions have back what they have sent for up to SECONDS, well "
            "below what systemd and Kubernetes wait for.",
            _seconds("drain-timeout"),
        ],
        [
            "udp-rate",
            None,
            UDP_RATE,
            "Answer at most NUMBER datagrams a second to one IPv4 address or one IPv6 /64, far "
            "more than measuring needs and too few for a flood; 0 for any number. This "
            "machine's own IPv4 addresses and ::1 have no limit.",
            _wholeNumber("udp-rate"),
        ],
        [
            "session-lines",
            None,
            SESSION_LINES,
            "Log the start and the end of single sessions in at most NUMBER lines a second for "
            "each --tcp and --greeting, after a burst of 10 times as many, and the others as "
            "one line a second; 'all' logs each of them.",
            _sessionLines,
        ],
        [
            SESSION_LOG,
            None,
            None,
            "Add a JSON object to FILE for each session that has ended and, once a second, for "
            "the datagrams of each source. Reopened on SIGUSR1, and on SIGHUP without a "
            "terminal.",
            os.path.abspath,
        ],
        [
            "workers",
            None,
            1,
            "Share the work among NUMBER processes, or, with 'auto', one for each core. "
            "Without a terminal, SIGHUP replaces them one by one.",
            _workers,
        ],
    ]

    optFlags = [
        ["no-goodbye", None, "Return everything (RFC 862): 'bye' does not end a TCP echo."],
        ["show-messages", None, "Log what peers send, control characters escaped."],
        [
            "answer-reserved-ports",
            None,
            "Answer datagrams from ports below 1024, which other echo servers may have sent; "
            "some clients and scanners use such ports.",
        ],
    ]

    compData = usage.Completions(
        multiUse=[*DEFAULT_PORTS, *NETWORKS, "status", "status-name", "impair"]
    )

    config: Config
    """
    The command line as read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.arguments: list[str] = []
        self._impairmentOptions = ImpairmentOptions()
        for option in (*DEFAULT_PORTS, *NETWORKS, "status", "status-name"):
            self[option] = []

    def opt_greeting(self, address: str) -> None:
        """
        Greet whoever connects to ADDRESS, and close. Can be given again.
        """
        self["greeting"].append(address)

    def opt_tcp(self, address: str) -> None:
        """
        Echo on TCP at ADDRESS until a peer says 'bye'. Can be given again.
        """
        self["tcp"].append(address)

    def opt_udp(self, address: str) -> None:
        """
        Echo datagrams at ADDRESS. Can be given again.
        """
        self["udp"].append(address)

    def opt_status(self, address: str) -> None:
        """
        Show what goes on at ADDRESS, by HTTP: a page, /metrics, /healthz, /readyz,
        /status.json. Can be given again.
        """
        self["status"].append(address)

    def opt_status_name(self, name: str) -> None:
        """
        Show the page to browsers that use NAME (echod.example.com) for it, besides the
        machine's own names; '*' is any name. Can be given again.
        """
        try:
            self["status-name"].append(hostName(name))
        except ValueError as error:
            raise usage.UsageError(f"--status-name {quoted(name)}: {error}") from None

    def opt_allow(self, network: str) -> None:
        """
        Serve NETWORK (192.0.2.0/24), and only allowed ones. Can be given again.
        """
        self._addNetwork("allow", network)

    def opt_deny(self, network: str) -> None:
        """
        Do not serve NETWORK. The most specific one counts. Can be given again.
        """
        self._addNetwork("deny", network)

    def opt_proxy_from(self, network: str) -> None:
        """
        With haproxy:, take connections and their PROXY headers only from NETWORK, where the
        proxies are; without this, from everyone. Can be given again.
        """
        self._addNetwork("proxy-from", network)

    def opt_impair(self, specification: str) -> None:
        """
        Misbehave on purpose as SPEC says, see below. Can be given again.
        """
        try:
            self._impairmentOptions.add(specification)
        except ValueError as error:
            raise usage.UsageError(f"--impair: {error}") from None

    def opt_version(self) -> None:
        """
        Display echod's version and exit.
        """
        print(f"echod {__version__}")
        raise SystemExit(0)

    def parseArgs(self, *arguments: str) -> None:
        """
        There is nothing but options.
        """
        if arguments:
            raise usage.UsageError(
                f"unexpected argument {quoted(arguments[0])}; everything is an option, "
                "as in --tcp 8080"
            )

    def postOptions(self) -> None:
        """
        Read the addresses, check what depends on several options, and make the
        L{Config}.  Without an address, all three servers get their default port.
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
        try:
            Networks(self["allow"], self["deny"])
        except ValueError as error:
            raise usage.UsageError(f"--allow and --deny: {error}") from None
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
            impairments=MappingProxyType(self._impairments()),
            seeded=self._impairmentOptions.hasSeed,
            sessionLog=self[SESSION_LOG],
            workers=self["workers"],
        )

    def _addresses(self, option: str, read: Callable[[str], Address]) -> tuple[Address, ...]:
        addresses = []
        for value in self[option]:
            try:
                addresses.append(read(value))
            except ValueError as error:
                raise usage.UsageError(f"--{option} {quoted(value)}: {error}") from None
        return tuple(addresses)

    def _impairments(self) -> dict[str, Impairments]:
        try:
            return self._impairmentOptions.forServers(
                [server for server in SERVERS if self[server]]
            )
        except ValueError as error:
            raise usage.UsageError(f"--impair: {error}") from None

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the command line.

        @raise usage.UsageError: for what does not make sense.  Below twistd and
            twist, which would print all of their own help first, one line and
            status 1.
        """
        self.arguments = list(sys.argv[1:] if options is None else options)
        try:
            super().parseOptions(options)
        except usage.UsageError as error:
            # It quotes what was typed, and that may be anything.
            problem = printable(str(error))
            if self.parent is None:
                raise usage.UsageError(problem) from None
            raise SystemExit(f"echod: {problem}") from None

    def getUsage(self, width: int | None = None) -> str:
        """
        @return: The text of C{--help}.
        """
        return super().getUsage(width) + EXAMPLES

    def _addNetwork(self, option: str, value: str) -> None:
        try:
            self[option].append(ip_network(value))
        except ValueError as error:
            raise usage.UsageError(
                f"--{option} {quoted(value)}: {shortened(str(error))}; a network is an address "
                "(192.0.2.1), or its first with a length (192.0.2.0/24, 2001:db8::/32)"
            ) from None
