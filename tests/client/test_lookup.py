"""
Tests for L{echod.client.lookup}.
"""

from __future__ import annotations

from threading import current_thread
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.trial.unittest import SynchronousTestCase

from echod.client.endpoints import resolve
from echod.client.lookup import LimitedResolver, makeThreads
from echod.client.target import Address
from tests.support import clock


class LookupTests(SynchronousTestCase):
    """
    Tests for L{LimitedResolver} and L{makeThreads}.
    """

    def setUp(self) -> None:
        self.reactor: Any = clock()
        self.reactor.nameResolver = LimitedResolver(self.reactor, self, 3)  # type: ignore[arg-type]
        self.found = Deferred.fromCoroutine(resolve(self.reactor, Address("host", 7), None))

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
        A lookup in time is not changed.
        """
        self.complete()
        self.reactor.advance(3)
        self.assertEqual(self.successResultOf(self.found), [Address("192.0.2.1", 7)])

    def test_tooLong(self) -> None:
        """
        When the time is over, no address was found, and a later result is ignored.
        """
        self.reactor.advance(2.9)
        self.assertNoResult(self.found)
        self.reactor.advance(0.1)
        self.failureResultOf(self.found, DNSLookupError)
        self.complete()

    def test_threads(self) -> None:
        """
        A thread that still looks up a name does not delay the exit.
        """
        threads, daemons = makeThreads(), []
        threads.callInThread(lambda: daemons.append(current_thread().daemon))
        threads.stop()
        self.assertEqual(daemons, [True])
