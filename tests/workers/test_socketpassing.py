"""
Tests for L{echod.workers.socketpassing} and L{echod.workers.adopting}.
"""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from time import monotonic
from typing import Any

from twisted.internet import reactor, unix
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from echod.net.sockets import SPREADS
from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.tcp.echo import EchoFactory
from echod.tcp.endpoints import serverFromString
from echod.tcp.promptconnection import PromptConnection
from echod.udp.echo import UDPEchoProtocol
from echod.udp.endpoint import UDPServerEndpoint
from echod.workers.adopting import AdoptingReactor
from echod.workers.socketpassing import BindingReactor, bound
from tests.support import clock, lacking, temporaryDirectory

KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM)


class LinuxTests(SynchronousTestCase):
    """
    Tests that need a system which spreads connections and datagrams over several sockets.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")


class BoundTests(LinuxTests):
    """
    Tests for L{bound}.
    """

    def bind(self, *arguments: Any) -> list[socket.socket]:
        """
        @return: Sockets that are closed after the test.
        """
        sockets = bound(*arguments)
        for skt in sockets:
            self.addCleanup(skt.close)
        return sockets

    def test_spreads(self) -> None:
        """
        All sockets have the same address with one free port, and each gets a part of the
        datagrams.
        """
        sockets = self.bind(socket.SOCK_DGRAM, 0, "127.0.0.1", 3)
        (address,) = {skt.getsockname() for skt in sockets}
        for _ in range(100):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.sendto(b"x", address)
        for skt in sockets:
            self.assertEqual(skt.recv(10), b"x")

    def test_taken(self) -> None:
        """
        An address in use cannot be bound, even if its owner shares it among its own
        sockets.
        """
        for kind in KINDS:
            (skt, _) = sockets = self.bind(kind, 0, "127.0.0.1", 2)
            if kind == socket.SOCK_STREAM:
                for each in sockets:
                    each.listen()
            port = skt.getsockname()[1]
            self.assertRaises(OSError, bound, kind, port, "127.0.0.1", 2)

    def test_families(self) -> None:
        """
        A literal address has its family; no address means all of IPv4.
        """
        for interface, expected in (
            ("", (socket.AF_INET, "0.0.0.0")),
            ("127.0.0.1", (socket.AF_INET, "127.0.0.1")),
            ("::1", (socket.AF_INET6, "::1")),
        ):
            for skt in self.bind(socket.SOCK_DGRAM, 0, interface, 2):
                self.assertEqual((skt.family, skt.getsockname()[0]), expected)

    def test_prepared(self) -> None:
        """
        A UDP socket has room for the datagrams that arrive before a worker starts, and an
        IPv6 socket also serves IPv4.
        """
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as usual:
            (skt,) = self.bind(socket.SOCK_DGRAM, 0, "::", 1)
            buffers = [
                each.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for each in (usual, skt)
            ]
            self.assertGreater(buffers[1], buffers[0])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"x", ("127.0.0.1", skt.getsockname()[1]))
        self.assertEqual(skt.recv(10), b"x")

    def test_nothingLeft(self) -> None:
        """
        If an address cannot be bound, no socket stays open.
        """
        before = len(os.listdir("/proc/self/fd"))
        self.assertRaises(OSError, bound, socket.SOCK_STREAM, 0, "192.0.2.1", 2)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)


class HandingTests(LinuxTests):
    """
    Tests for L{BindingReactor}.
    """

    def setUp(self) -> None:
        super().setUp()
        self.memory = MemoryReactorClock()
        self.sockets: list[socket.socket] = []
        self.reactor = BindingReactor(self.memory, 2, self.sockets)

    def listen(self, endpoint: Any, server: object) -> Any:
        """
        @return: The listening port.
        """
        port = self.successResultOf(endpoint.listen(server))
        self.assertTrue(verifyObject(IListeningPort, port))
        port.startListening()
        self.addCleanup(port.stopListening)
        return port

    def test_reactor(self) -> None:
        """
        Other methods are those of the wrapped reactor.
        """
        self.assertEqual(self.reactor.callLater, self.memory.callLater)

    def test_tcp(self) -> None:
        """
        A TCP endpoint binds sockets for all workers and does not accept; when it stops
        listening, all sockets are closed.
        """
        for description, kind in (
            ("tcp:0:interface=127.0.0.1", IPv4Address),
            (r"haproxy:tcp6:0:interface=\:\:1", IPv6Address),
        ):
            port = self.listen(serverFromString(self.reactor, description), Factory())
            host = port.getHost()
            self.assertIsInstance(host, kind)
            self.assertEqual(len(self.sockets), 2)
            self.assertEqual({skt.getsockname()[1] for skt in self.sockets}, {host.port})
            with socket.create_connection((host.host, host.port)):
                """It waits."""
            port.stopListening()
            self.assertEqual(self.sockets, [])
            self.assertRaises(
                ConnectionRefusedError, socket.create_connection, (host.host, host.port)
            )

    def test_udp(self) -> None:
        """
        A UDP endpoint binds sockets for all workers too.
        """
        endpoint = UDPServerEndpoint(self.reactor, 0, "127.0.0.1")
        port = self.listen(endpoint, UDPEchoProtocol(clock()))
        self.assertEqual(port.getHost().type, "UDP")
        self.assertEqual(len(self.sockets), 2)

    def test_taken(self) -> None:
        """
        An address in use is the error that any reactor raises.
        """
        for kind, endpoint in (
            (socket.SOCK_STREAM, "tcp:{}:interface=127.0.0.1"),
            (socket.SOCK_DGRAM, ""),
        ):
            with socket.socket(socket.AF_INET, kind) as skt:
                skt.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    skt.listen()
                number = skt.getsockname()[1]
                listening: Any = (
                    serverFromString(self.reactor, endpoint.format(number)).listen(Factory())
                    if endpoint
                    else UDPServerEndpoint(self.reactor, number, "127.0.0.1").listen(
                        UDPEchoProtocol(clock())
                    )
                )
                failure = self.failureResultOf(listening, CannotListenError)
                self.assertEqual((failure.value.port, self.sockets), (number, []))

    def test_handedOver(self) -> None:
        """
        All workers share a socket from systemd; a stop does not close it.
        """
        for kind, endpoint, server in (
            (socket.SOCK_STREAM, InheritedStreamEndpoint, Factory()),
            (socket.SOCK_DGRAM, InheritedUDPEndpoint, UDPEchoProtocol(clock())),
        ):
            with socket.socket(socket.AF_INET, kind) as skt:
                skt.bind(("127.0.0.1", 0))
                if kind == socket.SOCK_STREAM:
                    skt.listen()
                port = self.listen(endpoint(self.reactor, skt.fileno(), skt.family), server)
                self.assertEqual(port.getHost().port, skt.getsockname()[1])
                self.assertEqual(len(self.sockets), 1)
                port.stopListening()
                self.assertEqual(self.sockets, [])
                self.assertGreater(os.fstat(skt.fileno()).st_ino, 0)


class AdoptingTests(TestCase):
    """
    Tests for L{AdoptingReactor}, on the reactor of this process.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")
        self.sockets: list[socket.socket] = []
        self.handing = BindingReactor(reactor, 1, self.sockets)

    def adopting(self) -> AdoptingReactor:
        """
        @return: A reactor that adopts the bound socket.
        """
        (skt,) = self.sockets
        return AdoptingReactor(reactor, os.dup(skt.fileno()), skt.family)

    @inlineCallbacks
    def listens(self, make: Any, server: Any) -> Any:
        """
        Bind on one reactor, and listen on the other.
        """
        bound = yield make(self.handing).listen(server)
        adopting = self.adopting()
        self.assertEqual(adopting.callLater, reactor.callLater)
        port = yield make(adopting).listen(server)
        self.assertRaises(OSError, os.fstat, adopting._descriptor)
        self.assertEqual(port.getHost(), bound.getHost())
        return bound, port

    @inlineCallbacks
    def test_tcp(self):  # type: ignore[no-untyped-def]
        """
        A TCP endpoint listens on the socket that was bound for it, and leaves no other
        descriptor open.
        """

        def make(where: Any) -> Any:
            return serverFromString(where, "tcp:0:interface=127.0.0.1")

        ports = yield self.listens(make, EchoFactory(clock()))
        for port in ports:
            yield port.stopListening()

    def test_prompt(self) -> None:
        """
        The connections of a TCP socket send without asking the reactor first.
        """
        steady = SelectReactor()
        self.addCleanup(steady.disconnectAll)
        steady.seconds = monotonic
        with socket.create_server(("127.0.0.1", 0)) as skt:
            adopting = AdoptingReactor(steady, os.dup(skt.fileno()), skt.family)
        self.assertIs(adopting.listenTCP(0, Factory()).transport, PromptConnection)

    @inlineCallbacks
    def test_udp(self):  # type: ignore[no-untyped-def]
        """
        A UDP endpoint listens on the socket that was bound for it.
        """

        def make(where: Any) -> Any:
            return UDPServerEndpoint(where, 0, "127.0.0.1")

        ports = yield self.listens(make, UDPEchoProtocol(clock()))
        for port in ports:
            yield port.stopListening()

    @inlineCallbacks
    def test_unix(self):  # type: ignore[no-untyped-def]
        """
        Only the worker's port of a UNIX socket accepts; the file of the socket stays
        until the port that made it is closed.
        """
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(temporaryDirectory(self))
        # As short as a path can be.
        path = Path("s")

        def make(where: Any) -> Any:
            return serverFromString(where, f"unix:{path}:mode=600")

        bound, port = yield self.listens(make, EchoFactory(clock()))
        readers: Any = reactor.getReaders()
        self.assertEqual([each for each in readers if isinstance(each, unix.Port)], [port])
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.fspath(path))
        yield port.stopListening()
        # The others that share the socket still listen.
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(os.fspath(path))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        yield bound.stopListening()
        self.assertFalse(path.exists())
        self.assertEqual(self.sockets, [])
