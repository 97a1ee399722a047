"""
Tests of limits with real daemons.
"""

from __future__ import annotations

import contextlib
import socket
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from tests.support.daemon import PATIENCE, Daemon
from tests.test_daemon import connect, readAll


def isServed(address: tuple[str, int]) -> bool:
    """
    @return: True if a new connection is greeted.
    """
    with connect(address) as client, contextlib.suppress(ConnectionError):
        return bool(readAll(client))
    return False


class ConnectRateTests(SynchronousTestCase):
    """
    Tests of C{--connect-rate}.
    """

    def test_connectRate(self) -> None:
        """
        New connections above the rate are refused at once, counted and logged.  The source
        is served again without intervention, and another source always is.
        """
        with Daemon("--greeting", "0", "--connect-rate", "1") as daemon:
            self.becomes(True, daemon)
            # On a slow machine a second may pass between two connections.
            self.becomes(False, daemon)
            daemon.expect(r"refused 127.0.0.1:\d+: too many new connections from its address$")
            other = socket.create_connection(daemon.greeting, PATIENCE, ("127.0.0.2", 0))
            with other:
                self.assertTrue(readAll(other))
            self.becomes(True, daemon)

    def becomes(self, served: bool, daemon: Daemon) -> None:
        """
        Connect again and again, until a connection is served, or refused.
        """
        deadline = monotonic() + PATIENCE
        while isServed(daemon.greeting) != served:
            self.assertLess(monotonic(), deadline)
