"""
Tests for L{echod.tcp.listeningsocket}.
"""

from __future__ import annotations

import errno
import socket
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTCP
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase, TestCase

from echod.tcp.listeningsocket import ListeningReactor, listeningSocket, setStreamOptions


def inline(skt: socket.socket) -> bool:
    """
    @return: True if urgent bytes stay in the stream.
    """
    return bool(skt.getsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE))


class ListeningSocketTests(SynchronousTestCase):
    """
    Tests for L{listeningSocket}.
    """

    def test_families(self) -> None:
        """
        A literal address has its family; no address is all of IPv4.
        """
        for interface, expected in (("", "0.0.0.0"), ("127.0.0.1",) * 2, ("::1",) * 2):
            with listeningSocket(0, 5, interface) as skt:
                self.assertEqual(skt.getsockname()[0], expected)

    def test_both(self) -> None:
        """
        C{[::]} serves IPv4, too.
        """
        with listeningSocket(0, 5, "::") as skt:
            self.assertEqual(skt.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY), 0)
            socket.create_connection(("127.0.0.1", skt.getsockname()[1])).close()

    def test_urgent(self) -> None:
        """
        Accepted connections have urgent bytes in their place in the stream.
        """
        with (
            listeningSocket(0, 5, "127.0.0.1") as skt,
            socket.create_connection(skt.getsockname()) as client,
        ):
            skt.setblocking(True)
            with skt.accept()[0] as accepted:
                self.assertTrue(inline(accepted))
                for data, flags in ((b"a", 0), (b"b", socket.MSG_OOB), (b"c", 0)):
                    client.send(data, flags)
                client.close()
                with accepted.makefile("rb") as stream:
                    self.assertEqual(stream.read(), b"abc")

    def test_inUse(self) -> None:
        """
        An address in use is an error.
        """
        with listeningSocket(0, 5, "127.0.0.1") as skt:
            port = skt.getsockname()[1]
            error = self.assertRaises(OSError, listeningSocket, port, 5, "127.0.0.1")
        self.assertEqual(error.errno, errno.EADDRINUSE)

    def test_optionLacking(self) -> None:
        """
        An option that the system lacks is left out.
        """
        tried: list[int] = []

        class Socket:
            family = socket.AF_INET6

            def setsockopt(self, level: int, name: int, value: int) -> None:
                tried.append(name)
                raise OSError(errno.ENOPROTOOPT, "Protocol not available")

        skt: Any = Socket()
        setStreamOptions(skt)
        self.assertEqual(tried, [socket.SO_OOBINLINE, socket.IPV6_V6ONLY])


class ListeningReactorTests(TestCase):
    """
    Tests for L{ListeningReactor}, on the reactor of this process.
    """

    def setUp(self) -> None:
        self.listening = ListeningReactor(reactor)
        self.factory = Factory()

    @inlineCallbacks
    def test_listens(self):  # type: ignore[no-untyped-def]
        """
        A port has the options, and stops listening.
        """
        port: Any = self.listening.listenTCP(0, self.factory, 5, "127.0.0.1")
        address = port.socket.getsockname()
        self.assertTrue(inline(port.socket))
        self.assertEqual(self.factory.numPorts, 1)
        yield port.stopListening()
        self.assertRaises(ConnectionRefusedError, socket.create_connection, address)

    @inlineCallbacks
    def test_adopts(self):  # type: ignore[no-untyped-def]
        """
        So has a port on a socket that another process has made.
        """
        with socket.create_server(("127.0.0.1", 0)) as skt:
            skt.setblocking(False)
            port = self.listening.adoptStreamPort(skt.fileno(), skt.family, self.factory)
            self.assertTrue(inline(skt))
            yield port.stopListening()

    def test_inUse(self) -> None:
        """
        An address in use is the error of every reactor.
        """
        with listeningSocket(0, 5, "127.0.0.1") as skt:
            error = self.assertRaises(
                CannotListenError,
                *(self.listening.listenTCP, skt.getsockname()[1], self.factory, 5, "127.0.0.1"),
            )
        self.assertEqual(error.socketError.errno, errno.EADDRINUSE)

    def test_otherReactor(self) -> None:
        """
        A reactor without real sockets listens itself; all else is left to it.
        """
        memory = MemoryReactorClock()
        listening = ListeningReactor(memory)
        listening.listenTCP(80, self.factory, 5, "::")
        self.assertEqual(memory.tcpServers, [(80, self.factory, 5, "::")])
        self.assertTrue(IReactorTCP.providedBy(listening))
        self.assertEqual(listening.callLater, memory.callLater)
