"""
Tests for L{echod.client.ping.connections}.
"""

from __future__ import annotations

import errno
from random import Random
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionRefusedError
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from echod.client.exitstatus import ALL, NO_ECHO, REFUSED, SILENT, SOME, WRONG, Outcome, refused
from echod.client.ping.connections import CONNECTIONS, Connections
from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.verdict import verdict
from tests.client.ping.test_pinger import Time


@implementer(IStreamClientEndpoint)
class MemoryEndpoint:
    """
    An endpoint in memory.  The test accepts its connections.

    @ivar attempts: The connections that are not accepted yet.

    @ivar transports: The transports of the accepted connections.
    """

    def __init__(self) -> None:
        self.attempts: list[tuple[Any, Deferred[Any]]] = []
        self.cancelled = 0
        self.transports: list[Any] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        """
        @return: Fires with the protocol.
        """

        def cancel(_: object) -> None:
            self.cancelled += 1

        connecting: Deferred[Any] = Deferred(cancel)
        self.attempts.append((factory, connecting))
        return connecting

    def accept(self) -> Any:
        """
        @return: The transport of the oldest attempt.
        """
        factory, connecting = self.attempts.pop(0)
        transport: Any = StringTransport()
        transport.protocol = factory.buildProtocol(None)
        transport.protocol.makeConnection(transport)
        connecting.callback(transport.protocol)
        self.transports.append(transport)
        return transport


class ConnectionsTests(SynchronousTestCase):
    """
    Tests for L{Connections}.
    """

    def start(self, count: int | None, interval: float = 1.0, persistent: bool = False) -> None:
        """
        Start a run.
        """
        self.time = Time()
        self.events: list[Event] = []
        self.endpoint = MemoryEndpoint()
        self.pinger = Pinger(
            self.time.clock,
            Plan(count, interval, timeout=0.5, persistent=persistent),
            self.events.append,
            now=self.time.moment,
            random=Random(1),
        )
        self.connections = Connections(self.endpoint, self.pinger)
        self.successResultOf(Deferred.fromCoroutine(self.connections.start()))

    def result(self) -> Result:
        """
        @return: The result of the run.  Check that nothing of the run is left.
        """
        result: Result = self.successResultOf(self.pinger.finished)
        self.connections.close()
        return result

    def answer(self) -> None:
        """
        Have the next probe answered, and its connection closed.
        """
        transport = self.endpoint.accept()
        transport.protocol.dataReceived(transport.value())
        self.assertTrue(transport.disconnecting)
        transport.protocol.connectionLost(Failure(ConnectionDone()))

    def status(self) -> int:
        """
        @return: The exit status.
        """
        return verdict(self.result(), "target").status

    def test_each(self) -> None:
        """
        Each probe has a connection of its own, which is closed when its answer has
        come; connecting is in the round trip.
        """
        self.start(2)
        self.time.pass_(0.1)
        self.answer()
        self.assertGreater(self.pinger.tracker.total.roundTrips.max, 0.1e9)
        self.time.pass_(1)
        self.answer()
        self.time.pass_(1)
        self.assertEqual(self.status(), ALL)
        self.assertEqual(self.time.clock.getDelayedCalls(), [])

    def test_pieces(self) -> None:
        """
        An answer may come in pieces.
        """
        self.start(1)
        transport = self.endpoint.accept()
        probe = transport.value()
        transport.protocol.dataReceived(probe[:10])
        self.assertFalse(transport.disconnecting)
        transport.protocol.dataReceived(probe[10:])
        self.assertEqual(self.pinger.tracker.total.kinds[Kind.ANSWERED], 1)

    def test_room(self) -> None:
        """
        The number of connections at a time is limited.
        """
        self.start(CONNECTIONS + 1, 0)
        self.time.pass_(0.1)
        self.assertEqual(len(self.endpoint.attempts), CONNECTIONS)
        self.answer()
        self.time.pass_(0.1)
        self.assertEqual(len(self.endpoint.attempts), CONNECTIONS)

    def test_patience(self) -> None:
        """
        A connection is given up when its time is over, even if it was never established;
        later data is ignored.
        """
        self.start(2, 0.01)
        self.time.pass_(0.1)
        transport = self.endpoint.accept()
        self.time.pass_(0.5)
        self.assertTrue(transport.disconnected)
        self.assertEqual(self.endpoint.cancelled, 1)
        transport.protocol.dataReceived(transport.value())
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.time.pass_(1)
        result = self.result()
        self.assertEqual(result.tracker.lost, 2)
        self.assertEqual(verdict(result, "target"), (SILENT, f"target: {NO_ECHO}"))
        self.assertEqual(self.connections.open, {})

    def test_stopped(self) -> None:
        """
        If the process was stopped, a connection has more time.
        """
        self.start(1)
        transport = self.endpoint.accept()
        self.time.clock.rightNow += 10
        self.time.clock.callLater(0.4, transport.protocol.dataReceived, transport.value())
        self.time.pass_(0.6)
        self.assertEqual([event.kind for event in self.events], [Kind.SENT, Kind.LATE])

    def test_end(self) -> None:
        """
        At the end of a run nothing is left of its connections.
        """
        self.start(None)
        transport = self.endpoint.accept()
        self.pinger.end()
        self.assertEqual(self.result().inFlight, 1)
        self.assertTrue(transport.disconnected)

    def test_closing(self) -> None:
        """
        A server that does not let a connection end has one timeout for it.
        """
        self.start(1)
        transport = self.endpoint.accept()
        transport.protocol.dataReceived(transport.value())
        self.assertEqual((transport.disconnecting, transport.disconnected), (True, False))
        self.time.pass_(0.51)
        self.assertTrue(transport.disconnected)
        transport.protocol.connectionLost(Failure(ConnectionAborted()))
        self.assertEqual(self.connections.open, {})

    def test_halfAnswer(self) -> None:
        """
        An answer that the server cuts off is truncated.
        """
        self.start(1)
        transport = self.endpoint.accept()
        transport.protocol.dataReceived(transport.value()[:20])
        transport.protocol.connectionLost(Failure(ConnectionDone()))
        self.time.pass_(1)
        self.assertEqual(self.events[-1].kind, Kind.TRUNCATED)
        self.assertEqual(self.status(), WRONG)

    def refuse(self) -> None:
        """
        Refuse the next connection.
        """
        error = ConnectionRefusedError(errno.ECONNREFUSED)
        self.endpoint.attempts.pop(0)[1].errback(Failure(error))

    def test_refused(self) -> None:
        """
        The run ends if the first connection is refused.
        """
        self.start(None)
        self.refuse()
        self.assertEqual(self.status(), REFUSED)

    def close(self) -> None:
        """
        Close the next connection without an answer.
        """
        self.endpoint.accept().protocol.connectionLost(Failure(ConnectionDone()))

    def test_closed(self) -> None:
        """
        The run ends if the first connection is closed without an answer.
        """
        self.start(None)
        self.close()
        self.assertEqual(self.status(), SOME)

    def test_persistent(self) -> None:
        """
        A persistent run goes on when the first connections are refused or closed.
        """
        for happens, outcome in (
            (self.refuse, refused("target")),
            (
                self.close,
                Outcome(SOME, f"target: the server has closed the connection; {NO_ECHO}"),
            ),
        ):
            self.start(2, persistent=True)
            for _ in range(2):
                happens()
                self.time.pass_(1)
            self.time.pass_(1)
            self.assertEqual(verdict(self.result(), "target"), outcome)

    def test_later(self) -> None:
        """
        A later connection that is refused or closed counts as lost, and the run
        continues.
        """
        for happens in (self.refuse, self.close):
            self.start(3)
            self.answer()
            self.time.pass_(1)
            happens()
            self.time.pass_(1)
            self.answer()
            self.time.pass_(1)
            result = self.result()
            self.assertEqual(result.tracker.total.kinds[Kind.ANSWERED], 2)
            self.assertEqual(result.tracker.lost, 1)
            self.assertEqual(verdict(result, "target").status, SOME)
