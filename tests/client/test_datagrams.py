"""
Tests for L{echod.client.datagrams}, with real sockets.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import DatagramProtocol
from twisted.python.failure import Failure

from echod.client.datagrams import DATAGRAMS_A_TURN, ConnectedPort
from echod.client.sockets import SocketOptions
from echod.client.target import Address
from echod.client.udpsocket import LINUX, LOCAL_ORIGIN, NO_FRAGMENTS
from echod.udp.echo import UDPEchoProtocol
from tests.support.clients import ClientTestCase, Steps, reactor


class ConnectedPortTests(ClientTestCase):
    """
    Tests for L{ConnectedPort}.
    """

    class Recorder(DatagramProtocol):
        """
        Records the datagrams and the failures.
        """

        def __init__(self) -> None:
            self.failures: list[tuple[OSError, bytes]] = []
            self.sources: list[Any] = []
            self.waiting: Deferred[None] = Deferred()

        def datagramReceived(self, datagram: bytes, addr: Any) -> None:
            """
            Record the source.
            """
            self.sources.append(addr)
            if not self.waiting.called:
                self.waiting.callback(None)

        def failed(self, error: OSError, datagram: bytes) -> None:
            """
            Record the failure.
            """
            self.failures.append((error, datagram))
            if not self.waiting.called:
                self.waiting.callback(None)

    def port(self, target: str, linux: bool = LINUX) -> tuple[ConnectedPort, Recorder]:
        """
        @return: A port that is connected, and its protocol.
        """
        recorder = self.Recorder()
        host, _, number = target.rpartition(":")
        port = ConnectedPort(
            Address(host, int(number)), recorder, reactor, None, SocketOptions(), linux
        )
        port.startListening()
        self.addCleanup(port.stopListening)
        return port, recorder

    @inlineCallbacks
    def test_timestamp(self) -> Steps:
        """
        On Linux, the kernel reports when a datagram arrived.
        """
        server = reactor.listenUDP(0, UDPEchoProtocol(reactor), "127.0.0.1")
        self.addCleanup(server.stopListening)
        port, recorder = self.port(f"127.0.0.1:{server.getHost().port}")
        port.write(b"data")
        yield recorder.waiting
        self.assertEqual(recorder.sources[0].arrived is not None, LINUX)

    def test_noTimestamp(self) -> None:
        """
        Without a timestamp of the kernel, a datagram has no time of arrival.
        """
        incoming = [(b"data", [(0, 0, b"")], 0, ("127.0.0.1", 7))]

        class Unstamped:
            def recvmsg(self, *arguments: int) -> Any:
                if not incoming:
                    raise BlockingIOError
                return incoming.pop()

        port, recorder = self.port(self.unused())
        real, port.socket = port.socket, Unstamped()  # type: ignore[assignment]
        port.doRead()
        port.socket = real
        self.assertEqual([source.arrived for source in recorder.sources], [None])

    def test_keepsMore(self) -> None:
        """
        The receive buffer is larger than the default, so that a busy client loses no answers.
        """
        port, _ = self.port(self.unused())
        option = (socket.SOL_SOCKET, socket.SO_RCVBUF)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            self.assertGreater(port.socket.getsockopt(*option), other.getsockopt(*option))

    @inlineCallbacks
    def test_refused(self) -> Steps:
        """
        A refused datagram is reported once, and the port stays open.
        """
        port, recorder = self.port(self.unused())
        for number in range(1, 4):
            recorder.waiting = Deferred()
            port.write(b"data")
            yield recorder.waiting
            self.assertEqual(len(recorder.failures), number)
        error, datagram = recorder.failures[0]
        self.assertEqual(error.errno, errno.ECONNREFUSED)
        self.assertIn(datagram, (b"data", b""))

    def test_refusedInSending(self) -> None:
        """
        If C{send} raises the refusal of an earlier datagram, the new datagram is sent all the
        same.
        """
        port, recorder = self.port(self.unused())
        for _ in range(3):
            port.write(b"data")
        self.assertEqual(len(recorder.failures), 2)

    def test_errors(self) -> None:
        """
        A datagram that cannot be sent raises an error.  If the buffer is full, the caller can
        try again.
        """

        class Full:
            def send(self, data: bytes) -> None:
                raise OSError(self.number, os.strerror(self.number))

            def recvmsg(self, *arguments: int) -> Any:
                if arguments[2:] and self.number == errno.EPERM:
                    # Something else than an error.
                    self.number = errno.EINVAL
                    return b"", [(0, 0, b"")], 0, None
                if arguments[2:] or self.number == errno.EAGAIN:
                    raise BlockingIOError
                self.number = errno.EAGAIN
                raise ConnectionRefusedError(errno.ECONNREFUSED, "")

            number = errno.ENOBUFS

        port, recorder = self.port(self.unused())
        real, full = port.socket, Full()
        port.socket = full  # type: ignore[assignment]
        self.assertRaises(BlockingIOError, port.write, b"data")
        full.number = errno.EPERM
        self.assertRaises(OSError, port.write, b"data")
        self.assertEqual(len(recorder.failures), 1)
        port.doRead()
        self.assertEqual(len(recorder.failures), 2)
        port.socket = real

    def test_tooBig(self) -> None:
        """
        A datagram that is too big for this machine raises an error once, also if the kernel
        queues the error as well.
        """
        listed: list[bytes] = []

        class Small:
            def send(self, data: bytes) -> None:
                listed.append(struct.pack("@IB11x", errno.EMSGSIZE, LOCAL_ORIGIN))
                raise OSError(errno.EMSGSIZE, "")

            def recvmsg(self, *arguments: int) -> Any:
                if not listed or not arguments[2:]:
                    raise BlockingIOError
                return b"", [(socket.IPPROTO_IP, 11, listed.pop())], 0, None

        port, recorder = self.port(self.unused())
        real, port.socket = port.socket, Small()  # type: ignore[assignment]
        self.assertRaises(OSError, port.write, b"data")
        port.connectionLost(Failure(ConnectionLost()))
        self.assertEqual((recorder.failures, listed), ([], []))
        port.socket = real

    def test_unreachable(self) -> None:
        """
        Without a route the port does not start.
        """
        port = ConnectedPort(
            Address("255.255.255.255", 7),
            self.Recorder(),
            reactor,
            NO_FRAGMENTS,
            SocketOptions(),
        )
        self.assertRaises(OSError, port.startListening)

    def test_elsewhere(self) -> None:
        """
        On systems other than Linux, the port does not ask for timestamps and errors.
        """
        port, recorder = self.port(self.unused(), linux=False)
        self.assertIsNone(port.pathMTU())
        port.write(b"data")
        port.doRead()
        self.assertEqual(len(recorder.failures), 1)

    def test_turn(self) -> None:
        """
        The port reads a limited number of datagrams at a time.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            port, recorder = self.port(f"127.0.0.1:{server.getsockname()[1]}")
            server.connect(("127.0.0.1", port.getHost().port))
            for _ in range(DATAGRAMS_A_TURN + 1):
                server.send(b"data")
            port.doRead()
            self.assertEqual(len(recorder.sources), DATAGRAMS_A_TURN)
            port.doRead()
            self.assertEqual(len(recorder.sources), DATAGRAMS_A_TURN + 1)

    def test_closedMeanwhile(self) -> None:
        """
        The protocol may close the port when it receives an error.
        """
        port, recorder = self.port(self.unused())
        port.write(b"data")
        recorder.failed = lambda error, datagram: setattr(  # type: ignore[method-assign]
            port, "connected", 0
        )
        port.write(b"data")
        self.assertFalse(port.connected)
        port.connectionLost(Failure(ConnectionLost()))
        port.doRead()
        port.connected = 1
