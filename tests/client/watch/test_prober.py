"""
Tests for L{echod.client.watch.prober} and L{echod.client.watch.results}.
"""

from __future__ import annotations

import errno
import gc
import weakref

from twisted.internet import error
from twisted.internet.defer import CancelledError
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.watch.prober import Prober, startAll
from echod.client.watch.results import Results, reason
from tests.client.ping.test_pinger import Time

PLAN = Plan(count=3, interval=2.0, timeout=1.0)


class ProberTests(SynchronousTestCase):
    """
    Tests for L{Prober}, with pingers that the test answers.

    @ivar runs: For each run, its pinger and when it began.

    @ivar problem: The error that the next runs end with, if any.
    """

    def setUp(self) -> None:
        self.time = Time()
        self.clock = self.time.clock
        self.runs: list[tuple[Pinger, float]] = []
        self.probes: list[tuple[float, bytes]] = []
        self.problem: Exception | None = None
        self.ended = 0
        self.results = Results("it", lambda: 1e9 + self.clock.seconds())
        self.prober = Prober(self.clock, PLAN, self.results, self.measure, self.time.moment)
        self.prober.start(0.5)
        self.addCleanup(self.prober.stop)

    async def measure(self, pinger: Pinger) -> Result:
        """
        Record a run.
        """
        self.runs.append((pinger, self.clock.seconds()))
        if self.problem is not None:
            raise self.problem
        pinger.start(lambda probe: self.probes.append((self.clock.seconds(), probe)))
        try:
            return await pinger.finished
        finally:
            self.ended += 1

    def advance(self, seconds: float) -> None:
        """
        Let time pass in small steps.
        """
        self.time.pass_(seconds)

    def answer(self) -> None:
        """
        Return the latest probe.
        """
        self.runs[-1][0].received(self.probes[-1][1])

    def counts(self) -> tuple[int, int, int]:
        """
        @return: How many probes were sent, received in time, and lost.
        """
        results = self.results
        return results.sent, results.roundTrips.total, results.lost

    def test_schedule(self) -> None:
        """
        Runs follow each other without a gap: each probe is sent one interval after the
        probe before it.
        """
        for _ in range(7):
            self.advance(0.6)
            self.answer()
            self.advance(1.4)
        self.assertEqual(
            [round(when, 1) for when, _ in self.probes], [0.5 + 2 * n for n in range(7)]
        )
        self.assertEqual([round(when, 1) for _, when in self.runs], [0.5, 6.5, 12.5])
        self.assertEqual((self.counts(), self.results.up), ((7, 7, 0), True))
        self.assertAlmostEqual(self.results.answered or 0, 1e9 + 12.6, 1)

    def test_spread(self) -> None:
        """
        The probes of different targets are spread over the interval.
        """
        self.prober.stop()
        probers = [
            Prober(self.clock, PLAN, self.results, self.measure, self.time.moment)
            for _ in range(4)
        ]
        startAll(probers, 2.0)
        self.advance(3.9)
        for prober in probers:
            prober.stop()
        self.assertEqual(
            [round(when, 1) for when, _ in self.probes],
            [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5],
        )

    def test_silent(self) -> None:
        """
        A silent target is probed for ever, and each probe is lost.
        """
        self.advance(20)
        self.assertEqual(len(self.runs), 4)
        self.assertEqual(self.counts(), (10, 0, 10))
        self.assertFalse(self.results.up)

    def test_downAndUp(self) -> None:
        """
        The results change with the target.
        """
        self.advance(0.6)
        self.answer()
        self.assertTrue(self.results.up)
        self.advance(3.5)
        self.assertFalse(self.results.up)
        self.assertEqual(self.counts(), (2, 1, 1))
        self.advance(0.5)
        self.answer()
        self.assertTrue(self.results.up)

    def test_unresolvable(self) -> None:
        """
        If the name cannot be looked up, each try costs one probe; when it can be looked up
        again, probing goes on.
        """
        self.problem = DNSLookupError("no address")
        self.advance(5)
        self.assertEqual([round(when, 1) for _, when in self.runs], [0.5, 2.5, 4.5])
        self.assertEqual(self.counts(), (3, 0, 3))
        self.assertEqual(self.results.errors["lookup"], 3)
        self.problem = None
        self.advance(2)
        self.answer()
        self.assertEqual((self.counts(), self.results.up), ((4, 1, 3), True))

    def test_retry(self) -> None:
        """
        With a short interval, a run without an answer is not repeated at once.
        """
        self.prober.stop()
        self.problem = OSError(errno.ENETUNREACH, "no network")
        plan = Plan(count=100, interval=0.01)
        prober = Prober(self.clock, plan, self.results, self.measure, self.time.moment)
        prober.start(0)
        self.advance(3.5)
        prober.stop()
        self.assertEqual(len(self.runs), 4)
        self.assertEqual(self.results.errors["unreachable"], 4)

    def test_refused(self) -> None:
        """
        A probe that is refused is lost, and so are the probes in flight at the end of a run.
        """
        self.advance(0.6)
        pinger, _ = self.runs[0]
        pinger.failed(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
        self.advance(1)
        self.assertEqual(self.counts(), (1, 0, 1))
        self.assertEqual(self.results.errors["refused"], 1)

    def test_unsendable(self) -> None:
        """
        A probe that cannot be sent is lost.
        """

        def write(probe: bytes) -> None:
            raise OSError(errno.ENETUNREACH, "no network")

        self.problem = CancelledError()
        pinger = Pinger(self.clock, PLAN, self.results.observe, now=self.time.moment)
        pinger.start(write)
        self.assertEqual(self.counts(), (1, 0, 1))
        self.assertEqual(self.results.errors["unreachable"], 1)

    def test_late(self) -> None:
        """
        A late answer is counted, and its probe stays lost.
        """
        self.advance(1.9)
        self.answer()
        self.assertEqual(self.counts(), (1, 1, 1))
        self.assertFalse(self.results.up)

    def test_damaged(self) -> None:
        """
        A probe with a damaged answer is lost once.
        """
        self.advance(0.6)
        pinger, _ = self.runs[0]
        damaged = self.probes[0][1][:-1] + b"\0"
        for _ in range(2):
            pinger.received(damaged)
        self.assertEqual(self.counts(), (1, 0, 1))

    def test_stop(self) -> None:
        """
        A stopped prober ends its run, starts no other run, and counts nothing more.
        """
        self.advance(0.6)
        self.prober.stop()
        self.assertEqual(self.ended, 1)
        self.advance(10)
        self.assertEqual((len(self.runs), self.counts()), (1, (1, 0, 0)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stopBetween(self) -> None:
        """
        A prober can be stopped before a run.
        """
        self.prober.stop()
        self.advance(1)
        self.assertEqual(self.runs, [])

    def test_memory(self) -> None:
        """
        After a run, nothing refers to its pinger.
        """
        self.advance(8)
        first = weakref.ref(self.runs[0][0])
        self.runs.clear()
        gc.collect()
        self.assertIsNone(first())

    def test_reconnected(self) -> None:
        """
        The connections that were opened again are counted after each run.
        """
        self.advance(0.6)
        pinger, _ = self.runs[0]
        pinger.openings.again = 3
        self.advance(6)
        self.assertEqual(self.results.reconnected, 3)

    def test_connectionLost(self) -> None:
        """
        The loss of a connection is counted, and the next run follows.
        """
        self.advance(0.6)
        self.answer()
        self.runs[0][0].connectionLost(Failure(error.ConnectionLost()))
        self.assertEqual(self.results.errors["connection"], 1)
        self.advance(2)
        self.assertEqual(len(self.runs), 2)


class ReasonTests(SynchronousTestCase):
    """
    Tests for L{reason}.
    """

    def test_reasons(self) -> None:
        """
        Each error has the reason that an operator looks for.
        """
        for problem, expected in (
            (error.DNSLookupError("x"), "lookup"),
            (error.UnknownHostError("x"), "lookup"),
            (error.TimeoutError(), "timeout"),
            (error.TCPTimedOutError(), "timeout"),
            (error.ConnectionRefusedError(errno.ECONNREFUSED), "refused"),
            (FileNotFoundError(errno.ENOENT, "no socket"), "refused"),
            (OSError(errno.EHOSTUNREACH, "no route"), "unreachable"),
            (error.ConnectionLost(), "connection"),
            (ValueError(), "connection"),
        ):
            self.assertEqual(reason(problem), expected, problem)
