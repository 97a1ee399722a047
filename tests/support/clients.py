"""
Tests of the clients with the real reactor.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Generator
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.support.daemon import PATIENCE
from tests.support.load import HOST

reactor: Any = installed

Steps = Generator[Deferred[Any], Any, None]


class ClientTestCase(TestCase):
    """
    A test with pipes and sockets, which fails after L{PATIENCE}.

    @ivar open: The descriptors to close after the test.
    """

    timeout = PATIENCE

    def setUp(self) -> None:
        self.open: set[int] = set()
        self.addCleanup(lambda: self.close(*self.open))

    def pipe(self) -> tuple[int, int]:
        """
        @return: The ends of a pipe, closed after the test.
        """
        ends = os.pipe()
        self.open.update(ends)
        return ends

    def close(self, *descriptors: int) -> None:
        """
        Close descriptors before the end of the test.
        """
        for descriptor in descriptors:
            self.open.remove(descriptor)
            os.close(descriptor)

    @inlineCallbacks
    def until(self, condition: Callable[[], bool]) -> Steps:
        """
        Wait until a condition is true.
        """
        while not condition():
            yield deferLater(reactor, 0.005)

    def unused(self, kind: socket.SocketKind = socket.SOCK_DGRAM) -> str:
        """
        @return: An address on which nothing listens, and that no other process can use until
            the end of the test.
        """
        skt = socket.socket(socket.AF_INET, kind)
        self.addCleanup(skt.close)
        skt.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_DGRAM:
            # It takes datagrams of this peer only: the system refuses all others.
            skt.connect((HOST, 9))
        return f"127.0.0.1:{skt.getsockname()[1]}"
