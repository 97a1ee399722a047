"""
Tests for L{echod.net.sockets}.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from time import monotonic
from typing import Any

from twisted.internet.interfaces import ISystemHandle
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from echod.net import sockets
from echod.net.sockets import (
    RECEIVE_BUFFER,
    acknowledged,
    innermost,
    isReadable,
    keepMore,
    unacknowledged,
    unread,
)
from tests.support import FakeSocket
from tests.support.daemon import PATIENCE


@implementer(ISystemHandle)
class SocketTransport(StringTransport):
    """
    A transport that has a socket.
    """

    def __init__(self, handle: socket.socket) -> None:
        super().__init__()
        self.handle = handle

    def getHandle(self) -> socket.socket:
        """
        @return: The socket.
        """
        return self.handle


class SocketsTests(SynchronousTestCase):
    """
    Tests for the questions about a transport.
    """

    def connected(self, family: socket.AddressFamily) -> tuple[Any, socket.socket]:
        """
        @return: A transport, and the socket of its peer.
        """
        if family == socket.AF_UNIX:
            near, far = socket.socketpair()
        else:
            with socket.create_server(("127.0.0.1", 0)) as server:
                far = socket.create_connection(server.getsockname())
                near, _ = server.accept()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        return SocketTransport(near), far

    def test_unread(self) -> None:
        """
        The bytes that have arrived and were not read are counted.
        """
        for family in (socket.AF_INET, socket.AF_UNIX):
            transport, peer = self.connected(family)
            self.assertEqual(unread(transport), 0)
            peer.sendall(b"12345")
            self.assertEqual(unread(transport), 5)

    def test_undelivered(self) -> None:
        """
        Bytes that a reactor has read and could not deliver yet count as well.
        """
        transport, peer = self.connected(socket.AF_UNIX)
        transport.undelivered = 3
        peer.sendall(b"12345")
        self.assertEqual(unread(transport), 8)

    def test_acknowledged(self) -> None:
        """
        The system tells how many bytes the peer's system has, for TCP.
        """
        transport, peer = self.connected(socket.AF_INET)
        self.assertEqual(acknowledged(transport), 0)
        transport.handle.sendall(b"12345")
        peer.recv(5)
        self.assertEqual(acknowledged(transport), 5)

    def test_acknowledgedOnUNIXSockets(self) -> None:
        """
        On a UNIX socket the number grows when the peer reads.
        """
        transport, peer = self.connected(socket.AF_UNIX)
        transport.handle.sendall(b"12345")
        before = acknowledged(transport)
        peer.recv(5)
        self.assertGreater(acknowledged(transport), before)

    def test_unacknowledged(self) -> None:
        """
        The system tells whether the peer's system has taken everything.
        """
        for family in (socket.AF_INET, socket.AF_UNIX):
            transport, peer = self.connected(family)
            self.assertEqual(unacknowledged(transport), 0)
            near = transport.getHandle()
            near.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while True:
                    near.send(bytes(1 << 16))
            near.shutdown(socket.SHUT_WR)
            self.assertGreater(unacknowledged(transport), 0)
            while peer.recv(1 << 20):
                pass
            deadline = monotonic() + PATIENCE
            while unacknowledged(transport) and monotonic() < deadline:
                pass
            self.assertEqual(unacknowledged(transport), 0)

    def test_nothingToAsk(self) -> None:
        """
        For a transport without a socket, all numbers are 0.
        """
        self.assertEqual(unread(StringTransport()), 0)
        self.assertEqual(acknowledged(StringTransport()), 0)
        self.assertEqual(unacknowledged(StringTransport()), 0)

    def test_isReadable(self) -> None:
        """
        A port with something to read is told from one without, if the system has C{poll}.
        """
        transport, peer = self.connected(socket.AF_UNIX)
        near = transport.getHandle()
        self.assertFalse(isReadable(near))
        peer.sendall(b"x")
        self.assertTrue(isReadable(near))
        self.patch(sockets, "poll", None)
        self.assertFalse(isReadable(near))

    def test_keepMore(self) -> None:
        """
        A UDP socket keeps more than by default until it is read.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
            before = skt.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            keepMore(skt)
            self.assertGreater(skt.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF), before)

    def test_keepNoLess(self) -> None:
        """
        A buffer that is already large enough is left alone.
        """
        skt: Any = FakeSocket()
        for size, options in ((RECEIVE_BUFFER, []), (RECEIVE_BUFFER - 1, [RECEIVE_BUFFER])):
            skt.getsockopt = lambda *option, size=size: size
            keepMore(skt)
            self.assertEqual(list(skt.options.values()), options)

    def test_keepRefused(self) -> None:
        """
        If the system gives no more, the buffer stays as it is.
        """

        def refuse(*option: object) -> None:
            raise OSError(errno.ENOBUFS, "No buffer space available")

        skt: Any = FakeSocket()
        skt.setsockopt = refuse
        keepMore(skt)

    def test_innermost(self) -> None:
        """
        The connection below a wrapper is found.
        """
        raw: Any = StringTransport()
        wrappers: list[Any] = [
            ProtocolWrapper(WrappingFactory(Factory()), Protocol()) for _ in range(2)
        ]
        inner, outer = wrappers
        inner.transport, outer.transport = raw, inner
        transports: tuple[Any, ...] = (raw, inner, outer)
        for transport in transports:
            self.assertIs(innermost(transport), raw)
