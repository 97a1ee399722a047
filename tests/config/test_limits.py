"""
Tests for the limits of the servers.
"""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory
from twisted.internet.selectreactor import SelectReactor
from twisted.trial.unittest import SynchronousTestCase

from echod.config.build import processRoom
from echod.config.config import SERVERS
from echod.limits.descriptors import FD_SETSIZE, SPARE, openDescriptors, openFilesLimit
from echod.limits.networks import DENIED
from echod.limits.ratelimit import UDP_RATE
from echod.tap import makeService
from echod.tcp.proxyprotocol import ProxyFactory
from echod.udp.guard import OVER_RATE, RESERVED_PORT
from tests.support.config import options, servers

PEER = IPv4Address("TCP", "192.0.2.1", 40000)


class LimitTests(SynchronousTestCase):
    """
    Tests for the options of the limits.
    """

    def test_timeouts(self) -> None:
        """
        The default limits suit a public server; options change them.
        """
        for arguments, expected in (
            ([], (0, 600, 5)),
            (["--max-per-source=2", "--idle-timeout=0.5", "--drain-timeout=0"], (2, 0.5, 0)),
        ):
            for server in servers("--greeting=0", "--tcp=0", *arguments):
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
            service = makeService(options("--tcp=0", "--tcp=0", f"--max-connections={most}"))
            service.room.connections.most = 15
            servers: list[Any] = [each.server for each in service.listening]
            first, second = [server.limits.capacity for server in servers]
            while not first.full:
                first.take(1)
            self.assertEqual(first.taken, most if most == 10 else 15)
            self.assertEqual(second.full, most != 10)
            second.take(5)
            self.assertTrue(second.full)

    def test_selectReactor(self) -> None:
        """
        The number of descriptors that C{select} can watch limits the connections, however
        many files may be open.
        """
        parsed = options("--tcp=0")
        for reactor, watchable in (
            (parsed.reactor, inf),
            # Without its waker, which takes descriptors.
            (SelectReactor.__new__(SelectReactor), FD_SETSIZE),
        ):
            room = processRoom(parsed.config, reactor)
            room.measure()
            most = int(min(openFilesLimit(), watchable)) - openDescriptors() - SPARE
            self.assertEqual(room.connections.most, most)

    def test_networks(self) -> None:
        """
        Allowed and denied networks apply to all services.
        """
        greeting, tcp, udp = servers(
            *(f"--{server}=0.0.0.0:0" for server in SERVERS),
            *("--allow=10.0.0.0/8", "--deny=10.1.0.0/16", "--deny=::1"),
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
                self.assertIsNone(server.admission.refusal(PEER, 0))
                self.assertEqual(server.admission.refusal(PEER, 0) is not None, limited)

    def test_udpRate(self) -> None:
        """
        The datagram rate of a source is limited, unless the rate is 0.
        """
        for arguments, answered, refusal in (
            ([], UDP_RATE, OVER_RATE),
            (["--udp-rate=1"], 1, OVER_RATE),
            (["--udp-rate=0"], 0, None),
        ):
            (server,) = servers("--udp=0.0.0.0:0", *arguments)
            for _ in range(answered):
                self.assertIsNone(server.guard.refusal("192.0.2.1", 40000))
            self.assertEqual(server.guard.refusal("192.0.2.1", 40000), refusal)

    def test_answerReservedPorts(self) -> None:
        """
        Datagrams from ports below 1024 are answered only with the option.
        """
        for arguments, refusal in (([], RESERVED_PORT), (["--answer-reserved-ports"], None)):
            (server,) = servers("--udp=0", *arguments)
            self.assertEqual(server.guard.refusal("127.0.0.1", 123), refusal)

    def test_proxyFrom(self) -> None:
        """
        Only proxies in the given networks may send PROXY headers, to all servers.
        """
        for arguments, served in (([], True), (["--proxy-from=10.0.0.0/8"], False)):
            parsed = options("--tcp=haproxy:0", "--status=haproxy:0", *arguments)
            for _, endpoint in (*parsed.servers["tcp"], *parsed.status):
                endpoint.listen(Factory())
            for _, factory, _, _ in parsed.reactor.tcpServers:
                self.assertIsInstance(factory, ProxyFactory)
                for host, expected in (("192.0.2.1", served), ("10.0.0.1", True)):
                    built = factory.buildProtocol(IPv4Address("TCP", host, 40000))
                    self.assertEqual(built is not None, expected)
