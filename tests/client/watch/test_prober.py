"""
Tests for L{echod.client.watch.prober} and L{echod.client.watch.results}.
"""

from __future__ import annotations

import errno

from twisted.internet import error
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.addresses import Addresses
from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Kind
from echod.client.target import Address
from echod.client.watch.prober import Prober, startAll
from echod.client.watch.results import CONNECTION, LOOKUP, Results, reason
from tests.client.ping.test_pinger import Time
from tests.extended import pingaccuracy, pingrelay

PLAN = Plan(interval=2.0, timeout=1.0, persistent=True, remembered=10)

PEER = Address("fe80::1%2", 7)


class ProberTests(SynchronousTestCase):
    """
    Tests for L{Prober}, with pingers that the test answers.

    @ivar runs: For each run, its pinger and when it began.

    @ivar problem: The error that the next runs end with, if any.

    @ivar found: The addresses of the target, or the error of looking up its name.
    """

    def setUp(self) -> None:
        self.time = Time()
        self.clock = self.time.clock
        self.runs: list[tuple[Pinger, float]] = []
        self.probes: list[tuple[float, bytes]] = []
        self.problem: Exception | None = None
        self.ended = 0
        self.results = Results("it", "UDP", lambda: 1e9 + self.clock.seconds())
        self.found: list[Address] | Exception = [Address("192.0.2.1", 7), PEER]
        self.prober = self.made(PLAN)
        self.prober.start(0.5)

    def made(self, plan: Plan) -> Prober:
        """
        @return: A prober.
        """
        prober = Prober(
            self.clock, plan, self.results, self.measure, self.lookUp, self.time.moment
        )
        self.addCleanup(prober.stop)
        return prober

    async def lookUp(self) -> list[Address]:
        """
        @return: The addresses of the target.
        """
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def measure(self, pinger: Pinger) -> Result:
        """
        Record a run.
        """
        self.runs.append((pinger, self.clock.seconds()))
        if self.problem is not None:
            raise self.problem
        pinger.addresses = Addresses("[fe80::1%eth0]:7", "fe80::2")
        pinger.connected = True
        pinger.reopen = lambda reason: None
        pinger.opened()
        pinger.start(self.write)
        try:
            return await pinger.finished
        finally:
            self.ended += 1

    def write(self, probe: bytes) -> None:
        """
        Record a probe.
        """
        self.probes.append((self.clock.seconds(), probe))

    def advance(self, seconds: float, step: float = 0.01) -> None:
        """
        Let time pass in small steps.
        """
        self.time.pass_(seconds, step)

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
        return results.sent, results.kinds[Kind.ANSWERED], results.lost

    def answerAll(self, seconds: float) -> None:
        """
        Let time pass, and return each probe.
        """
        for _ in range(round(seconds / 2)):
            self.advance(0.6)
            self.answer()
            self.advance(1.4)

    def test_healthy(self) -> None:
        """
        A socket that works is kept, also if the name cannot be looked up, which is counted;
        each probe is sent one interval after the probe before it.
        """
        self.answerAll(80)
        self.found = DNSLookupError("no address")
        self.answerAll(60)
        self.found = ValueError("no error of a name server")
        self.answerAll(60)
        self.assertEqual(
            [round(when, 1) for when, _ in self.probes], [0.5 + 2 * n for n in range(100)]
        )
        self.assertEqual(len(self.runs), 1)
        self.assertEqual((self.counts(), self.results.up), ((100, 100, 0), True))
        self.assertAlmostEqual(self.results.answered or 0, 1e9 + 198.6, 1)
        self.assertLess(self.runs[0][0].tracker.total.sent, 40)
        self.assertEqual([self.results.errors[each] for each in (LOOKUP, CONNECTION)], [1, 1])
        self.runs[0][0].connectionLost(Failure(error.ConnectionLost()))
        self.advance(2)
        self.assertEqual(len(self.runs), 2)

    def test_moved(self) -> None:
        """
        When the name leads to other addresses only, a new socket follows without a loss.
        """
        self.answerAll(50)
        self.found = [Address("192.0.2.1", 7)]
        self.answerAll(20)
        self.assertEqual([round(when, 1) for _, when in self.runs], [0.5, 62.5])
        self.assertEqual(self.counts(), (35, 35, 0))
        self.assertEqual(self.results.reconnected, 0)

    def test_withoutName(self) -> None:
        """
        Without a name or without an address, there is nothing to look up.
        """
        self.prober.stop()
        self.found = [Address("192.0.2.1", 7)]
        prober = Prober(self.clock, PLAN, self.results, self.measure, None, self.time.moment)
        prober.start(0.5)
        self.answerAll(80)
        prober.stop()
        self.made(PLAN).start(0.5)
        self.advance(0.6)
        self.runs[-1][0].addresses = None
        self.advance(1.4)
        self.answerAll(80)
        self.assertEqual(len(self.runs), 2)

    def test_hour(self) -> None:
        """
        In an hour with a network that does everything to probes, each probe and each answer
        is counted once.
        """
        self.prober.stop()
        record = pingrelay.Record()
        network = pingrelay.Plan(pingrelay.MIXTURES["much of all"], 7, 1 << 40)

        def deliver(sequence: int, kind: str, data: bytes) -> None:
            nanoseconds = round(self.clock.seconds() * 1e9)
            record.sent.append(pingrelay.Sent(sequence, kind, nanoseconds, nanoseconds))
            self.runs[-1][0].received(data)

        def write(probe: bytes) -> None:
            sequence = pingrelay.number(probe)
            record.arrived[sequence] = round(self.clock.seconds() * 1e9)
            for delay, kind, data in network.copies(sequence, probe):
                self.clock.callLater(delay, deliver, sequence, kind, data)

        self.write = write  # type: ignore[method-assign]
        prober = self.made(Plan(interval=1.0, sizes=(32, 300), timeout=pingrelay.TIMEOUT))
        prober.start(0)
        self.advance(3600, 0.02)
        prober.stop()
        self.assertEqual(len(self.runs), 1)
        counts = pingaccuracy.expected(record).counts
        kinds = (Kind.LATE, Kind.DUPLICATED, Kind.TRUNCATED, Kind.CORRUPTED, Kind.FOREIGN)
        self.assertEqual(
            (
                *self.counts(),
                self.results.reordered,
                [self.results.kinds[kind] for kind in kinds],
            ),
            (
                counts["sent"],
                counts["received"],
                counts["sent"] - counts["received"],
                counts["reordered"],
                [counts[kind.value] for kind in kinds],
            ),
        )

    def test_spread(self) -> None:
        """
        The probes of different targets are spread over the interval.
        """
        self.prober.stop()
        probers = [self.made(PLAN) for _ in range(4)]
        startAll(probers, 2.0)
        self.advance(3.9)
        self.assertEqual(
            [round(when, 1) for when, _ in self.probes],
            [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5],
        )

    def test_silent(self) -> None:
        """
        A silent target is probed for ever with a new socket at each check, and each probe is
        lost.
        """
        self.advance(180)
        self.assertEqual([round(when, 1) for _, when in self.runs], [0.5, 62.5, 124.5])
        self.assertEqual(self.counts(), (90, 0, 90))
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
        With a short interval, the next attempt to open a socket is a second later; each probe
        that was due is lost.
        """
        self.prober.stop()
        self.problem = OSError(errno.ENETUNREACH, "no network")
        self.made(Plan(interval=0.1)).start(0)
        self.advance(3.5)
        self.assertEqual(len(self.runs), 4)
        self.assertEqual(self.results.errors["unreachable"], 4)
        self.assertEqual(self.counts(), (44, 0, 44))

    def test_closedAtOnce(self) -> None:
        """
        If the server closes each connection at once, the next attempt to connect is a second
        later, too.
        """
        self.prober.stop()

        def write(probe: bytes) -> None:
            self.clock.callLater(0, lambda: lose(Failure(error.ConnectionDone())))

        def lose(reason: Failure) -> None:
            self.runs[-1][0].connectionLost(reason)

        self.write = write  # type: ignore[method-assign]
        self.made(Plan(interval=0.1)).start(0)
        self.advance(3.5)
        self.assertEqual(len(self.runs), 4)
        self.assertEqual(self.results.errors["connection"], 4)
        self.assertEqual(self.counts(), (44, 0, 44))

    def test_stopped(self) -> None:
        """
        If this process is stopped, the probes of that time are neither sent nor lost.
        """
        self.answerAll(20)
        self.clock.advance(3600)
        self.answer()
        self.answerAll(20)
        self.assertEqual((self.counts(), self.results.skipped), ((21, 21, 0), 1799))
        self.runs[0][0].connectionLost(Failure(error.ConnectionLost()))
        self.advance(2)
        self.assertEqual((self.counts(), len(self.runs)), ((22, 21, 1), 2))

    def test_stoppedWithoutSocket(self) -> None:
        """
        If this process is stopped, the probes of that time are neither sent nor lost, also
        for a target that has no socket.
        """
        self.problem = error.ConnectionRefusedError()
        self.advance(4)
        sent, _, lost = self.counts()
        self.clock.advance(3600)
        # One probe is due now, and one while the next attempt has to wait.
        self.assertEqual((self.counts(), self.results.skipped), ((sent + 2, 0, lost + 2), 1799))

    def test_slowConnection(self) -> None:
        """
        The probes that were due while a connection was being made are lost.
        """
        self.prober.stop()
        opened: Deferred[None] = Deferred()

        async def measure(pinger: Pinger) -> Result:
            await opened
            return await self.measure(pinger)

        prober = Prober(self.clock, PLAN, self.results, measure, None, self.time.moment)
        self.addCleanup(prober.stop)
        prober.start(0)
        self.advance(70)
        opened.callback(None)
        self.answer()
        self.assertEqual(self.counts(), (36, 1, 35))

    def test_refused(self) -> None:
        """
        A probe that is refused is lost.
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

        pinger = Pinger(self.clock, PLAN, self.results.observe, now=self.time.moment)
        pinger.start(write)
        self.assertEqual(self.counts(), (1, 0, 1))
        self.assertEqual(self.results.errors["unreachable"], 1)

    def test_late(self) -> None:
        """
        A late answer is counted, even after minutes, and its probe stays lost.
        """
        self.advance(2)
        late = self.probes[-1][1]
        self.answerAll(128)
        self.runs[0][0].received(late)
        self.assertEqual(self.counts(), (65, 64, 1))
        self.assertEqual(self.results.kinds[Kind.LATE], 1)

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

    def test_connectionLost(self) -> None:
        """
        The loss of a connection and the new connection are counted.
        """
        self.advance(0.6)
        self.answer()
        self.runs[0][0].connectionLost(Failure(error.ConnectionLost()))
        self.assertEqual(self.results.errors["connection"], 1)
        self.advance(2)
        self.answer()
        self.assertEqual((len(self.runs), self.results.reconnected), (2, 1))
        self.assertEqual(self.counts(), (2, 2, 0))


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
