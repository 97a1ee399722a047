"""
Tests for L{echod.udp.options}.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.udp.echo import UDPEchoProtocol
from echod.udp.guard import ANSWER_TTL
from echod.udp.options import (
    IP_PKTINFO,
    LINUX,
    MissingOptions,
    asksForDestination,
    serveIPv4,
    setOptions,
)
from echod.udp.pktinfo import PacketInfoPort
from tests.support import FakeSocket, clock, logged
from tests.support.udp import MemorySocketPort

IPV4 = {
    "IP_TTL": (socket.IPPROTO_IP, socket.IP_TTL),
    "IP_RECVTTL": (socket.IPPROTO_IP, 12),
    "IP_MTU_DISCOVER": (socket.IPPROTO_IP, 10),
}
IPV6 = {
    "IPV6_UNICAST_HOPS": (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
    "IPV6_RECVHOPLIMIT": (socket.IPPROTO_IPV6, 51),
    "IPV6_MTU_DISCOVER": (socket.IPPROTO_IPV6, 23),
}
ASKING4 = {"IP_PKTINFO": (socket.IPPROTO_IP, IP_PKTINFO)}
ASKING6 = {"IPV6_RECVPKTINFO": (socket.IPPROTO_IPV6, 49)}
V6ONLY = {"IPV6_V6ONLY": (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)}

PMTUDISC_DO = 2
"""
Always set "don't fragment".
"""

VALUES = {
    "IP_TTL": ANSWER_TTL,
    "IP_RECVTTL": 1,
    "IPV6_UNICAST_HOPS": ANSWER_TTL,
    "IPV6_RECVHOPLIMIT": 1,
}
"""
The values of all options that are not 0.
"""


class Everything:
    """
    Contains every option.
    """

    def __contains__(self, option: object) -> bool:
        return True


class SetOptionsTests(SynchronousTestCase):
    """
    Tests for L{setOptions}.
    """

    if not LINUX:
        skip = "needs Linux"

    def test_values(self) -> None:
        """
        Answers leave with their own TTL and without "don't fragment", and the TTL of
        datagrams is received, with both versions of IP.  The destination is received on a
        wildcard address only.
        """
        for host, asking in (
            ("127.0.0.1", ""),
            ("0.0.0.0", "IP_PKTINFO"),
            ("::1", ""),
            ("::", "IPV6_RECVPKTINFO"),
        ):
            options, family = IPV4 | ASKING4, socket.AF_INET
            if ":" in host:
                options, family = options | IPV6 | ASKING6, socket.AF_INET6
            with socket.socket(family, socket.SOCK_DGRAM) as skt:
                skt.bind((host, 0))
                for name in options:
                    if "MTU" in name:
                        skt.setsockopt(*options[name], PMTUDISC_DO)
                self.assertEqual(setOptions(skt), [])
                values = {name: skt.getsockopt(*options[name]) for name in options}
                expected = {name: VALUES.get(name, int(name == asking)) for name in options}
                self.assertEqual(values, expected, host)
                self.assertEqual(asksForDestination(skt), bool(asking))

    def test_elsewhere(self) -> None:
        """
        On other systems only the TTL of answers is set.
        """
        skt = FakeSocket(socket.AF_INET6)
        self.assertEqual(setOptions(skt, linux=False), [])
        self.assertEqual(
            skt.options,
            {IPV4["IP_TTL"]: ANSWER_TTL, IPV6["IPV6_UNICAST_HOPS"]: ANSWER_TTL},
        )

    def test_bothVersions(self) -> None:
        """
        An IPv6 socket serves IPv4 as well, also if the system would not.
        """
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as skt:
            skt.setsockopt(*V6ONLY["IPV6_V6ONLY"], 1)
            self.assertEqual(serveIPv4(skt), [])
            self.assertEqual(skt.getsockopt(*V6ONLY["IPV6_V6ONLY"]), 0)


class Port(PacketInfoPort, MemorySocketPort):
    """
    A port on a socket in memory.
    """


class MissingTests(SynchronousTestCase):
    """
    UDP echo on systems that lack options.
    """

    def setUp(self) -> None:
        self.missing = MissingOptions()

    def listen(self, interface: str, lacking: Any) -> list[str]:
        """
        Listen on a system that lacks some options, and check that a datagram is answered.

        @return: The lines of the log about missing options.
        """
        reactor: Any = MemoryReactorClock()
        protocol = UDPEchoProtocol(clock())
        protocol.missing = self.missing
        port: Any = Port(8080, protocol, interface, 65535, reactor)
        port.lacking = lacking
        with logged() as lines:
            port.startListening()
        port.socket.queue.append((b"data", [], 0, ("192.0.2.1", 40000)))
        port.doRead()
        self.assertEqual(port.socket.sent.pop(), ([b"data"], [], 0, ("192.0.2.1", 40000)))
        return [line for line in lines if "lacks" in line]

    def test_each(self) -> None:
        """
        If the system lacks an option, datagrams are answered all the same, and one line
        of the log names it.
        """
        for interface, options in (
            ("", IPV4 | ASKING4),
            ("::", IPV4 | IPV6 | ASKING6 | V6ONLY),
        ):
            for name, option in options.items():
                self.missing = MissingOptions()
                self.assertEqual(
                    self.listen(interface, [option]),
                    [f"UDP echo: this system lacks {name}; echod serves without"],
                )

    def test_all(self) -> None:
        """
        If the system lacks all options, one line names all.  No line repeats a name for
        another socket.
        """
        (line,) = self.listen("::", Everything())
        for name in IPV4 | IPV6 | ASKING6 | V6ONLY:
            self.assertEqual(line.count(f" {name}"), 1)
        self.assertEqual(
            self.listen("", Everything()),
            ["UDP echo: this system lacks IP_PKTINFO; echod serves without"],
        )
        self.assertEqual(self.listen("::", Everything()), [])
        self.assertEqual(self.listen("127.0.0.1", Everything()), [])

    def test_noDestination(self) -> None:
        """
        A socket that lacks the option does not receive the destination.
        """
        skt = FakeSocket()
        self.assertFalse(asksForDestination(skt))
        skt.setsockopt(*ASKING4["IP_PKTINFO"], 1)
        self.assertTrue(asksForDestination(skt))
        skt.lacking = Everything()
        self.assertFalse(asksForDestination(skt))

    def test_none(self) -> None:
        """
        If the system lacks nothing, nothing is reported.
        """
        self.assertEqual(self.listen("::", ()), [])
