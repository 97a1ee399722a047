"""
The command line of C{twistd echod}, and the services it asks for.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from math import inf
from time import monotonic
from typing import Any

from twisted.internet.endpoints import (
    StandardIOEndpoint,
    TCP4ServerEndpoint,
    TCP6ServerEndpoint,
    serverFromString,
)
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.selectreactor import SelectReactor
from twisted.python import usage
from twisted.python.reflect import namedAny

from echod._version import __version__
from echod.impair.options import Wishes
from echod.impair.tcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.capacity import (
    DRAIN_TIMEOUT,
    FD_SETSIZE,
    IDLE_TIMEOUT,
    STATUS_CONNECTIONS,
    UDP_RATE,
    Capacity,
    Limits,
    RateLimit,
)
from echod.limits.networks import Networks
from echod.net.addresses import LOOPBACK, MAX_PORT
from echod.net.descriptions import checkNumbers
from echod.net.format import hostPort, printable, quoted, shortened
from echod.net.quantities import LONGEST_TIME, decimal, wholeNumber
from echod.service.echoservice import (
    CannotServe,
    EchoService,
    Endpoint,
    ListeningService,
    Server,
)
from echod.service.inherited import (
    PREFIX,
    InheritedStreamEndpoint,
    InheritedUDPEndpoint,
    inherited,
)
from echod.service.sdnotify import notifier
from echod.service.signals import Signals
from echod.status.monitor import Monitor
from echod.status.sessionlog import SessionLog
from echod.tcp.echo import EchoFactory
from echod.tcp.endpoints import layered
from echod.tcp.greeting import GREETING, GreetingFactory
from echod.udp.echo import UDPEchoProtocol
from echod.udp.endpoint import UDPServerEndpoint
from echod.udp.guard import DatagramGuard
from echod.udp.sourcestatistics import SourceStatistics
from echod.workers.aggregatemonitor import Whole
from echod.workers.pool import Fleet
from echod.workers.service import WorkersService
from echod.workers.socketpassing import SPREADS, HandingReactor

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

Finder = Callable[[str, socket.SocketKind], tuple[int, socket.AddressFamily]]
"""
Finds a socket that was handed over: L{inherited}.
"""

MOST_WORKERS = 1024
"""
How many workers there may be: more than any machine has cores.
"""

SESSION_LOG = "session-log"
"""
The option, and what workers know the file by.
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
    ]

    compData = usage.Completions(multiUse=[*DEFAULT_PORTS, *NETWORKS, "status", "impair"])

    def __init__(self, reactor: Any = None) -> None:
        """
        @param reactor: Where to listen; the installed one unless given.
        """
        super().__init__()
        self._reactor = reactor
        self._wishes = Wishes()
        self._arguments: list[str] = []
        self._sockets: dict[str, list[socket.socket]] = {}
        self._files: dict[str, SessionLog] = {}
        for option in (*DEFAULT_PORTS, *NETWORKS, "status"):
            self[option] = []

    @property
    def maxConnections(self) -> int:
        """
        The share of one process in C{--max-connections}.
        """
        most: int = self["max-connections"]
        workers: int = self["workers"]
        return -(-most // workers)

    @property
    def ownsProcess(self) -> bool:
        """
        Whether the whole process is: below twistd and twist.
        """
        return self.parent is not None

    @property
    def reactor(self) -> Any:
        """
        The reactor.  Only now, when something is to be served, is one needed.
        """
        if self._reactor is None:
            # Where nobody has chosen one, the fastest.
            if self.ownsProcess and "twisted.internet.reactor" not in sys.modules:
                with suppress(ImportError):
                    namedAny("echod.uvloopreactor.install")()
            from twisted.internet import reactor

            self._reactor = reactor
            if self.ownsProcess:
                # The time of day, by which Twisted sets its timers, may be set
                # back, and then nothing would happen until it is the same again.
                reactor.seconds = monotonic  # type: ignore[method-assign]
        return self._reactor

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
                f"unexpected argument {quoted(arguments[0])}; everything is an option, "
                "as in --tcp 8080"
            )

    def postOptions(self) -> None:
        """
        Make something to listen on of all addresses.  Serve all three where none
        was asked for.
        """
        if not any(self[server] for server in DEFAULT_PORTS):
            self.update({server: [port] for server, port in DEFAULT_PORTS.items()})
        for server in DEFAULT_PORTS:
            kind = self._datagramEndpoint if server == "udp" else self._streamEndpoint
            self[server] = [
                self._named(server, address, kind, *self.listener(f"{server}{number}"))
                for number, address in enumerate(self[server])
            ]
        self["status"] = [
            self._named("status", address, self._statusEndpoint, self.reactor, inherited)
            for address in self["status"]
        ]
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
        if self["workers"] > 1:
            self._checkWorkers()

    def listener(self, name: str) -> tuple[Any, Finder]:
        """
        @param name: Of the one server that is meant.

        @return: What it is to listen on, and what finds for it the sockets that
            were handed over.
        """
        if self["workers"] == 1:
            return self.reactor, inherited
        sockets = self._sockets.setdefault(name, [])
        return HandingReactor(self.reactor, self["workers"], sockets), inherited

    def newService(self, limits: str) -> EchoService:
        """
        @param limits: What it bears, in words.

        @return: What is to have all services.
        """
        if self["workers"] == 1:
            return EchoService(self.reactor, limits)
        fleet = Fleet(
            self.reactor,
            self["workers"],
            # The same for all, whatever "auto" comes to by then.
            [*self._arguments, f"--workers={self['workers']}"],
            self._descriptors,
            self["drain-timeout"],
        )
        return WorkersService(self.reactor, fleet, limits)

    def handleSignals(self, service: EchoService) -> None:
        """
        Handle the signals of the process.
        """
        Signals(self.reactor, service).install()

    def addObservers(self, service: EchoService) -> None:
        """
        Add what sees all of a service.
        """
        if self[SESSION_LOG]:
            self._files[SESSION_LOG] = self.addSessionLog(service)
        if self["status"]:
            # What this needs may not be installed.
            from echod.status.httpserver import StatusSite

            kind: Any = Monitor if self["workers"] == 1 else Whole
            monitor = kind(self.reactor, service)
            monitor.setServiceParent(service.observers)
            for address, endpoint in self["status"]:
                site = StatusSite(self.reactor, monitor)
                listening = ListeningService(address, endpoint, site, "status")
                listening.setServiceParent(service.observers)

    def addSessionLog(self, service: EchoService, descriptor: int | None = None) -> SessionLog:
        """
        Add the session log.

        @param descriptor: Where it is open already.
        """
        log = SessionLog(
            self.reactor,
            self[SESSION_LOG],
            service,
            descriptor=descriptor,
        )
        log.setServiceParent(service.observers)
        service.onReopen.append(log.reopen)
        return log

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Read the command line.

        @raise usage.UsageError: for what does not make sense.  Below twistd and
            twist, which would print all of their own help first, one line and
            status 1.
        """
        self._arguments = list(sys.argv[1:] if options is None else options)
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

    def _named(
        self, server: str, value: str, kind: Callable[..., Named], reactor: Any, find: Finder
    ) -> Named:
        try:
            return kind(value, reactor, find)
        except ValueError as error:
            raise usage.UsageError(f"--{server} {quoted(value)}: {error}") from None

    def _descriptors(self, slot: int) -> dict[str, int]:
        """
        @return: What to hand over to one of the workers, by name.

        @raise CannotServe: if there is nothing to be handed over.
        """
        for name, sockets in self._sockets.items():
            if not sockets:
                raise CannotServe(f"{name} listens on nothing that workers can share")
        descriptors = {
            name: sockets[slot % len(sockets)].fileno()
            for name, sockets in self._sockets.items()
        }
        return descriptors | {name: file.fileno() for name, file in self._files.items()}

    def _checkWorkers(self) -> None:
        problem = ""
        if not IReactorProcess.providedBy(self.reactor):
            problem = f"{type(self.reactor).__name__} cannot start processes"
        elif self.parent is not None and self.parent.get("chroot"):
            problem = "below --chroot there is no Python to run them"
        elif self._wishes.seeded:
            problem = (
                "a seed of --impair repeats nothing where the system chooses who serves whom"
            )
        if problem:
            raise usage.UsageError(f"--workers {self['workers']}: {problem}")

    def _addNetwork(self, option: str, value: str) -> None:
        try:
            self[option].append(ip_network(value))
        except ValueError as error:
            raise usage.UsageError(
                f"--{option} {quoted(value)}: {shortened(str(error))}; a network is an address "
                "(192.0.2.1), or its first with a length (192.0.2.0/24, 2001:db8::/32)"
            ) from None

    def _streamEndpoint(self, value: str, listener: Any, find: Finder) -> Named:
        reactor, description = layered(listener, value)
        if _ADDRESS.fullmatch(description):
            host, port = _hostAndPort(description)
            kind = TCP6ServerEndpoint if ":" in host else TCP4ServerEndpoint
            prefix = value[: -len(description)]
            return prefix + hostPort(host, port), kind(reactor, port, BACKLOG, host)
        if description.startswith(PREFIX):
            handedOver = find(description, socket.SOCK_STREAM)
            return value, InheritedStreamEndpoint(reactor, *handedOver)
        checkNumbers(description)
        try:
            endpoint = serverFromString(reactor, description)
        except ImportError as error:
            raise ValueError(f"needs the tls extra of txechod ({error})") from None
        except Exception as error:
            # What a parser of endpoint descriptions raises is up to its author.
            raise ValueError(
                "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
                f"nor an endpoint description ({shortened(str(error))})"
            ) from None
        if isinstance(endpoint, StandardIOEndpoint):
            raise ValueError(
                "standard input is not an address to listen on; a port (8080) or "
                "unix:/run/echod.sock is"
            )
        return value, endpoint

    def _statusEndpoint(self, value: str, reactor: Any, find: Finder) -> Named:
        if find_spec("prometheus_client") is None:
            raise ValueError("needs the status extra of txechod (prometheus_client)")
        return self._streamEndpoint(value, reactor, find)

    def _datagramEndpoint(self, value: str, reactor: Any, find: Finder) -> Named:
        if value.startswith(PREFIX):
            return value, InheritedUDPEndpoint(reactor, *find(value, socket.SOCK_DGRAM))
        if not _ADDRESS.fullmatch(value):
            raise ValueError(
                "neither a port (8080), nor an address with a port (0.0.0.0:8080, [::]:8080), "
                "nor a socket that was handed over (systemd:domain=INET:name=NAME)"
            )
        host, port = _hostAndPort(value)
        return hostPort(host, port), UDPServerEndpoint(reactor, port, host)


def _hostAndPort(value: str) -> tuple[str, int]:
    """
    @param value: What L{_ADDRESS} matches.

    @raise ValueError: if the address or the port is none.
    """
    match = _ADDRESS.fullmatch(value)
    assert match is not None
    try:
        port = wholeNumber(match["port"], 0, MAX_PORT)
    except ValueError:
        raise ValueError(
            f"{shortened(match['port'])} is not a port; ports are 0 to {MAX_PORT}"
        ) from None
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
    showMessages = bool(config["show-messages"])
    greeting = config["greeting-text"].encode("utf-8", "surrogateescape") + b"\r\n"
    rate = config["udp-rate"]
    guard = DatagramGuard(config.networks, RateLimit(rate) if rate else None)
    shared = Capacity.ofProcess(
        FD_SETSIZE if isinstance(reactor, SelectReactor) else inf,
        # Workers have none of these.
        others=len(config["status"]) * STATUS_CONNECTIONS * (config["workers"] == 1),
    )

    def limits() -> Limits:
        most = config.maxConnections
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
        "udp": lambda: datagramEcho(
            reactor,
            guard,
            showMessages=showMessages,
            # Counting by source is slower: no batches.
            sources=SourceStatistics() if config["session-log"] else None,
        ),
    }
    service = config.newService(_limitsInWords(config, shared))
    for name, server in servers.items():
        for address, endpoint in config[name]:
            listening = ListeningService(address, endpoint, server(), name)
            listening.setServiceParent(service)
    manager = notifier(reactor, service, os.environ) if config.ownsProcess else None
    if manager is not None:
        manager.setServiceParent(service)
    config.addObservers(service)
    if config.ownsProcess:
        reactor.callWhenRunning(config.handleSignals, service)
    return service


def _limitsInWords(config: Options, shared: Capacity) -> str:
    most = config.maxConnections
    each = f"{_number(most)} for each service, " if most else ""
    idle = config["idle-timeout"]
    workers = config["workers"]
    words = [
        f"in each of {workers} workers: " * (workers > 1)
        + f"{each}{_number(shared.most)} for all together, "
        + f"{_number(config['max-per-source'])} from one source",
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
