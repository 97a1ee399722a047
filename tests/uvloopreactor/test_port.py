"""
Tests for L{echod.uvloopreactor.port}.
"""

from __future__ import annotations

from twisted.internet.protocol import Factory

from tests.support.uvloopserving import UVLoopTestCase, uvloopreactor


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
