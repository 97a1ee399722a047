"""
Tests for L{echod.uvloopreactor.port}.
"""

from __future__ import annotations

from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from tests.support.uvloopserving import Recorder, UVLoopTestCase, uvloopreactor


class PortTests(UVLoopTestCase):
    """
    Tests for L{Port<echod.uvloopreactor.port.Port>}.
    """

    def test_port(self) -> None:
        """
        The socket of a port can be duplicated, and does not block.
        """
        reactor = uvloopreactor.UVLoopReactor()
        port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
        with port.socket.dup() as copy:
            self.assertEqual(copy.getsockname()[1], port.getHost().port)
        self.assertEqual(port.socket.gettimeout(), 0)
        port.stopListening()
        reactor.removeAll()

    def test_brokenConnection(self) -> None:
        """
        An error at the start of a connection is logged, and the port goes on.
        """

        class Broken(Recorder):
            def connectionMade(self) -> None:
                self.transport.getTcpNoDelay = None
                self.factory.reactor.callLater(0, self.transport.loseConnection)

            def connectionLost(self, reason: Failure = connectionDone) -> None:
                self.ports = self.factory.numPorts
                super().connectionLost(reason)

        protocol = Broken()
        self.serve(protocol, lambda client: None)
        self.assertEqual(len(self.flushLoggedErrors(TypeError)), 1)
        self.assertEqual(protocol.ports, 1)
