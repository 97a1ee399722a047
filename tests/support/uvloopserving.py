"""
Serve one connection with the uvloop reactor.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking
from tests.support.daemon import PATIENCE
from tests.support.protocols import RecordingProtocol

try:
    from echod import uvloopreactor as uvloopreactor
    from echod.uvloopreactor.ends import Ends as Ends
except ModuleNotFoundError:
    uvloopreactor = None  # type: ignore[assignment]


class Recorder(RecordingProtocol):
    """
    Records the data that it receives, and stops its reactor at the end.
    """

    address: Any
    factory: Any
    transport: Any

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Stop the reactor.
        """
        self.factory.reactor.stop()


def sendingAll(data: bytes) -> Callable[[socket.socket], None]:
    """
    @return: A function that sends data on a client, at once, and nothing more.
    """

    def start(client: socket.socket) -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, max(len(data), 1 << 16))
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)

    return start


class UVLoopTestCase(SynchronousTestCase):
    """
    Base class of tests that need uvloop.
    """

    def setUp(self) -> None:
        if uvloopreactor is None:
            lacking("uvloop")

    def serve(self, protocol: Recorder, start: Any, interface: str = "127.0.0.1") -> None:
        """
        Serve one connection until its end.

        @param start: Called with a socket that is connected.
        """
        reactor = uvloopreactor.UVLoopReactor()
        factory: Any = Factory()
        factory.noisy = False
        factory.reactor = reactor
        protocol.factory = factory

        def build(address: Any) -> Protocol:
            protocol.address = address
            return protocol

        factory.buildProtocol = build
        port = reactor.listenTCP(0, factory, interface=interface)
        client = socket.create_connection((interface, port.getHost().port))
        self.addCleanup(client.close)
        reactor.callWhenRunning(start, client)
        timeout = reactor.callLater(PATIENCE, reactor.stop)
        reactor.run(installSignalHandlers=False)
        self.assertTrue(timeout.active())

    def read(self, client: socket.socket, size: int, received: bytearray, when: Event) -> None:
        """
        Read this number of bytes in a thread, and close.
        """
        client.settimeout(PATIENCE)

        def run() -> None:
            when.wait(PATIENCE)
            while len(received) < size and (data := client.recv(65536)):
                received.extend(data)
            client.close()

        thread = Thread(target=run)
        self.addCleanup(thread.join)
        thread.start()
