"""
Tests for L{echod.client.lookup}.
"""

from __future__ import annotations

from threading import current_thread
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.trial.unittest import SynchronousTestCase

from echod.client.endpoints import resolve
from echod.client.lookup import Resolver, makeThreads
from echod.client.target import Address
from tests.support import clock


class LookupTests(SynchronousTestCase):
    """
    Tests for L{Resolver} and L{makeThreads}.
    """

    def setUp(self) -> None:
        self.reactor: Any = clock()

    def lookUp(self, patience: float | None) -> Deferred[list[Address]]:
        """
        Look up a host.
        """
        self.reactor.nameResolver = Resolver(self.reactor, self, patience)  # type: ignore[arg-type]
        return Deferred.fromCoroutine(resolve(self.reactor, Address("host", 7), None))

    def resolveHostName(
        self, receiver: Any, host: str, port: int, *_: object, **__: str
    ) -> None:
        """
        Start a lookup.
        """
        self.receiver = receiver

    def complete(self) -> None:
        """
        Find an address.
        """
        self.receiver.addressResolved(IPv4Address("UDP", "192.0.2.1", 7))
        self.receiver.resolutionComplete()

    def test_inTime(self) -> None:
        """
        A lookup in time is not changed.  Without a limit, it may take any time.
        """
        for patience, time in ((3, 2.9), (None, 1000)):
            found = self.lookUp(patience)
            self.reactor.advance(time)
            self.complete()
            self.reactor.advance(3)
            self.assertEqual(self.successResultOf(found), [Address("192.0.2.1", 7)])

    def test_tooLong(self) -> None:
        """
        When the time is over, the lookup ends without an address, and a later result is
        ignored.
        """
        found = self.lookUp(3)
        self.reactor.advance(2.9)
        self.assertNoResult(found)
        self.reactor.advance(0.1)
        self.failureResultOf(found, DNSLookupError)
        self.complete()

    def test_scope(self) -> None:
        """
        An address keeps its scope, once.
        """
        for host in ("fe80::1", "fe80::1%2"):
            found = self.lookUp(None)
            self.receiver.addressResolved(IPv6Address("TCP", host, 7, 0, 2))
            self.receiver.resolutionComplete()
            self.assertEqual(self.successResultOf(found), [Address("fe80::1%2", 7)])

    def test_threads(self) -> None:
        """
        A thread that still looks up a name does not delay the exit.
        """
        threads, daemons = makeThreads(), []
        threads.callInThread(lambda: daemons.append(current_thread().daemon))
        threads.stop()
        self.assertEqual(daemons, [True])
