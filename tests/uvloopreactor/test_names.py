"""
Tests for L{echod.uvloopreactor.names}.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.python import context, log

from tests.support.uvloopserving import Recorder, UVLoopTestCase, sendingAll


class NamedServerTests(UVLoopTestCase):
    """
    Tests for L{NamedServer<echod.uvloopreactor.names.NamedServer>}.
    """

    def test_loggingContext(self) -> None:
        """
        A connection is the logging context of its protocol, and of nothing else.
        """
        contexts: list[Any] = []

        class Looking(Recorder):
            def dataReceived(self, data: bytes) -> None:
                contexts.append(context.get(log.ILogContext))
                contexts.append(context.get(Looking))
                self.transport.loseConnection()

        context.setDefault(Looking, {"its": "value"})
        self.addCleanup(context.defaultContextDict.__delitem__, Looking)
        self.serve(Looking(), sendingAll(b"x"))
        self.assertRegex(contexts[0]["system"], r"^Looking,\d+,127\.0\.0\.1$")
        self.assertEqual(contexts[1], {"its": "value"})

    def test_addressOfPeer(self) -> None:
        """
        A connection and its factory have the same address of the peer, with all that the
        socket knows of it.
        """

        class Asking(Recorder):
            def connectionMade(self) -> None:
                self.peer = self.transport.getPeer()
                self.client = self.transport.client
                self.transport.loseConnection()

        clients: list[socket.socket] = []
        for interface, kind in (("127.0.0.1", IPv4Address), ("::1", IPv6Address)):
            protocol = Asking()
            self.serve(protocol, clients.append, interface)
            name = clients[-1].getsockname()
            self.assertEqual(protocol.client, name)
            self.assertEqual(protocol.peer, kind("TCP", *name))
            self.assertIs(protocol.address, protocol.peer)
