"""
Tests for L{echod.service.inherited}.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import endpoints
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.python.systemd import ListenFDs
from twisted.trial.unittest import SynchronousTestCase

from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint, inherited
from echod.udp.batch import BatchPort
from echod.udp.echo import UDPEchoProtocol
from tests.support import clock


class InheritedTests(SynchronousTestCase):
    """
    Tests for L{inherited}, and for the endpoints of inherited sockets.
    """

    def handOver(self, *kinds: tuple[int, int, str]) -> list[socket.socket]:
        """
        Hand over sockets of families and types, bound to addresses, as systemd
        would, with the names C{a}, C{b} and so on.
        """
        sockets = []
        for family, kind, host in kinds:
            skt = socket.socket(family, kind)
            self.addCleanup(skt.close)
            skt.bind((host, 0))
            sockets.append(skt)
        names = "abcdef"[: len(sockets)]
        handedOver = ListenFDs([skt.fileno() for skt in sockets], list(names))
        self.patch(endpoints._SystemdParser, "_sddaemon", handedOver)
        self.patch(os, "environ", {"LISTEN_FDNAMES": ":".join(names)})
        return sockets

    def listening(self) -> socket.socket:
        """
        @return: A socket which listens, and was handed over.
        """
        (skt,) = self.handOver((socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"))
        skt.listen()
        return skt

    def refuse(self, description: str, wanted: socket.SocketKind) -> str:
        """
        @return: Why a description is refused.
        """
        return str(self.assertRaises(ValueError, inherited, description, wanted))

    def test_found(self) -> None:
        """
        A socket is found by its number and by its name, and is not for other
        programs.
        """
        skt = self.listening()
        skt.set_inheritable(True)
        for which in ("index=0", "name=a"):
            found = inherited(f"systemd:domain=INET:{which}", socket.SOCK_STREAM)
            self.assertEqual(found, (skt.fileno(), socket.AF_INET))
        self.assertFalse(skt.get_inheritable())

    def test_notHandedOver(self) -> None:
        """
        The message about a missing socket names the sockets that were handed over.
        """
        for handedOver, names in (((), "none"), (("127.0.0.1", "::1"), "a:b")):
            self.handOver(
                *(
                    (
                        socket.AF_INET6 if ":" in host else socket.AF_INET,
                        socket.SOCK_DGRAM,
                        host,
                    )
                    for host in handedOver
                )
            )
            for which in ("index=2", "name=web"):
                self.assertEqual(
                    self.refuse(f"systemd:domain=INET:{which}", socket.SOCK_DGRAM),
                    "no such socket was handed over; names of those that were "
                    f"(LISTEN_FDNAMES): {names}",
                )

    def test_nonsense(self) -> None:
        """
        A description that is not of one socket for IPv4 or IPv6 is refused with the right
        form.
        """
        self.listening()
        for description in (
            "systemd:",
            "systemd:domain=INET",
            "systemd:domain=INET:index=0:name=a",
            "systemd:domain=INET:index=first",
            "systemd:domain=INET:fd=3",
            "systemd:domain=inet:index=0",
            "systemd:domain=UNIX:index=0",
        ):
            self.assertEqual(
                self.refuse(description, socket.SOCK_STREAM),
                "a socket that was handed over is systemd:domain=INET:name=NAME or "
                "systemd:domain=INET:index=0; INET is for IPv4, INET6 for IPv6 and for both",
            )

    def test_otherSocket(self) -> None:
        """
        A socket of another type or family, or a connection, is refused.  The message says
        what kind of socket it is.
        """
        self.handOver(
            (socket.AF_INET, socket.SOCK_STREAM, "127.0.0.1"),
            (socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"),
        )
        for description, wanted, why in (
            (
                "systemd:domain=INET:name=a",
                socket.SOCK_DGRAM,
                "it is a stream socket (ListenStream=), "
                "and this needs a datagram socket (ListenDatagram=)",
            ),
            ("systemd:domain=INET6:name=b", socket.SOCK_DGRAM, "its domain is INET, not INET6"),
            (
                "systemd:domain=INET:name=a",
                socket.SOCK_STREAM,
                "it is one connection and does not listen (use Accept=no)",
            ),
        ):
            self.assertEqual(self.refuse(description, wanted), why)

    def test_noSocket(self) -> None:
        """
        A descriptor that is no socket is refused.
        """
        with open(os.devnull) as null:
            self.patch(endpoints._SystemdParser, "_sddaemon", ListenFDs([null.fileno()], ["a"]))
            self.assertEqual(
                self.refuse("systemd:domain=INET:index=0", socket.SOCK_STREAM),
                f"descriptor {null.fileno()} is no socket (Socket operation on non-socket)",
            )

    def test_streams(self) -> None:
        """
        A stream socket can be listened on again and again.
        """
        skt = self.listening()
        adopted: list[Any] = []

        class Reactor:
            def adoptStreamPort(self, descriptor: int, family: int, factory: Factory) -> str:
                with socket.socket(fileno=os.dup(descriptor)) as copy:
                    adopted.append((copy.getsockname(), family, factory))
                return "port"

        reactor: Any = Reactor()
        factory = Factory()
        endpoint = InheritedStreamEndpoint(reactor, skt.fileno(), socket.AF_INET)
        for _ in range(2):
            self.assertEqual(self.successResultOf(endpoint.listen(factory)), "port")
        self.assertEqual(adopted, [(skt.getsockname(), socket.AF_INET, factory)] * 2)

    def test_datagrams(self) -> None:
        """
        A datagram socket can be listened on again and again, by the port that is
        the fastest.
        """
        (skt,) = self.handOver((socket.AF_INET, socket.SOCK_DGRAM, "127.0.0.1"))
        reactor: Any = MemoryReactorClock()
        protocol = UDPEchoProtocol(clock())
        endpoint = InheritedUDPEndpoint(reactor, skt.fileno(), socket.AF_INET)
        for _ in range(2):
            port: Any = self.successResultOf(endpoint.listen(protocol))
            self.assertIs(type(port), BatchPort)
            self.assertEqual(port.getHost().port, skt.getsockname()[1])
            port.stopListening()
            port.connectionLost()
        self.assertFalse(os.get_blocking(skt.fileno()))
