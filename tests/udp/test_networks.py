"""
Tests of UDP echo in networks of their own.
"""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from ipaddress import ip_address
from subprocess import PIPE, run

from twisted.trial.unittest import SynchronousTestCase

from soak.namespaces import Namespace, chain
from tests.support import ENVIRONMENT
from tests.support.daemon import PATIENCE, Daemon

PORT = 7007

BOTH_KINDS = ("--udp", f"0.0.0.0:{PORT}", "--udp", f"[::]:{PORT + 1}")
"""
A server with an IPv4 socket, and one with an IPv6 socket.
"""

SMALL_MTU = 1300

ONE_BY_ONE = "--show-messages"
"""
With this option datagrams are returned one by one.
"""

OWN_ADDRESS = """
from echod import DatagramGuard
from echod.limits.ratelimit import RateLimit
for host in ("10.0.0.1", "fd00::1", "::1", "10.0.0.2"):
    guard = DatagramGuard(rate=RateLimit(1))
    print(*(guard.refusal(host, 40000, now=1000) for _ in range(2)), sep=", ")
"""


class NetworkTests(SynchronousTestCase):
    """
    UDP echo between namespaces.
    """

    def chain(self, routers: int = 0) -> list[Namespace]:
        """
        @return: Two hosts, and routers between them.
        """
        undo = ExitStack()
        self.addCleanup(undo.close)
        return undo.enter_context(chain(routers))

    def client(self, namespace: Namespace, host: str, port: int = PORT) -> socket.socket:
        """
        @return: A socket in a namespace, which is connected to a server.
        """
        family = socket.AF_INET6 if ip_address(host).version == 6 else socket.AF_INET
        client = namespace.socket(family, socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        client.connect((host, port))
        return client

    def test_smallMTU(self) -> None:
        """
        A client behind a router with a small MTU has large datagrams back, even if no
        ICMP message of the router reaches the server.
        """
        first, router, last = self.chain(1)
        for namespace, device in ((first, "right"), (router, "left")):
            namespace.ip(f"link set {device} mtu {SMALL_MTU}")
        # Packets that the router itself sends are dropped, forwarded ones are not.
        router.ip("rule add iif lo blackhole pref 10")
        for options in ((), (ONE_BY_ONE,)):
            with Daemon(*BOTH_KINDS, *options, below=last.below):
                for port in (PORT, PORT + 1):
                    client = self.client(first, "10.0.1.2", port)
                    for size in (1400, 65507):
                        client.send(b"x" * size)
                        self.assertEqual(len(client.recv(1 << 16)), size)

    def test_broadcast(self) -> None:
        """
        A datagram to the broadcast address of a network is refused as sent to a group, on
        an IPv6 socket as well.
        """
        first, last = self.chain()
        for options in ((), (ONE_BY_ONE,)):
            with (
                Daemon(*BOTH_KINDS, *options, below=last.below) as daemon,
                first.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
            ):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                for port in (PORT, PORT + 1):
                    client.sendto(b"hello", ("10.0.0.255", port))
                    daemon.expect(r"refused 10\.0\.0\.1:\d+: sent to a group")

    def test_listenOnBroadcast(self) -> None:
        """
        echod does not listen on the broadcast address of a network of this machine.
        """
        first, _ = self.chain()
        done = run(
            [*first.below, *Daemon.command(None), "--udp", f"10.0.0.255:{PORT}"],
            env=ENVIRONMENT,
            stdout=PIPE,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            f"cannot listen on 10.0.0.255:{PORT}: 10.0.0.255 is a broadcast address",
            done.stdout,
        )

    def test_unreachable(self) -> None:
        """
        An answer that cannot be sent costs this answer only.
        """
        first, last = self.chain()
        last.ip("route del default", "route add prohibit 10.0.9.0/24")
        first.ip("address add 10.0.8.1/32 dev lo", "address add 10.0.9.1/32 dev lo")
        last.set("net/ipv4/conf/all/rp_filter", "0")
        last.set("net/ipv4/conf/left/rp_filter", "0")
        for options in ((), (ONE_BY_ONE,)):
            with Daemon("--udp", f"0.0.0.0:{PORT}", *options, below=last.below) as daemon:
                for source in ("10.0.8.1", "10.0.9.1"):
                    with first.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                        stranger.bind((source, 0))
                        stranger.sendto(b"hello", ("10.0.0.2", PORT))
                    client = self.client(first, "10.0.0.2")
                    client.send(b"hello")
                    self.assertEqual(client.recv(10), b"hello")
                daemon.expect(r"refused 10\.0\.8\.1:\d+: send error")

    def test_ownAddresses(self) -> None:
        """
        Addresses of this machine have no rate limit if no host outside can use them:
        Linux does not drop datagrams from outside with an IPv6 address of this machine.
        """
        first, _ = self.chain()
        done = run(
            [*first.below, sys.executable, "-c", OWN_ADDRESS],
            env=ENVIRONMENT,
            stdout=PIPE,
            text=True,
            timeout=PATIENCE,
        )
        over = "None, over the rate of its source"
        self.assertEqual(done.stdout.splitlines(), ["None, None", over, "None, None", over])
