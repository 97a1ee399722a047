"""
Tests for L{echod.tap}.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from importlib.util import find_spec
from io import StringIO
from math import inf
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

from twisted.internet import endpoints
from twisted.internet import reactor as installed
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.testing import MemoryReactorClock
from twisted.python import usage
from twisted.python.systemd import ListenFDs
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

import echod
from echod.config import addresses, values
from echod.config import reactor as reactorchoice
from echod.config.addresses import BACKLOG
from echod.config.build import processRoom
from echod.config.config import SERVERS
from echod.config.options import EXAMPLES
from echod.impair.items import ITEMS
from echod.impair.tcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.capacity import SESSION_LINES
from echod.limits.descriptors import FD_SETSIZE, SPARE, openDescriptors, openFilesLimit
from echod.limits.networks import DENIED
from echod.limits.ratelimit import UDP_RATE
from echod.net.sockets import SPREADS
from echod.service.echoservice import EchoService
from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.service.listening import CannotServe, ListeningService
from echod.service.sdnotify import Notifier
from echod.tap import Options, makeService
from echod.tcp.echo import EchoFactory
from echod.tcp.goodbyeecho import GoodbyeEchoProtocol
from echod.tcp.greeting import GreetingFactory
from echod.tcp.plainecho import EchoProtocol
from echod.tcp.proxyprotocol import ProxyFactory
from echod.udp.echo import UDPEchoProtocol
from echod.udp.guard import OVER_RATE, RESERVED_PORT
from echod.workers.aggregatemonitor import AggregateMonitor
from echod.workers.service import WorkersService
from tests.support import NO_NUMBERS, lacking, logged, temporaryDirectory
from tests.support import config as support
from tests.support.status import Client
from tests.support.workers import ProcessReactor


def parse(*arguments: str) -> Options:
    """
    @return: The options of a command line.
    """
    return support.options(*arguments)


def serve(*arguments: str) -> list[ListeningService[Any]]:
    """
    @return: The services of a command line.
    """
    return makeService(parse(*arguments)).listening


def servers(*arguments: str) -> list[Any]:
    """
    @return: The servers of a command line.
    """
    return [service.server for service in serve(*arguments)]


def left(watchable: float = inf) -> int:
    """
    @return: How many connections the limit of open files allows.
    """
    return int(min(openFilesLimit(), watchable)) - openDescriptors() - SPARE


class UNIXPort:
    """
    A listening UNIX socket in memory.
    """

    def __init__(self, path: Path) -> None:
        self._address = UNIXAddress(str(path))
        self._socket = socket.socket(socket.AF_UNIX)

    def fileno(self) -> int:
        """
        @return: Its descriptor.
        """
        return self._socket.fileno()

    def stopReading(self) -> None:
        """
        Do nothing: the port has not begun to read.
        """

    def stopListening(self) -> None:
        """
        Stop listening.
        """
        self._socket.close()

    def getHost(self) -> UNIXAddress:
        """
        @return: Its address.
        """
        return self._address


class AddressTests(SynchronousTestCase):
    """
    Tests for the values of C{--greeting}, C{--tcp} and C{--udp}.
    """

    def addresses(self, *arguments: str) -> list[str]:
        """
        @return: The names of the addresses of a command line.
        """
        return [service.address for service in serve(*arguments)]

    def test_default(self) -> None:
        """
        Without these options, all three servers listen, on the article's ports and on the
        loopback address only.
        """
        self.assertEqual(
            [(service.server.service, service.address) for service in serve()],
            [
                ("TCP greeting", "127.0.0.1:9999"),
                ("TCP echo", "127.0.0.1:8080"),
                ("UDP echo", "127.0.0.1:8080"),
            ],
        )

    def test_onlyWhatWasAskedFor(self) -> None:
        """
        With one of these options, no other server listens; an option can be given more
        than once.
        """
        for option in ("greeting", "tcp", "udp"):
            self.assertEqual(
                self.addresses(f"--{option}", "8000", f"--{option}", "0"),
                ["127.0.0.1:8000", "127.0.0.1:0"],
            )

    def test_literalAddress(self) -> None:
        """
        A value of an address with a port is used as that address.
        """
        for option in ("greeting", "tcp", "udp"):
            for address in ("0.0.0.0:65535", "192.0.2.1:1", "[::]:80", "[fe80::1%eth0]:80"):
                self.assertEqual(self.addresses(f"--{option}", address), [address])

    def test_listenTCP(self) -> None:
        """
        A TCP server listens with a long queue.
        """
        options = parse("--tcp", "8000", "--tcp", "[::1]:8001")
        makeService(options).startService()
        self.assertEqual(
            [(port, backlog, host) for port, _, backlog, host in options.reactor.tcpServers],
            [(8000, BACKLOG, "127.0.0.1"), (8001, BACKLOG, "::1")],
        )

    def test_endpointDescription(self) -> None:
        """
        A TCP server takes any endpoint description.
        """
        for option in ("greeting", "tcp"):
            (service,) = serve(f"--{option}", "unix:/run/echod.sock")
            self.assertIsInstance(service.endpoint, UNIXServerEndpoint)
            self.assertEqual(service.address, "unix:/run/echod.sock")

    def test_handedOver(self) -> None:
        """
        Each of the three servers can use a socket from systemd.
        """
        with ExitStack() as stack:
            for option, kind, endpoint in (
                ("greeting", socket.SOCK_STREAM, InheritedStreamEndpoint),
                ("tcp", socket.SOCK_STREAM, InheritedStreamEndpoint),
                ("udp", socket.SOCK_DGRAM, InheritedUDPEndpoint),
            ):
                skt = stack.enter_context(socket.socket(socket.AF_INET, kind))
                skt.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    skt.listen()
                handedOver = ListenFDs([skt.fileno()], ["a"])
                self.patch(endpoints._SystemdParser, "_sddaemon", handedOver)
                (service,) = serve(f"--{option}", "systemd:domain=INET:name=a")
                self.assertEqual(service.address, "systemd:domain=INET:name=a")
                self.assertIsInstance(service.endpoint, endpoint)

    def test_notHandedOver(self) -> None:
        """
        A socket that systemd has not passed is refused.
        """
        for option in ("greeting", "tcp", "udp"):
            self.assertIn(
                f"--{option} systemd:domain=INET:index=0: no such socket was handed over",
                self.refuse(f"--{option}", "systemd:domain=INET:index=0"),
            )

    def test_proxied(self) -> None:
        """
        C{haproxy:} can stand before any TCP address, for a proxy that sends PROXY
        headers.
        """
        for option in ("greeting", "tcp"):
            arguments = [f"--{option}=haproxy:{value}" for value in ("80", "[::]:80", "tcp:80")]
            options = parse(*arguments)
            self.assertEqual(
                [address.text for address, _ in options.servers[option]],
                ["haproxy:127.0.0.1:80", "haproxy:[::]:80", "haproxy:tcp:80"],
            )
            makeService(options).startService()
            for _, factory, *_ in options.reactor.tcpServers:
                self.assertIsInstance(factory, ProxyFactory)
        self.assertIn("not with haproxy", self.refuse("--tcp", "haproxy:haproxy:tcp:80"))

    def refuse(self, *arguments: str) -> str:
        """
        @return: The error message for an invalid command line.
        """
        return str(self.assertRaises(UsageError, parse, *arguments))

    def test_badPort(self) -> None:
        """
        A port above the highest one is refused, and named.
        """
        for option in ("greeting", "tcp", "udp"):
            for value in ("99999", "0.0.0.0:99999", "[::]:99999"):
                self.assertIn("99999 is not a port", self.refuse(f"--{option}", value))

    def test_badAddress(self) -> None:
        """
        A host that is not a literal address is refused, and named.
        """
        for option in ("greeting", "tcp", "udp"):
            self.assertIn("'1.2.3' does not appear", self.refuse(f"--{option}", "1.2.3:80"))
            self.assertIn("'zz' does not appear", self.refuse(f"--{option}", "[zz]:80"))

    def test_nonsense(self) -> None:
        """
        An invalid value is refused with an example of a valid one.
        """
        for option in ("greeting", "tcp", "udp"):
            for value in (
                "x",
                "",
                "haproxy:",
                "\u0668\u0660",
                "-1",
                "[]:80",
                "8080 ",
            ):
                said = self.refuse(f"--{option}", value)
                self.assertTrue(said.startswith(f"--{option} "), said)
                self.assertIn("0.0.0.0:8080", said)
                self.assertNotIn("\n", said)

    def test_standardInput(self) -> None:
        """
        Standard input is refused, however its description is written, because echod
        cannot stop listening on it.
        """
        for option in ("greeting", "tcp"):
            for value in ("stdio:", "StdIO:", r"st\dio:", "x=1:stdio:", r"haproxy:st\dio:"):
                self.assertIn(
                    "standard input is not an address to listen on; a port (8080) or ",
                    self.refuse(f"--{option}", value),
                )

    def test_missingExtra(self) -> None:
        """
        A description that needs a package which is not installed is refused with the
        command that installs it.
        """
        self.patch(
            addresses, "serverFromString", lambda reactor, value: __import__("no_such_tls")
        )
        self.assertIn("needs the tls extra of txechod", self.refuse("--tcp", "ssl:0"))

    def test_badDescription(self) -> None:
        """
        An invalid endpoint description is refused with the message of its parser.
        """
        self.assertIn("unexpected keyword argument", self.refuse("--tcp", "tcp:0:x=1"))
        self.assertIn("invalid literal for int", self.refuse("--tcp", "unix:/x:mode=9"))

    def test_badNumberInAddress(self) -> None:
        """
        An invalid number in an address is refused in one line.
        """
        for number in NO_NUMBERS:
            for value in (
                f"tcp:{number}",
                f"haproxy:tcp:{number}",
                f"127.0.0.1:{number}",
                f"systemd:domain=INET:index={number}",
                f"unix:/x:mode={number}",
            ):
                said = self.refuse("--tcp", value)
                self.assertNotIn("\n", said)
                self.assertLess(len(said), 500)
            self.refuse("--udp", number)
            self.refuse("--status", f"tcp:{number}")
            self.refuse("--allow", f"10.0.0.0/{number}")


class StatusTests(SynchronousTestCase):
    """
    Tests for C{--status} and C{--session-log}.
    """

    def test_none(self) -> None:
        """
        Without the options, there is no status page and no session log.
        """
        self.assertEqual(list(makeService(parse()).observers), [])

    def test_status(self) -> None:
        """
        The status page listens on the given addresses, on loopback if only a port is
        given, and within the capacity for status pages.
        """
        self.needStatus()
        service = makeService(parse("--status", "8000", "--status", "unix:/run/echod.http"))
        monitor, first, second = list(service.observers)
        self.assertEqual(
            [(each.server.service, each.address) for each in (first, second)],
            [("HTTP status", "127.0.0.1:8000"), ("HTTP status", "unix:/run/echod.http")],
        )
        self.assertEqual(len(monitor.services), 3)
        for page in (first, second):
            self.assertIs(page.server.capacity, service.room.page)
        service.room.measure()
        rest = service.room.connections.most + 2 * service.room.page.most
        self.assertEqual(rest, left())

    def test_statusNames(self) -> None:
        """
        The page is served for the names of the machine, of the address and of
        C{--status-name}, and for no other name with a dot.
        """
        self.needStatus()
        names = ["--status-name=Echod.Example", "--status-name=b.example"]
        service = makeService(parse("--status=8000", *names))
        *_, site = list(service.observers)
        machine = f"{socket.gethostname().partition('.')[0]}.local"
        for host in (machine, "echod.example", "b.example:8000", "c.example"):
            client = Client(site.server)
            head = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            status = b"421" if host == "c.example" else b"200"
            self.assertTrue(client.send(head).startswith(b"HTTP/1.1 %b " % status), host)

    def test_badStatusName(self) -> None:
        """
        An invalid name is refused, and named.
        """
        self.assertEqual(
            str(self.assertRaises(UsageError, parse, "--status-name=http://a.example")),
            "--status-name http://a.example: not the name of a host, such as "
            "echod.example.com, nor *, which is any name",
        )

    def test_missingExtra(self) -> None:
        """
        If a package that the page needs is missing, the message says how to install it.
        """
        self.patch(addresses, "find_spec", lambda name: None)
        self.assertEqual(
            str(self.assertRaises(UsageError, parse, "--status", "8000")),
            "--status 8000: needs the status extra of txechod (prometheus_client)",
        )

    def test_badAddress(self) -> None:
        """
        An invalid address is refused, and named.
        """
        self.needStatus()
        said = str(self.assertRaises(UsageError, parse, "--status", "99999"))
        self.assertEqual(said, "--status 99999: 99999 is not a port; ports are 0 to 65535")

    def test_sessionLines(self) -> None:
        """
        The rate of log lines about sessions is that of the option; the workers share it.
        """
        for value, workers, rate in (
            (None, 1, SESSION_LINES),
            ("0", 1, 0),
            ("7", 1, 7),
            ("7", 2, 3.5),
            ("all", 2, inf),
        ):
            given = [] if value is None else [f"--session-lines={value}"]
            options = Options(ProcessReactor())
            options.parseOptions(["--tcp=0", f"--workers={workers}", *given])
            (service,) = makeService(options).listening
            self.assertEqual(service.server.limits.sessionLines, rate)  # type: ignore[attr-defined]

    def test_badSessionLines(self) -> None:
        """
        A rate of lines that is neither a number nor C{all} is refused, and named.
        """
        for value in ("x", "-1", "", "ALL"):
            said = str(self.assertRaises(UsageError, parse, f"--session-lines={value}"))
            self.assertIn(": neither all nor a number of lines a second: ", said)

    def test_sessionLog(self) -> None:
        """
        The session log is a file, wherever the daemon goes to, and with it the
        datagrams of each source are counted.  It is reopened with the service.
        """
        options = parse("--udp=0", "--session-log=log")
        self.assertEqual(options["session-log"], os.path.abspath("log"))
        service = makeService(options)
        (udp,), (log,) = list(service), list(service.observers)
        self.assertIsNotNone(udp.server.sources)
        self.assertEqual(service.onReopen, [log.reopen])
        (server,) = servers("--udp=0", "--session-log=log", "--impair=drop=1%")
        self.assertIsInstance(server, ImpairedUDPEchoProtocol)
        self.assertIsNotNone(server.sources)

    def needStatus(self) -> None:
        """
        Skip the test if the packages of the status page are not installed.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")


class WorkersTests(SynchronousTestCase):
    """
    Tests for C{--workers}.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")

    def parse(self, *arguments: str) -> Options:
        """
        @return: The options of a command line.
        """
        return support.options(*arguments, reactor=ProcessReactor())

    def refuse(self, *arguments: str, options: Options | None = None) -> str:
        """
        @return: The error message for an invalid command line.
        """
        options = options or Options(ProcessReactor())
        return str(self.assertRaises(UsageError, options.parseOptions, arguments))

    def test_one(self) -> None:
        """
        The default is one process.
        """
        for arguments in ([], ["--workers=1"]):
            service = makeService(self.parse(*arguments))
            self.assertIs(type(service), EchoService)
            self.assertEqual(len(service.listening), 3)

    def test_several(self) -> None:
        """
        With several workers, the parent binds the sockets before it drops its privileges;
        each worker gets its own sockets and the same options.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        path = temporaryDirectory(self) / "sessions"
        options = self.parse(
            *("--tcp=0", "--udp=0", f"--tcp=unix:{path}.socket", f"--session-log={path}"),
            *("--workers", "3", "--status=0"),
        )
        # It has not, in memory.
        options.reactor.listenUNIX = lambda *_, **__: UNIXPort(path)
        service = makeService(options)
        assert isinstance(service, WorkersService)
        log, whole, _ = service.observers
        self.assertIsInstance(whole, AggregateMonitor)
        service.privilegedStartService()
        self.assertEqual(options.reactor.processes, [])
        service.startService()
        processes = options.reactor.processes
        self.assertEqual(len(processes), 3)
        inherited = [process.more["childFDs"] for process in processes]
        for descriptor, shared in ((3, False), (4, True), (5, False), (6, True)):
            different = {each[descriptor] for each in inherited}
            self.assertEqual(len(different), 1 if shared else 3)
        self.assertEqual(inherited[0][6], log.fileno())
        names = processes[0].more["env"]["LISTEN_FDNAMES"]
        self.assertEqual(names, "tcp0:tcp1:udp0:session-log")
        self.assertEqual(processes[0].command[5:], [*options.arguments, "--workers=3"])
        processes[0].say()
        service.reopen()
        self.assertEqual(processes[0].signals, [signal.SIGUSR1])
        service.stopService()
        for process in processes:
            process.end()

    def test_nothingToShare(self) -> None:
        """
        If a server has no socket that workers can share, the start fails.
        """
        options = self.parse("--workers=2", "--tcp=0", "--udp=0")
        service = makeService(options)
        service.privilegedStartService()
        assert options.workers is not None
        options.workers.sockets["udp0"].clear()
        with logged() as lines:
            self.assertRaises(CannotServe, service.startService)
        self.assertIn("udp0 listens on nothing that workers can share", lines)
        self.assertEqual(options.reactor.processes, [])

    def test_auto(self) -> None:
        """
        C{auto} starts one worker for each core that this process may use.
        """
        allowed = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, allowed)
        for cores in (allowed, {min(allowed)}):
            os.sched_setaffinity(0, cores)
            self.assertEqual(self.parse("--workers=auto")["workers"], len(cores))

    def test_commandLine(self) -> None:
        """
        Unless another command line is given, the workers get that of the process.
        """
        self.patch(sys, "argv", ["twistd", "--workers=2", "--tcp=0"])
        options = Options(ProcessReactor())
        options.parseOptions()
        self.assertEqual(options.arguments, ["--workers=2", "--tcp=0"])

    def test_badNumber(self) -> None:
        """
        An invalid number of workers is refused with the valid values.
        """
        for value in ("0", "-1", "x", "", "1.5", "1025", "\u0662", "Auto"):
            said = self.refuse(f"--workers={value}")
            self.assertRegex(
                said, "^--workers .*: neither a number of processes, from 1 to 1024,"
            )

    def test_otherSystem(self) -> None:
        """
        On a system that does not spread connections over sockets, there is one worker at
        most.
        """
        error = self.assertRaises(ValueError, values.workers, "2", spreads=False)
        self.assertEqual(str(error), "only Linux spreads what comes over several processes")
        self.assertEqual(values.workers("auto", spreads=False), 1)

    def test_impossible(self) -> None:
        """
        A reactor without processes, a root directory without Python, and a seed that
        would not repeat anything are refused.
        """
        self.assertEqual(
            self.refuse("--workers=2", options=Options(MemoryReactorClock())),
            "--workers 2: MemoryReactorClock cannot start processes",
        )
        for chroot in (None, "/srv"):
            options = Options(ProcessReactor())
            options.parent = usage.Options()
            options.parent["chroot"] = chroot
            if chroot is None:
                options.parseOptions(["--workers=2"])
            else:
                self.assertRaises(SystemExit, options.parseOptions, ["--workers=2"])
        for specification in ("delay=1ms,seed=7", "udp:drop=1%,seed=7"):
            said = self.refuse("--workers=2", f"--impair={specification}")
            self.assertIn("a seed of --impair repeats nothing", said)
        self.parse("--workers=2", "--impair=delay=1ms")

    def test_maxConnections(self) -> None:
        """
        The workers share the limit of connections, rounded up, and the log says so.
        """
        service = makeService(self.parse("--workers=3", "--max-connections=10"))
        server: Any = service.listening[0].server
        self.assertEqual(server.limits.capacity.most, 4)
        self.assertIn(
            "in each of 3 workers: 4 connections for each service, as many connections as its "
            "limit of open files leaves for all together, ",
            service.limits(),
        )


class OptionsTests(SynchronousTestCase):
    """
    Tests for the other options, and for the start.
    """

    def test_greetingText(self) -> None:
        """
        The default greeting is the article's; another one is sent unchanged.
        """
        for arguments, greeting in (
            ([], b"Thank you for connecting\r\n"),
            (["--greeting-text", "héhé\udcff"], "héhé".encode() + b"\xff\r\n"),
        ):
            (server,) = servers("--greeting", "0", *arguments)
            assert isinstance(server, GreetingFactory)
            self.assertEqual(server.greeting, greeting)

    def test_noGoodbye(self) -> None:
        """
        A goodbye ends a TCP echo session unless C{--no-goodbye} is given.
        """
        for arguments, protocol in (
            ([], GoodbyeEchoProtocol),
            (["--no-goodbye"], EchoProtocol),
        ):
            (server,) = servers("--tcp", "0", *arguments)
            assert isinstance(server, EchoFactory)
            self.assertIs(server.protocol, protocol)

    def test_showMessages(self) -> None:
        """
        Only with C{--show-messages}, all three servers log messages.
        """
        self.assertEqual([server.showMessages for server in servers()], [False] * 3)
        self.assertEqual(
            [server.showMessages for server in servers("--show-messages")], [True] * 3
        )

    def test_oneGuard(self) -> None:
        """
        All UDP servers share one loop guard.
        """
        first, second = servers("--udp", "0.0.0.0:8000", "--udp", "0.0.0.0:8001")
        assert isinstance(first, UDPEchoProtocol)
        self.assertIs(first.guard, second.guard)

    def test_limits(self) -> None:
        """
        The default limits suit a public server; options change them.
        """
        for arguments, expected in (
            ([], (0, 600, 5)),
            (
                ["--max-per-source=2", "--idle-timeout=0.5", "--drain-timeout=0"],
                (2, 0.5, 0),
            ),
        ):
            for server in servers("--greeting", "0", "--tcp", "0", *arguments):
                limits = server.limits
                self.assertEqual(
                    (limits.maxPerSource, limits.idleTimeout, limits.drainTimeout), expected
                )

    def test_capacity(self) -> None:
        """
        All services share the capacity of the process, and C{--max-connections} limits
        each.
        """
        for most in (0, 10, 1000000000):
            service = makeService(parse("--tcp=0", "--tcp=0", f"--max-connections={most}"))
            service.room.connections.most = 15
            servers: list[Any] = [each.server for each in service.listening]
            first, second = [server.limits.capacity for server in servers]
            while not first.full:
                first.taken += 1
            self.assertEqual(first.taken, most if most == 10 else 15)
            self.assertEqual(second.full, most != 10)
            second.taken += 5
            self.assertTrue(second.full)

    def test_selectReactor(self) -> None:
        """
        The number of descriptors that C{select} can watch limits the connections, however
        many files may be open.
        """
        options = parse("--tcp", "0")
        for reactor, most in (
            (options.reactor, left()),
            (SelectReactor.__new__(SelectReactor), left(FD_SETSIZE)),
        ):
            room = processRoom(options.config, reactor)
            room.measure()
            self.assertEqual(room.connections.most, most)

    def test_networks(self) -> None:
        """
        Allowed and denied networks apply to all services.
        """
        served = [f"--{server}=0.0.0.0:0" for server in SERVERS]
        greeting, tcp, udp = servers(
            *served, "--allow=10.0.0.0/8", "--deny=10.1.0.0/16", "--deny=::1"
        )
        for networks in (greeting.limits.networks, tcp.limits.networks):
            self.assertTrue(networks.serves("10.2.0.1"))
            self.assertFalse(networks.serves("10.1.0.1"))
        self.assertEqual(udp.guard.refusal("10.1.0.1", 40000), DENIED)
        self.assertIsNone(udp.guard.refusal("10.2.0.1", 40000))

    def test_connectRate(self) -> None:
        """
        Each TCP service limits the connection rate of a source, unless the rate is 0.
        """
        for arguments, limited in (([], False), (["--connect-rate=1"], True)):
            for server in servers("--tcp=0", "--tcp=0", "--greeting=0", *arguments):
                peer = IPv4Address("TCP", "192.0.2.1", 40000)
                self.assertIsNone(server.refusal(peer))
                self.assertEqual(server.refusal(peer) is not None, limited)

    def test_udpRate(self) -> None:
        """
        The datagram rate of a source is limited, unless the rate is 0.
        """
        for arguments, answered in (
            ([], UDP_RATE),
            (["--udp-rate=1"], 1),
            (["--udp-rate=0"], 0),
        ):
            (server,) = servers("--udp", "0.0.0.0:0", *arguments)
            for _ in range(answered):
                self.assertIsNone(server.guard.refusal("192.0.2.1", 40000))
            refusal = server.guard.refusal("192.0.2.1", 40000)
            self.assertEqual(refusal, OVER_RATE if answered else None)

    def test_answerReservedPorts(self) -> None:
        """
        Datagrams from ports below 1024 are answered only with the option.
        """
        for arguments, refusal in (
            ([], RESERVED_PORT),
            (["--answer-reserved-ports"], None),
        ):
            (server,) = servers("--udp", "0", *arguments)
            self.assertEqual(server.guard.refusal("127.0.0.1", 123), refusal)

    def test_limitsInWords(self) -> None:
        """
        The log shows the limits.
        """
        connections = left()
        for arguments, words in (
            (
                [],
                f"{connections} connections for all together, "
                "any number of connections from one source, any number of new ones a second; "
                "sessions idle for 600 s; 10000 datagrams a second to one address; "
                "5 s to drain",
            ),
            (
                [
                    *("--max-connections=0", "--max-per-source=2", "--idle-timeout=0"),
                    "--connect-rate=7",
                    *("--udp-rate=0", "--drain-timeout=0.5"),
                    *("--allow=10.0.0.0/8", "--deny=10.1.0.0/16", "--deny=::1"),
                    *("--tcp=haproxy:0", "--proxy-from=192.0.2.0/24"),
                ],
                f"{connections} connections for all together, 2 connections from one source, "
                "7 new ones a second; "
                "sessions idle for ever; any number of datagrams a second to one address; "
                "0.5 s to drain; allowed: 10.0.0.0/8; denied: 10.1.0.0/16, ::1/128; "
                "PROXY headers from: 192.0.2.0/24",
            ),
            (
                ["--max-connections=5"],
                f"5 connections for each service, {connections} connections for all together, "
                "any number of connections from one source, any number of new ones a second; "
                "sessions idle for 600 s; 10000 datagrams a second to one address; "
                "5 s to drain",
            ),
        ):
            service = makeService(parse(*arguments))
            for child in list(service):
                service.removeService(child)
            with logged() as lines:
                service.startService()
            self.assertEqual(lines[-1], f"limits: {words}")

    def test_badNumbers(self) -> None:
        """
        An invalid number is refused with its option and with valid values.
        """
        for option in ("max-connections", "max-per-source", "connect-rate", "udp-rate"):
            for value in ("1.5", "x", *NO_NUMBERS):
                said = str(self.assertRaises(UsageError, parse, f"--{option}={value}"))
                self.assertRegex(said, f"^--{option} .*: not a whole number from 0 to 10+$")
                self.assertLess(len(said), 300)
        for option in ("idle-timeout", "drain-timeout"):
            for value in ("x", "10s", *NO_NUMBERS):
                said = str(self.assertRaises(UsageError, parse, f"--{option}={value}"))
                self.assertRegex(said, f"^--{option} .*: not a number of seconds, such as")
                self.assertLess(len(said), 300)
        for value in ("0", *NO_NUMBERS):
            said = str(self.assertRaises(UsageError, parse, f"--workers={value}"))
            self.assertRegex(said, "^--workers .*: neither a number of processes, from 1 to")
            self.assertLess(len(said), 300)

    def test_badNetworks(self) -> None:
        """
        An invalid network is refused, and named; so is a network that is both allowed and
        denied.
        """
        for option in ("allow", "deny", "proxy-from"):
            for value in ("x", "10.0.0.1/8", "10.0.0.0/33", ""):
                said = self.assertRaises(UsageError, parse, f"--{option}={value}")
                self.assertRegex(str(said), f"^--{option} .*; a network is an address")
        said = self.assertRaises(UsageError, parse, "--allow=::/0", "--deny=::/0")
        self.assertEqual(str(said), "--allow and --deny: ::/0 is both allowed and denied")

    def test_proxyFrom(self) -> None:
        """
        Only proxies in the given networks may send PROXY headers, to all servers.
        """
        for arguments, served in (([], True), (["--proxy-from=10.0.0.0/8"], False)):
            options = parse("--tcp=haproxy:0", "--status=haproxy:0", *arguments)
            for _, endpoint in (*options.servers["tcp"], *options.status):
                endpoint.listen(Factory())
            for _, factory, _, _ in options.reactor.tcpServers:
                self.assertIsInstance(factory, ProxyFactory)
                for host, expected in (("192.0.2.1", served), ("10.0.0.1", True)):
                    built = factory.buildProtocol(IPv4Address("TCP", host, 40000))
                    self.assertEqual(built is not None, expected)

    def test_proxyFromNobody(self) -> None:
        """
        C{--proxy-from} without an address that expects PROXY headers is refused.
        """
        said = self.assertRaises(UsageError, parse, "--proxy-from=10.0.0.0/8", "--tcp=0")
        self.assertEqual(str(said), "--proxy-from: no address starts with haproxy:")

    def test_proxyNote(self) -> None:
        """
        The log shows which addresses expect PROXY headers, and from which networks.
        """
        everyone = "expects a PROXY header, from everyone who connects (see --proxy-from)"
        known = "expects a PROXY header, only from 10.0.0.0/8, ::1/128"
        for arguments, notes in (
            (["--tcp=0"], [""]),
            (["--tcp=haproxy:0", "--greeting=0"], ["", everyone]),
            (["--tcp=haproxy:0", "--proxy-from=10.0.0.0/8", "--proxy-from=::1"], [known]),
        ):
            service = makeService(parse(*arguments))
            self.assertEqual([each.note for each in service.listening], notes)
        service = makeService(parse("--tcp=0", "--status=haproxy:0"))
        self.assertIn(everyone, [getattr(each, "note", "") for each in service.observers])

    def test_notifier(self) -> None:
        """
        Under twistd, echod notifies systemd if that asks for it; embedded in another
        program, it does not.
        """
        self.patch(os, "environ", {"NOTIFY_SOCKET": "/run/systemd/notify"})
        for parent, told in ((Options(), [Notifier]), (None, [])):
            options = parse("--tcp", "0")
            options.parent = parent
            _, *others = makeService(options)
            self.assertEqual([type(other) for other in others], told)

    def test_steadyClock(self) -> None:
        """
        Under twistd, timers do not depend on the time of day; a program that embeds echod
        keeps its own clock.
        """
        for parent, steady in ((None, False), (Options(), True)):
            self.patch(installed, "seconds", installed.seconds)
            options = Options()
            options.parent = parent
            self.assertEqual(options.reactor.seconds is monotonic, steady)

    def test_strayArgument(self) -> None:
        """
        An argument without an option is refused, and named.
        """
        error = self.assertRaises(UsageError, parse, "8080")
        self.assertIn("unexpected argument 8080", str(error))

    def test_belowTwistd(self) -> None:
        """
        An invalid command line of the subcommand is one line and exit status 1.
        """
        options = Options(MemoryReactorClock())
        options.parent = Options()
        error = self.assertRaises(SystemExit, options.parseOptions, ["--tcp", "99999"])
        self.assertEqual(
            error.code, "echod: --tcp 99999: 99999 is not a port; ports are 0 to 65535"
        )

    def test_oneLine(self) -> None:
        """
        The message for a refused value is one line, whatever characters the value has.
        """
        error = self.assertRaises(UsageError, parse, "--tcp", "a\r\nb")
        self.assertIn(r"--tcp 'a\r\nb': neither a port", str(error))

    def test_help(self) -> None:
        """
        The help ends with examples.
        """
        usage = Options().getUsage()
        self.assertIn("Examples:\n  twistd -n echod ", usage)

    def test_examples(self) -> None:
        """
        The examples in the help are valid command lines.
        """
        examples = re.findall("twistd -n echod(.*?)(?:  |$)", EXAMPLES, re.MULTILINE)
        # The one with TLS needs a key; docs/howto/tls.rst has it.
        examples = [example for example in examples if "ssl:" not in example]
        self.assertGreater(len(examples), 5)
        for example in examples:
            parse(*shlex.split(example))

    def test_version(self) -> None:
        """
        The version is echod's, not Twisted's.
        """
        with redirect_stdout(StringIO()) as said:
            error = self.assertRaises(SystemExit, parse, "--version")
        self.assertEqual(error.code, 0)
        self.assertEqual(said.getvalue(), f"echod {echod.__version__}\n")

    def test_fastestReactor(self) -> None:
        """
        Under twistd, the fastest installed reactor is used if none was chosen; a program
        that embeds echod keeps its own.
        """
        chosen: list[str] = []
        for parent, error, expected in (
            (None, None, []),
            (Options(), None, ["echod.uvloopreactor.install"]),
            (Options(), ImportError(), []),
        ):
            chosen.clear()

            def find(name: str, error: Exception | None = error) -> Callable[[], None]:
                if error is not None:
                    raise error
                return lambda: chosen.append(name)

            self.patch(reactorchoice, "namedAny", find)
            self.patch(installed, "seconds", installed.seconds)
            options = Options()
            options.parent = parent
            modules = dict(sys.modules)
            del modules["twisted.internet.reactor"]
            self.patch(reactorchoice, "sys", SimpleNamespace(modules=modules))
            self.assertIs(options.reactor, installed)
            self.assertEqual(chosen, expected)

    def test_installedReactor(self) -> None:
        """
        The default is the installed reactor.
        """
        self.assertIs(Options().reactor, installed)


class ImpairTests(SynchronousTestCase):
    """
    Tests for C{--impair}.
    """

    def test_without(self) -> None:
        """
        Without the option, each server is of its usual class.
        """
        self.assertEqual(
            [type(server) for server in servers()],
            [GreetingFactory, EchoFactory, UDPEchoProtocol],
        )

    def test_all(self) -> None:
        """
        With the option, each server that an item fits is of its impaired class, with its
        own impairments.
        """
        greeting, tcp, udp = servers(
            "--impair", "delay=50ms,drop=1%,seed=7", "--impair", "tcp:pieces=1-7"
        )
        self.assertEqual(
            [type(server) for server in (greeting, tcp, udp)],
            [ImpairedGreetingFactory, ImpairedEchoFactory, ImpairedUDPEchoProtocol],
        )
        self.assertEqual(
            [str(server.impairments) for server in (greeting, tcp, udp)],
            [
                "delay=50ms,seed=7",
                "delay=50ms,pieces=1-7,seed=7",
                "delay=50ms,drop=1%,seed=7",
            ],
        )

    def test_one(self) -> None:
        """
        A server that no item fits is not impaired.
        """
        greeting, tcp, udp = servers("--impair", "drop=1%", "--no-goodbye")
        self.assertEqual((type(greeting), type(tcp)), (GreetingFactory, EchoFactory))
        self.assertIs(tcp.protocol, EchoProtocol)
        self.assertIsInstance(udp, ImpairedUDPEchoProtocol)

    def test_options(self) -> None:
        """
        The other options apply to impaired servers too.
        """
        greeting, tcp, udp = servers(
            *("--impair", "delay=1ms", "--no-goodbye", "--show-messages"),
            *("--idle-timeout", "3", "--greeting-text", "Hello"),
        )
        self.assertEqual(greeting.greeting, b"Hello\r\n")
        self.assertIs(tcp.protocol, EchoProtocol)
        self.assertEqual(tcp.limits.idleTimeout, 3)
        self.assertTrue(udp.showMessages)

    def test_help(self) -> None:
        """
        The help lists all items.
        """
        for item in ITEMS:
            self.assertIn(f" {item}=", Options().getUsage())

    def test_nonsense(self) -> None:
        """
        An invalid specification is refused in one line that names it.
        """
        for arguments, problem in (
            (["--impair", "drop=1"], "--impair: drop=1: a share is written as"),
            (["--impair", "x y"], "--impair: x y is no impairment: delay, "),
            (
                ["--udp", "0", "--impair", "pieces=1-3"],
                "--impair: pieces fits nothing that is served",
            ),
        ):
            error = self.assertRaises(UsageError, parse, *arguments)
            self.assertTrue(str(error).startswith(problem), str(error))
            self.assertNotIn("\n", str(error))
