"""
The command line of C{twistd echod}, and the services it asks for.
"""

from __future__ import annotations

import os
import re
import shlex
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from math import inf, isfinite
from time import monotonic
from typing import Any

from twisted.internet.endpoints import (
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    serverFromString,
)
from twisted.internet.selectreactor import SelectReactor
from twisted.python import usage
from twisted.python.reflect import namedAny

from echod._version import __version__
from echod.descriptors import (
    PREFIX,
    InheritedStreamEndpoint,
    InheritedUDPEndpoint,
    inherited,
)
from echod.display import hostPort, printable
from echod.endpoints import layered
from echod.greeting import GREETING, GreetingFactory
from echod.guard import DatagramGuard
from echod.impairedtcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impairedudp import ImpairedUDPEchoProtocol
from echod.limits import (
    DRAIN_TIMEOUT,
    FD_SETSIZE,
    IDLE_TIMEOUT,
    STATUS_CONNECTIONS,
    UDP_RATE,
    Capacity,
    Limits,
    RateLimit,
)
from echod.networks import LOOPBACK, MAX_PORT, Networks
from echod.notify import notifier
from echod.service import EchoService, Endpoint, ListeningService, Server
from echod.status.sessionlog import SessionLog
from echod.status.sources import ImpairedSourcesUDPEchoProtocol, SourcesUDPEchoProtocol
from echod.tcp import EchoFactory
from echod.udp import UDPEchoProtocol, UDPServerEndpoint
from echod.wishes import Wishes

DEFAULT_PORTS = {"greeting": "9999", "tcp": "8080", "udp": "8080"}
"""
Those of the article, on this machine only.
"""

BACKLOG = 4096
"""
How many connections may wait to be accepted.  The system cuts it to what it
allows (C{net.core.somaxconn}, 4096 on Linux); Twisted's own 50 makes the peers
of a busy moment wait a second for their next attempt.
"""

_ADDRESS = re.compile(r"(?:\[(?P<v6>[^]]+)\]:|(?P<v4>[0-9.]*\.[0-9.]*):)?(?P<port>[0-9]+)")
"""
A port, or a literal address with a port.
"""

NETWORKS = ("allow", "deny")

Named = tuple[str, Endpoint]
"""
An address as people write it, and as what can be listened on.
"""

EXAMPLES = """
Examples:
  twistd -n echod                       all three on their default ports
  twistd -n echod --tcp 8080            TCP echo, for this machine only
  twistd -n echod --tcp 0.0.0.0:7 --udp 0.0.0.0:7 --no-goodbye
                                        RFC 862 for everyone
  twistd -n echod --tcp '[::]:8080' --udp '[::]:8080'
                                        for IPv6, and on Linux IPv4 as well
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
        if not (value.isascii() and value.isdigit()):
            raise usage.UsageError(f"--{option} {shlex.quote(value)}: not a whole number")
        return int(value)

    return parse


def _seconds(option: str) -> Callable[[str], float]:
    def parse(value: str) -> float:
        with suppress(ValueError):
            seconds = float(value)
            if seconds >= 0 and isfinite(seconds):
                return seconds
        raise usage.UsageError(
            f"--{option} {shlex.quote(value)}: not a number of seconds, such as 0.5 or 600"
        )

    return parse


class Options(usage.Options):
    """
    What C{twistd echod} and C{twist echod} understand.  The values of
    C{greeting}, C{tcp} and C{udp} are lists of L{Named}.
    """

    synopsis = "[options]"

    longdesc = (
        "Sends back what it gets. ADDRESS is a port (8080: on 127.0.0.1, for this machine "
        "only), an address with a port (0.0.0.0:8080, [::]:8080), or, for --greeting and "
        "--tcp, a Twisted server endpoint description, which listens on all addresses "
        "unless it says otherwise; for --udp of these only systemd:domain=INET6:name=NAME. "
        "Port 0 takes a free one; the log says which. With none of the three, all are "
        "served, on 127.0.0.1 and the ports 9999, 8080 and 8080."
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
            "Take at most NUMBER connections at a time for each --tcp and --greeting; all of "
            "them together have what the limit of open files leaves room for. [default: 0, "
            "no limit but that]",
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
            "Answer at most NUMBER datagrams a second to one address, far more than measuring "
            "needs and too few for a flood; 0 for any number. This machine's own addresses "
            "have no limit.",
            _wholeNumber("udp-rate"),
        ],
        [
            "session-log",
            None,
            None,
            "Add a JSON object to FILE for each session that has ended and, once a second, for "
            "the datagrams of each source. Opened again on SIGUSR1.",
            os.path.abspath,
        ],
    ]

    optFlags = [
        ["no-goodbye", None, "Return everything (RFC 862): 'bye' does not end a TCP echo."],
        ["show-messages", None, "Log what peers send, control characters escaped."],
    ]

    compData = usage.Completions(multiUse=[*DEFAULT_PORTS, *NETWORKS, "status", "impair"])

    def __init__(self, reactor: Any = None) -> None:
        """
        @param reactor: Where to listen; the installed one unless given.
        """
        super().__init__()
        self._reactor = reactor
        self._wishes = Wishes()
        for option in (*DEFAULT_PORTS, *NETWORKS, "status"):
            self[option] = []

    @property
    def reactor(self) -> Any:
        """
        The reactor.  Only now, when something is to be served, is one needed.
        """
        if self._reactor is None:
            # Below twistd and twist, where nobody has chosen one, the fastest.
            if self.parent is not None and "twisted.internet.reactor" not in sys.modules:
                with suppress(ImportError):
                    namedAny("echod.uvloopreactor.install")()
            from twisted.internet import reactor

            self._reactor = reactor
            if self.parent is not None:
                # The time of day, by which Twisted sets its timers, may be set
                # back, and then nothing would happen until it is the same again.
                reactor.seconds = monotonic  # type: ignore[method-assign]
        return self._reactor

    def opt_greeting(self, address: str) -> None:
        """
        Greet whoever connects to ADDRESS, and close. Can be given again.
        """
        self._add("greeting", address, self._streamEndpoint)

    def opt_tcp(self, address: str) -> None:
        """
        Echo on TCP at ADDRESS until a peer says 'bye'. Can be given again.
        """
        self._add("tcp", address, self._streamEndpoint)

    def opt_udp(self, address: str) -> None:
        """
        Echo datagrams at ADDRESS. Can be given again.
        """
        self._add("udp", address, self._datagramEndpoint)

    def opt_status(self, address: str) -> None:
        """
        Show what goes on at ADDRESS, by HTTP: a page, /metrics, /healthz, /readyz,
        /status.json. Can be given again.
        """
        self._add("status", address, self._statusEndpoint)

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

    def opt_impair(self, specification: str) -> None:
        """
        Misbehave on purpose as SPEC says, see below. Can be given again.
        """
        try:
            self._wishes.add(specification)
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
                f"unexpected argument {shlex.quote(arguments[0])}; everything is an option, "
                "as in --tcp 8080"
            )

    def postOptions(self) -> None:
        """
        Serve all three where none was asked for.
        """
        if not any(self[server] for server in DEFAULT_PORTS):
            for server, port in DEFAULT_PORTS.items():
                getattr(self, f"opt_{server}")(port)
        try:
            self.networks = Networks(self["allow"], self["deny"])
        except ValueError as error:
            raise usage.UsageError(f"--allow and --deny: {error}") from None
        try:
            self.impairments = self._wishes.granted(
                [name for name in DEFAULT_PORTS if self[name]]
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
        What C{--help} shows.
        """
        return super().getUsage(width) + EXAMPLES

    def _add(self, server: str, value: str, endpoint: Callable[[str], Named]) -> None:
        try:
            self[server].append(endpoint(value))
        except ValueError as error:
            raise usage.UsageError(f"--{server} {shlex.quote(value)}: {error}") from None

    def _addNetwork(self, option: str, value: str) -> None:
        try:
            self[option].append(ip_network(value))
        except ValueError as error:
            raise usage.UsageError(
                f"--{option} {shlex.quote(value)}: {error}; a network is an address "
                "(192.0.2.1), or its first with a length (192.0.2.0/24, 2001:db8::/32)"
            ) from None

    def _streamEndpoint(self, value: str) -> Named:
        reactor, description = layered(self.reactor, value)
        if _ADDRESS.fullmatch(description):
            host, port = _hostAndPort(description)
            kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
            prefix = value[: -len(description)]
            return prefix + hostPort(host, port), kind(reactor, port, BACKLOG, host)
        if description.startswith(PREFIX):
            handedOver = inherited(description, socket.SOCK_STREAM)
            return value, InheritedStreamEndpoint(reactor, *handedOver)
        try:
            return value, serverFromString(reactor, description)
        except ImportError as error:
            raise ValueError(f"needs the tls extra of txechod ({error})") from None
        except Exception as error:
            # What a parser of endpoint descriptions raises is up to its author.
            raise ValueError(
                "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
                f"nor an endpoint description ({error})"
            ) from None

    def _statusEndpoint(self, value: str) -> Named:
        if find_spec("prometheus_client") is None:
            raise ValueError("needs the status extra of txechod (prometheus_client)")
        return self._streamEndpoint(value)

    def _datagramEndpoint(self, value: str) -> Named:
        if value.startswith(PREFIX):
            handedOver = inherited(value, socket.SOCK_DGRAM)
            return value, InheritedUDPEndpoint(self.reactor, *handedOver)
        if not _ADDRESS.fullmatch(value):
            raise ValueError(
                "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
                "nor a socket that was handed over (systemd:domain=INET:name=NAME)"
            )
        host, port = _hostAndPort(value)
        return hostPort(host, port), UDPServerEndpoint(self.reactor, port, host)


def _hostAndPort(value: str) -> tuple[str, int]:
    """
    @param value: What L{_ADDRESS} matches.

    @raise ValueError: if the address or the port is none.
    """
    match = _ADDRESS.fullmatch(value)
    assert match is not None
    port = int(match["port"])
    if port > MAX_PORT:
        raise ValueError(f"{port} is not a port; ports are 0 to {MAX_PORT}")
    host = match["v6"] or match["v4"] or LOOPBACK
    ip_address(host)
    return host, port


def makeService(config: Options) -> EchoService:
    """
    Make the service that a command line asks for.  In a program of one's own it takes
    no signals, and tells systemd nothing: these are the program's.

    @param config: Has parsed its options.
    """
    reactor = config.reactor
    # Below twistd and twist.
    ownProcess = config.parent is not None
    showMessages = bool(config["show-messages"])
    greeting = config["greeting-text"].encode("utf-8", "surrogateescape") + b"\r\n"
    rate = config["udp-rate"]
    guard = DatagramGuard(config.networks, RateLimit(rate) if rate else None)
    shared = Capacity.ofProcess(
        FD_SETSIZE if isinstance(reactor, SelectReactor) else inf,
        others=len(config["status"]) * STATUS_CONNECTIONS,
    )

    def limits() -> Limits:
        most = config["max-connections"]
        return Limits(
            capacity=Capacity(most, shared) if most else shared,
            maxPerSource=config["max-per-source"],
            idleTimeout=config["idle-timeout"],
            drainTimeout=config["drain-timeout"],
            networks=config.networks,
        )

    def kind(server: str, plain: Any, impaired: Any) -> Any:
        if server not in config.impairments:
            return plain
        return partial(impaired, impairments=config.impairments[server])

    greetingFactory = kind("greeting", GreetingFactory, ImpairedGreetingFactory)
    echoFactory = kind("tcp", EchoFactory, ImpairedEchoFactory)
    if config["session-log"]:
        # Only who wants to know the sources of datagrams looks at each of them.
        datagramEcho = kind("udp", SourcesUDPEchoProtocol, ImpairedSourcesUDPEchoProtocol)
    else:
        datagramEcho = kind("udp", UDPEchoProtocol, ImpairedUDPEchoProtocol)
    servers: dict[str, Callable[[], Server]] = {
        "greeting": lambda: greetingFactory(
            reactor, greeting, limits=limits(), showMessages=showMessages
        ),
        "tcp": lambda: echoFactory(
            reactor,
            goodbye=not config["no-goodbye"],
            limits=limits(),
            showMessages=showMessages,
        ),
        "udp": lambda: datagramEcho(reactor, guard, showMessages=showMessages),
    }
    words = _limitsInWords(config, shared)
    service = EchoService(reactor, words, hearSignals=ownProcess)
    for name, server in servers.items():
        for address, endpoint in config[name]:
            ListeningService(address, endpoint, server()).setServiceParent(service)
    manager = notifier(reactor, service, os.environ) if ownProcess else None
    if manager is not None:
        manager.setServiceParent(service)
    _addWitnesses(config, service)
    return service


def _limitsInWords(config: Options, shared: Capacity) -> str:
    most = config["max-connections"]
    each = f"{_number(most)} for each service, " if most else ""
    idle = config["idle-timeout"]
    words = [
        f"{each}{_number(shared.most)} for all together, "
        f"{_number(config['max-per-source'])} from one source",
        f"sessions idle for {idle:g} s" if idle else "sessions idle for ever",
        f"{_number(config['udp-rate'], 'datagrams')} a second to one address",
        f"{config['drain-timeout']:g} s to drain",
    ]
    for option, what in zip(NETWORKS, ("allowed", "denied"), strict=True):
        if config[option]:
            words.append(f"{what}: {', '.join(map(str, config[option]))}")
    return "; ".join(words)


def _number(limit: int, what: str = "connections") -> str:
    return f"{limit or 'any number of'} {what}"


def _addWitnesses(config: Options, service: EchoService) -> None:
    if config["session-log"]:
        SessionLog(
            config.reactor,
            config["session-log"],
            service,
            takesSignal=config.parent is not None,
        ).setServiceParent(service.witnesses)
    if config["status"]:
        # What this needs may not be installed.
        from echod.status.monitor import Monitor
        from echod.status.site import StatusSite

        monitor = Monitor(config.reactor, service)
        monitor.setServiceParent(service.witnesses)
        for address, endpoint in config["status"]:
            site = StatusSite(config.reactor, monitor)
            ListeningService(address, endpoint, site).setServiceParent(service.witnesses)
