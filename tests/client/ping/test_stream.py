"""
Tests for L{echod.client.ping.stream} and L{echod.client.ping.opening}.
"""

from __future__ import annotations

import errno
from itertools import pairwise
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import (
    ConnectionDone,
    ConnectionRefusedError,
    DNSLookupError,
    TimeoutError,
)
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import ALL, NO_ECHO, REFUSED, SILENT, SOME, Outcome
from echod.client.ping.opening import Openings
from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.protocols import StreamProbesProtocol
from echod.client.ping.reports.summary import summary
from echod.client.ping.stream import SHORTEST_PAUSE, Stream
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.verdict import verdict
from tests.client.ping.test_connections import MemoryEndpoint
from tests.client.ping.test_pinger import Time
from tests.support import MemoryTLSTransport

REFUSAL = ConnectionRefusedError(errno.ECONNREFUSED)


class StreamTests(SynchronousTestCase):
    """
    Tests for L{Stream}.
    """

    def start(self, count: int | None = None, **plan: Any) -> Deferred[None]:
        """
        Start a run, of one probe a second.

        @return: Fires when sending has started.
        """
        self.time = Time()
        self.events: list[Event] = []
        self.endpoint = MemoryEndpoint()
        self.pinger = Pinger(
            self.time.clock,
            Plan(count, **plan),
            self.events.append,
            now=self.time.moment,
            random=Random(1),
        )
        self.stream = Stream(self.time.clock, self.endpoint, self.pinger)
        return Deferred.fromCoroutine(self.stream.start())

    def refuse(self, error: Exception) -> None:
        """
        Let the oldest attempt to connect fail.
        """
        self.endpoint.attempts.pop(0)[1].errback(Failure(error))

    def accept(self) -> StringTransport:
        """
        @return: The transport of the oldest attempt, without the probes so far.
        """
        transport: StringTransport = self.endpoint.accept()
        return transport

    def answer(self, transport: Any) -> None:
        """
        Return what was sent.
        """
        transport.protocol.dataReceived(transport.value())
        transport.clear()

    def lose(self, transport: Any) -> None:
        """
        Close a connection.
        """
        transport.protocol.connectionLost(Failure(ConnectionDone()))

    def outcome(self) -> Outcome:
        """
        @return: The outcome of the run, of which nothing is left.
        """
        result = self.successResultOf(self.pinger.finished)
        self.stream.close()
        for transport in self.endpoint.transports:
            if transport.disconnecting:
                self.lose(transport)
        self.assertEqual(self.time.clock.getDelayedCalls(), [])
        return verdict(result, "it")

    def kinds(self) -> list[Kind]:
        """
        @return: The events so far, without those of sending.
        """
        return [event.kind for event in self.events if event.kind is not Kind.SENT]

    def test_lost(self) -> None:
        """
        A connection that is lost is opened again at once.  The probe in flight is lost.
        """
        started = self.start(3)
        transport = self.accept()
        self.successResultOf(started)
        self.answer(transport)
        self.time.pass_(1.1)
        self.lose(transport)
        self.time.pass_(0.01)
        transport = self.accept()
        self.time.pass_(1)
        self.answer(transport)
        self.time.pass_(1)
        self.assertEqual(self.kinds(), [Kind.ANSWERED, Kind.LOST, Kind.ANSWERED])
        self.assertEqual(self.outcome(), (SOME, "it: 1 of 3 did not come back in time"))
        self.assertEqual(summary(self.pinger.result(), Outcome(1), "it")["reconnected"], 1)

    def test_lostBetweenProbes(self) -> None:
        """
        A connection that is lost and opened again between two probes costs nothing.
        """
        self.start(2)
        transport = self.accept()
        self.answer(transport)
        self.time.pass_(0.5)
        self.lose(transport)
        self.time.pass_(0.01)
        transport = self.accept()
        self.time.pass_(0.6)
        self.answer(transport)
        self.time.pass_(1)
        self.assertEqual(self.outcome(), (ALL, "it: all came back"))

    def test_refusedAgain(self) -> None:
        """
        There are two attempts to connect in each interval.  Meanwhile, probes are refused.
        """
        self.start(6)
        transport = self.accept()
        self.answer(transport)
        self.time.pass_(0.5)
        self.lose(transport)
        for _ in range(6):
            self.time.pass_(0.501)
            self.assertEqual(len(self.endpoint.attempts), 1)
            self.refuse(REFUSAL)
        self.time.pass_(0.5)
        transport = self.accept()
        self.time.pass_(1)
        self.answer(transport)
        self.time.pass_(1)
        self.assertEqual(self.kinds(), [Kind.ANSWERED, *[Kind.REFUSED] * 4, Kind.ANSWERED])
        self.assertEqual(self.outcome().status, SOME)

    def test_refusedAtFirst(self) -> None:
        """
        The first refusal ends the run, unless it is persistent.
        """
        started = self.start(None)
        self.refuse(REFUSAL)
        self.failureResultOf(started, ConnectionRefusedError)
        started = self.start(3, persistent=True)
        self.refuse(REFUSAL)
        self.successResultOf(started)
        self.time.pass_(1.1)
        self.refuse(REFUSAL)
        self.time.pass_(2)
        self.assertEqual(self.kinds(), [Kind.REFUSED] * 3)
        self.assertEqual(self.outcome().status, REFUSED)

    def test_permanent(self) -> None:
        """
        A name that cannot be resolved ends a persistent run, too.
        """
        started = self.start(3, persistent=True)
        self.refuse(DNSLookupError("no such name"))
        self.failureResultOf(started, DNSLookupError)

    def test_silent(self) -> None:
        """
        If an attempt to connect has no answer, probes are lost, not refused.
        """
        self.start(3, persistent=True)
        self.time.pass_(1)
        self.refuse(TimeoutError())
        self.time.pass_(3.1)
        self.assertEqual(self.kinds(), [Kind.LOST] * 3)
        outcome = self.outcome()
        self.assertEqual(outcome.status, SILENT)
        self.assertIn("it: silent, 3 probes without an answer", outcome.message)

    def test_closedAtOnce(self) -> None:
        """
        A server that closes each connection is no echo server.
        """
        for persistent, probes in ((True, 3), (False, 1)):
            self.start(3, persistent=persistent)
            self.lose(self.accept())
            for _ in range(probes):
                self.time.pass_(1.001)
                if self.endpoint.attempts:
                    self.lose(self.accept())
            self.assertEqual(len(self.kinds()), probes)
            message = f"it: the server has closed the connection; {NO_ECHO}"
            self.assertEqual(self.outcome(), (SOME, message))

    def test_pause(self) -> None:
        """
        However fast the probes are, there is a pause between attempts to connect.
        """
        self.start(None, interval=0.001, sending=0.1, persistent=True)
        attempts: list[float] = []

        def connect(factory: object) -> Deferred[Any]:
            attempts.append(self.time.clock.seconds())
            return fail(REFUSAL)

        self.endpoint.connect = connect  # type: ignore[method-assign]
        self.refuse(REFUSAL)
        self.time.pass_(0.2)
        self.assertEqual(self.outcome().status, REFUSED)
        pauses = [after - before for before, after in pairwise(attempts)]
        self.assertGreater(min(pauses), SHORTEST_PAUSE)
        self.assertLess(max(pauses), 2 * SHORTEST_PAUSE)

    def test_closing(self) -> None:
        """
        At the end of the run, a server that does not let the connection end has one timeout
        for it.
        """
        self.start(1)
        transport: Any = self.accept()
        self.stream.close()
        self.time.pass_(0.9)
        self.assertEqual((transport.disconnecting, transport.disconnected), (True, False))
        self.time.pass_(0.2)
        self.assertTrue(transport.disconnected)
        self.lose(transport)
        self.outcome()

    def test_closeWhileConnecting(self) -> None:
        """
        At the end of the run, an attempt to connect is given up.
        """
        self.start(None)
        transport = self.accept()
        self.answer(transport)
        self.lose(transport)
        self.time.pass_(1.1)
        self.pinger.interrupt()
        self.time.pass_(0.1)
        self.outcome()
        self.assertEqual(self.endpoint.cancelled, 1)


class OpeningTests(SynchronousTestCase):
    """
    Tests for L{Openings} and C{OpeningProtocol}.
    """

    def pinger(self, persistent: bool = False) -> tuple[Pinger, Time]:
        """
        @return: A run that has not started, and its clock.
        """
        time = Time()
        pinger = Pinger(
            time.clock,
            Plan(persistent=persistent),
            lambda event: None,
            now=time.moment,
            random=Random(1),
        )
        self.addCleanup(pinger.end)
        return pinger, time

    def test_connect(self) -> None:
        """
        Connecting lasts from the start until the connection is made.
        """
        pinger, time = self.pinger()
        protocol = StreamProbesProtocol(pinger)
        time.pass_(0.25)
        protocol.makeConnection(StringTransport())
        values = summary(pinger.result(), Outcome(0), "it")
        for name in ("connect_us", "connect_min_us", "connect_avg_us", "connect_max_us"):
            self.assertApproximates(values[name], 250_000, 100)
        self.assertIsNone(values["tls_handshake_us"])
        self.assertTrue(pinger.started)

    def test_handshake(self) -> None:
        """
        With TLS, the first probe is sent after the handshake.
        """
        pinger, time = self.pinger()
        protocol = StreamProbesProtocol(pinger)
        time.pass_(0.25)
        client: Any = protocol
        MemoryTLSTransport(client)
        time.pass_(0.5)
        self.assertFalse(pinger.started)
        protocol.handshakeCompleted()
        self.assertTrue(pinger.started)
        values = summary(pinger.result(), Outcome(0), "it")
        self.assertApproximates(values["connect_us"], 250_000, 100)
        self.assertApproximates(values["tls_handshake_us"], 500_000, 100)

    def test_handshakeFailed(self) -> None:
        """
        If the handshake fails, no probe was sent.
        """
        pinger, _ = self.pinger()
        protocol = StreamProbesProtocol(pinger)
        client: Any = protocol
        MemoryTLSTransport(client)
        protocol.connectionLost(Failure(Exception([("", "", "certificate verify failed")])))
        outcome = verdict(self.successResultOf(pinger.finished), "it")
        self.assertEqual(outcome, (SOME, "it: TLS failed (certificate verify failed)"))

    def test_handshakeSilent(self) -> None:
        """
        A server that does not answer the handshake has one timeout for it.  Then a persistent
        run connects again, and another run ends.
        """
        for persistent in (False, True):
            pinger, time = self.pinger(persistent)
            reopened: list[Failure] = []
            pinger.reopen = reopened.append
            client: Any = StreamProbesProtocol(pinger)
            transport = MemoryTLSTransport(client)
            time.pass_(0.9)
            self.assertFalse(transport.aborted)
            time.pass_(0.2)
            self.assertTrue(transport.aborted)
            self.assertEqual(len(reopened), persistent)
            reason = reopened[0].value if persistent else pinger.result().lost
            self.assertIsInstance(reason, TimeoutError)

    def test_exact(self) -> None:
        """
        If the transport has measured the connection, its value counts: looking up the name
        is not in it.
        """
        openings = Openings()
        openings.connected(5)
        openings.made(1000)
        openings.made(10)
        self.assertEqual((openings.connect.min, openings.connect.max), (5, 10))
