"""
Tests for L{echod.config.build}: which servers a command line makes.
"""

from __future__ import annotations

import socket

from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.config.addresses import BACKLOG
from echod.config.build import serverEndpoints
from echod.config.config import SERVERS
from echod.config.options import Options
from echod.impair.tcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.tap import makeService
from echod.tcp.echo import EchoFactory
from echod.tcp.goodbyeecho import GoodbyeEchoProtocol
from echod.tcp.greeting import GreetingFactory
from echod.tcp.plainecho import EchoProtocol
from echod.tcp.proxyprotocol import ProxyFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support.config import oneHost, options, serve, servers

TCP = ("greeting", "tcp")


class AddressTests(SynchronousTestCase):
    """
    Tests for the addresses on which servers listen.
    """

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

    def test_addresses(self) -> None:
        """
        With one of these options, only the given addresses are listened on, as they were
        written; a port alone is on the loopback address.
        """
        literal = ("0.0.0.0:65535", "192.0.2.1:1", "[::]:80", "[fe80::1%eth0]:80")
        for option in SERVERS:
            services = serve(*(f"--{option}={value}" for value in ("8000", "0", *literal)))
            self.assertEqual(
                [service.address for service in services],
                ["127.0.0.1:8000", "127.0.0.1:0", *literal],
            )

    def test_listenTCP(self) -> None:
        """
        A TCP server listens with a long queue.
        """
        parsed = options("--tcp=8000", "--tcp=[::1]:8001")
        makeService(parsed).startService()
        self.assertEqual(
            [(port, backlog, host) for port, _, backlog, host in parsed.reactor.tcpServers],
            [(8000, BACKLOG, "127.0.0.1"), (8001, BACKLOG, "::1")],
        )

    def test_endpointDescription(self) -> None:
        """
        A TCP server takes any endpoint description.
        """
        for option in TCP:
            (service,) = serve(f"--{option}=unix:/run/echod.sock")
            self.assertIsInstance(service.endpoint, UNIXServerEndpoint)
            self.assertEqual(service.address, "unix:/run/echod.sock")

    def test_handedOver(self) -> None:
        """
        Each server can use a socket that was handed over, if it is of its kind.
        """
        description = "systemd:domain=INET:name=a"
        asked = []

        def find(*question: object) -> tuple[int, socket.AddressFamily]:
            asked.append(question)
            return 3, socket.AF_INET

        parsed = Options()
        parsed.parseOptions([f"--{option}={description}" for option in SERVERS])
        made = serverEndpoints(
            parsed.config, lambda name: (MemoryReactorClock(), find), oneHost
        )
        for option, kind, endpoint in (
            ("greeting", socket.SOCK_STREAM, InheritedStreamEndpoint),
            ("tcp", socket.SOCK_STREAM, InheritedStreamEndpoint),
            ("udp", socket.SOCK_DGRAM, InheritedUDPEndpoint),
        ):
            ((address, found),) = made[option]
            self.assertEqual(address.text, description)
            self.assertIsInstance(found, endpoint)
            self.assertEqual(asked.pop(0), (description, kind))

    def test_proxied(self) -> None:
        """
        C{haproxy:} can stand before any TCP address, for a proxy that sends PROXY
        headers.
        """
        for option in TCP:
            values = ("80", "[::]:80", "tcp:80")
            parsed = options(*(f"--{option}=haproxy:{value}" for value in values))
            self.assertEqual(
                [address.text for address, _ in parsed.servers[option]],
                ["haproxy:127.0.0.1:80", "haproxy:[::]:80", "haproxy:tcp:80"],
            )
            makeService(parsed).startService()
            for _, factory, *_ in parsed.reactor.tcpServers:
                self.assertIsInstance(factory, ProxyFactory)


class ServerTests(SynchronousTestCase):
    """
    Tests for the servers themselves.
    """

    def test_greetingText(self) -> None:
        """
        The default greeting is the article's; another one is sent unchanged.
        """
        for arguments, greeting in (
            ([], b"Thank you for connecting\r\n"),
            (["--greeting-text=h\xe9h\xe9\udcff"], "h\xe9h\xe9".encode() + b"\xff\r\n"),
        ):
            (server,) = servers("--greeting=0", *arguments)
            self.assertEqual(server.greeting, greeting)

    def test_noGoodbye(self) -> None:
        """
        A goodbye ends a TCP echo session unless C{--no-goodbye} is given.
        """
        for arguments, protocol in (
            ([], GoodbyeEchoProtocol),
            (["--no-goodbye"], EchoProtocol),
        ):
            (server,) = servers("--tcp=0", *arguments)
            self.assertIs(server.protocol, protocol)

    def test_showMessages(self) -> None:
        """
        Only with C{--show-messages}, all three servers log messages.
        """
        self.assertEqual([server.showMessages for server in servers()], [False] * 3)
        shown = [server.showMessages for server in servers("--show-messages")]
        self.assertEqual(shown, [True] * 3)

    def test_oneGuard(self) -> None:
        """
        All UDP servers share one loop guard.
        """
        first, second = servers("--udp=0.0.0.0:8000", "--udp=0.0.0.0:8001")
        self.assertIs(first.guard, second.guard)


class ImpairTests(SynchronousTestCase):
    """
    Tests for C{--impair}.
    """

    def test_kinds(self) -> None:
        """
        Each server that an item fits is of its impaired class, with its own impairments;
        another server is of its usual class.
        """
        usual = [GreetingFactory, EchoFactory, UDPEchoProtocol]
        impaired = [ImpairedGreetingFactory, ImpairedEchoFactory, ImpairedUDPEchoProtocol]
        for specifications, kinds, impairments in (
            ([], usual, [None] * 3),
            (["drop=1%,seed=7"], [*usual[:2], impaired[2]], [None, None, "drop=1%,seed=7"]),
            (
                ["delay=50ms,drop=1%,seed=7", "tcp:pieces=1-7"],
                impaired,
                [
                    "delay=50ms,seed=7",
                    "delay=50ms,pieces=1-7,seed=7",
                    "delay=50ms,drop=1%,seed=7",
                ],
            ),
        ):
            made = servers(*(f"--impair={each}" for each in specifications))
            self.assertEqual([type(server) for server in made], kinds)
            for server, expected in zip(made, impairments, strict=True):
                if expected is not None:
                    self.assertEqual(str(server.impairments), expected)

    def test_options(self) -> None:
        """
        The other options apply to impaired servers too.
        """
        greeting, tcp, udp = servers(
            *("--impair=delay=1ms", "--no-goodbye", "--show-messages", "--session-log=log"),
            *("--idle-timeout=3", "--greeting-text=Hello"),
        )
        self.assertEqual(greeting.greeting, b"Hello\r\n")
        self.assertIs(tcp.protocol, EchoProtocol)
        self.assertEqual(tcp.limits.idleTimeout, 3)
        self.assertTrue(udp.showMessages)
        self.assertIsNotNone(udp.sources)
