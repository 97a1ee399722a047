"""
Tests for L{echod.client.ping.pinger}, L{echod.client.ping.schedule} and
L{echod.client.ping.verdict}.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from math import ceil, inf
from random import Random
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ISystemHandle
from twisted.internet.protocol import Factory
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import directlyProvides, providedBy

from echod.client.exitstatus import ALL, NO_ECHO, REFUSED, SILENT, SOME, WRONG
from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Limits, Plan
from echod.client.ping.protocols import DatagramProbesProtocol, StreamProbesProtocol
from echod.client.ping.result import Result
from echod.client.ping.schedule import BURST, Schedule
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.moments import Moment
from echod.client.ping.verdict import verdict
from echod.client.udpsocket import Source
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import clock
from tests.support.link import Link
from tests.support.pingruns import result

MILLISECOND = 1_000_000


class Time:
    """
    A clock in memory that goes on a little each time it is read, as for a loop that
    polls it.
    """

    def __init__(self) -> None:
        self.clock: Any = clock()

    def nanoseconds(self) -> int:
        """
        @return: The time.
        """
        self.clock.rightNow += 1e-5
        return int(self.clock.seconds() * 1e9)

    def moment(self) -> Moment:
        """
        @return: The time as a moment.
        """
        nanoseconds = self.nanoseconds()
        return Moment(nanoseconds, nanoseconds)

    def pass_(self, seconds: float, step: float = 0.001) -> None:
        """
        Let time pass, in steps of the resolution of epoll, at once to the next call.
        """
        steps = round(seconds / step)
        while steps > 0:
            due = min((call.getTime() for call in self.clock.getDelayedCalls()), default=inf)
            wait = (due - self.clock.seconds()) / step
            taken = max(1, ceil(min(wait, steps)))
            self.clock.advance(taken * step)
            steps -= taken


class ScheduleTests(SynchronousTestCase):
    """
    Tests for L{Schedule}.
    """

    def setUp(self) -> None:
        self.time = Time()
        self.acted: list[int] = []
        self.done: list[None] = []
        self.skipped: list[int] = []
        self.room = True

    def schedule(self, milliseconds: float, count: int | None) -> Schedule:
        """
        @return: A schedule that has started.
        """

        def act() -> bool:
            if self.room:
                self.acted.append(self.time.nanoseconds())
            return self.room

        schedule = Schedule(
            self.time.clock,
            self.time.moment,
            Plan(count, milliseconds / 1000),
            act,
            lambda: self.done.append(None),
            self.skipped.append,
        )
        schedule.start()
        return schedule

    def test_onTime(self) -> None:
        """
        The nth time is at n intervals from the start, within microseconds, although
        the reactor wakes up at whole milliseconds only.
        """
        self.schedule(2.5, 40)
        self.time.pass_(0.2)
        late = [when - round(n * 2.5 * MILLISECOND) for n, when in enumerate(self.acted)]
        self.assertEqual(len(late), 40)
        self.assertEqual(len(self.done), 1)
        self.assertLess(max(late) - min(late), 1.1 * MILLISECOND)
        self.assertEqual(self.time.clock.getDelayedCalls(), [])

    def test_overdue(self) -> None:
        """
        Overdue probes are sent a few at a time; then the schedule is on time again.
        """
        self.schedule(2, None)
        self.time.clock.advance(0.4)
        for _ in range(2):
            expected = self.time.clock.seconds() / 0.002
            self.assertLess(abs(len(self.acted) - expected), 3)
            self.time.pass_(0.2)

    def test_longOverdue(self) -> None:
        """
        If the process was stopped for more than a second, overdue actions are left out.  Then
        the schedule is on time again, and no action is missing at the end.
        """
        self.schedule(100, 8)
        self.time.pass_(0.35)
        self.time.clock.advance(3600)
        self.assertEqual(len(self.acted), 5)
        self.time.pass_(1)
        self.assertEqual((len(self.acted), len(self.done)), (8, 1))
        self.assertEqual(self.skipped, [35999])
        slots = [round(when / (100 * MILLISECOND), 1) for when in self.acted]
        self.assertEqual(slots, [0, 1, 2, 3, 36003.5, 36004, 36005, 36006])

    def test_turn(self) -> None:
        """
        A fast schedule leaves turns to the reactor.
        """
        self.schedule(0, None)
        self.assertEqual(len(self.acted), BURST)

    def test_blocked(self) -> None:
        """
        A probe that cannot be sent is tried again, and none is left out.
        """
        self.room = False
        self.schedule(1, 5)
        self.time.pass_(0.05)
        self.assertEqual(self.acted, [])
        self.room = True
        self.time.pass_(0.05)
        self.assertEqual((len(self.acted), len(self.done)), (5, 1))

    def test_stop(self) -> None:
        """
        When it is stopped, nothing more is done; also from within.
        """
        schedule = self.schedule(1, 5)
        schedule.stop()
        self.time.pass_(0.01)
        self.assertEqual((len(self.acted), self.done), (1, []))
        self.assertEqual(self.time.clock.getDelayedCalls(), [])

        def act() -> bool:
            schedule.stop()
            return True

        schedule = Schedule(self.time.clock, self.time.moment, Plan(3, 0), act, list, print)
        schedule.start()
        self.assertEqual(self.time.clock.getDelayedCalls(), [])


class PingerTestCase(SynchronousTestCase):
    """
    The common parts of the tests of a L{Pinger}.
    """

    def setUp(self) -> None:
        self.time = Time()
        self.events: list[Event] = []
        self.sent: list[bytes] = []

    def pinger(self, count: int | None = 3, **plan: Any) -> Pinger:
        """
        @return: A run, of one probe a second.
        """
        return Pinger(
            self.time.clock,
            Plan(count, **plan),
            self.events.append,
            now=self.time.moment,
            random=Random(1),
        )

    def kinds(self) -> list[Kind]:
        """
        @return: The events so far.
        """
        return [event.kind for event in self.events]

    def arrival(self) -> Source:
        """
        @return: The source of an answer that arrives now.
        """
        source = Source()
        source.arrived = self.time.moment().realtime
        return source

    def result(self, pinger: Pinger) -> Result:
        """
        @return: The result of the run.  Check that it is over and nothing of it is left.
        """
        self.assertEqual(self.time.clock.getDelayedCalls(), [])
        result: Result = self.successResultOf(pinger.finished)
        # To be asked for again.
        pinger.finished.addCallback(lambda _: result)
        return result

    def status(self, pinger: Pinger) -> int:
        """
        @return: The exit status.
        """
        return verdict(self.result(pinger), "it").status


class PingerTests(PingerTestCase):
    """
    Tests for L{Pinger}.
    """

    def test_allCameBack(self) -> None:
        """
        When all that was to be sent has come back, it is over at once.
        """
        pinger = self.pinger()
        pinger.start(self.sent.append)
        for number in range(3):
            self.time.pass_(0.9)
            pinger.received(self.sent[number])
        self.time.pass_(2.5, 0.1)
        self.assertEqual(self.kinds().count(Kind.ANSWERED), 3)
        self.assertEqual(self.status(pinger), ALL)

    def test_duplicateOfTheLast(self) -> None:
        """
        A duplicate of the last answer, which follows it, is counted.
        """
        pinger = self.pinger(1)
        pinger.start(self.sent.append)
        self.time.pass_(0.1)
        pinger.received(self.sent[0])
        pinger.received(self.sent[0])
        self.time.pass_(0.3)
        self.assertEqual(self.result(pinger).tracker.total.kinds[Kind.DUPLICATED], 1)
        pinger.received(self.sent[0])
        pinger.failed(OSError(errno.EHOSTUNREACH, ""))
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED, Kind.DUPLICATED])

    def test_silent(self) -> None:
        """
        If no answer arrives, the run ends when the time of the last datagram is over.
        """
        pinger = self.pinger()
        pinger.start(self.sent.append)
        self.time.pass_(2.9)
        self.assertNoResult(pinger.finished)
        self.time.pass_(0.2)
        self.assertEqual(self.kinds().count(Kind.LOST), 3)
        self.assertEqual(self.status(pinger), SILENT)

    def test_someLost(self) -> None:
        """
        When some do not come back, the status says so.
        """
        pinger = self.pinger(2)
        pinger.start(self.sent.append)
        pinger.received(self.sent[0])
        self.time.pass_(2.1)
        self.assertEqual(self.status(pinger), SOME)

    def test_onlyLate(self) -> None:
        """
        Answers that are all too late are not silence.
        """
        pinger = self.pinger(2, timeout=0.5)
        pinger.start(self.sent.append)
        self.time.pass_(0.8)
        pinger.received(self.sent[0])
        self.time.pass_(2.0)
        self.assertEqual(self.status(pinger), SOME)

    def test_wrong(self) -> None:
        """
        A wrong answer is a worse status than a lost one.
        """
        pinger = self.pinger(2)
        pinger.start(self.sent.append)
        pinger.received(self.sent[0][:-1])
        self.time.pass_(2.1)
        self.assertEqual(self.status(pinger), WRONG)

    def test_readFirst(self) -> None:
        """
        Answers that came in time are read before they count as lost, also if the process
        was stopped.
        """
        pinger = self.pinger(1)
        pinger.start(self.sent.append)
        arrived = self.arrival()
        self.time.clock.rightNow += 10
        self.time.clock.callLater(0, pinger.received, self.sent[0], arrived)
        self.time.pass_(0.01)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED])

    def test_readAll(self) -> None:
        """
        Answers that arrived in time are read before their probes are given up, however
        many there are.
        """
        pinger = self.pinger(1)
        looks: list[None] = []

        def unread() -> bool:
            looks.append(None)
            if len(looks) == 5:
                pinger.received(self.sent[0], arrived)
            return len(looks) < 5

        pinger.start(self.sent.append, unread)
        arrived = self.arrival()
        self.time.clock.rightNow += 10
        self.time.pass_(1.1)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED])

    def test_readForEver(self) -> None:
        """
        A run ends although the server never stops sending.
        """
        pinger = self.pinger(1)
        looks: list[float] = []

        def unread() -> bool:
            self.time.clock.rightNow += 0.01
            looks.append(self.time.clock.seconds())
            return len(looks) < 1000

        pinger.start(self.sent.append, unread)
        self.time.pass_(1.5)
        self.assertEqual(self.status(pinger), SILENT)
        self.assertApproximates(looks[-1], 2, 0.02)

    def test_stopped(self) -> None:
        """
        If the process was stopped, answers have as much more time: a peer whose answers nobody
        reads holds the rest back.
        """
        for stopped, more in ((0.5, 0.5), (100, 1)):
            pinger = self.pinger(1)
            self.events.clear()
            pinger.start(self.sent.append)
            self.time.clock.rightNow += 1 + stopped
            self.time.pass_(more - 0.05)
            self.assertEqual(self.kinds(), [Kind.SENT])
            self.time.pass_(0.1)
            self.assertEqual(self.kinds(), [Kind.SENT, Kind.LOST])

    def test_lateAtTheEnd(self) -> None:
        """
        After the last probe, late answers are waited for as long as answers in time.
        """
        pinger = self.pinger(2)
        pinger.start(self.sent.append)
        self.time.pass_(1.5)
        pinger.received(self.sent[1])
        self.time.pass_(0.4)
        self.assertNoResult(pinger.finished)
        pinger.received(self.sent[0])
        self.assertEqual(self.kinds()[-1], Kind.LATE)
        self.time.pass_(0.7)
        self.assertEqual(self.status(pinger), SOME)

    def test_deadline(self) -> None:
        """
        The run ends at its deadline, even if answers are due.
        """
        pinger = self.pinger(None, deadline=2.5)
        pinger.start(self.sent.append)
        self.time.pass_(2.4)
        self.assertNoResult(pinger.finished)
        self.time.pass_(0.2)
        self.assertEqual(self.result(pinger).inFlight, 1)
        self.assertEqual(self.time.clock.getDelayedCalls(), [])

    def test_leftLate(self) -> None:
        """
        Probes that left late are counted.
        """
        pinger = self.pinger(10, interval=0.01)
        pinger.start(self.sent.append)
        self.time.pass_(0.011)
        self.assertEqual(pinger.result().slips.count, 0)
        self.time.clock.advance(0.05)
        slips = pinger.result().slips
        self.assertEqual(slips.count, 5)
        self.assertTrue(0.03e9 < slips.longest < 0.05e9, slips.longest)
        pinger.end()

    def test_refusedAtFirst(self) -> None:
        """
        The run ends if nothing listens at the target.
        """
        pinger = self.pinger()
        pinger.start(self.sent.append)
        pinger.failed(ConnectionRefusedError(errno.ECONNREFUSED, ""), self.sent[0])
        self.assertEqual(self.status(pinger), REFUSED)

    def test_refusedPersistently(self) -> None:
        """
        A persistent run goes on, and waits for no late answer to a probe that was refused.
        """
        error = ConnectionRefusedError(errno.ECONNREFUSED, "")
        pinger = self.pinger(3, persistent=True)
        pinger.start(self.sent.append)
        for number in range(3):
            self.assertNoResult(pinger.finished)
            pinger.failed(error, self.sent[number])
            self.time.pass_(1 if number < 2 else 0.01)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.REFUSED] * 3)
        self.assertEqual(self.status(pinger), REFUSED)
        pinger = self.pinger(3, persistent=True)
        pinger.start(self.failing(error))
        self.time.pass_(2.1)
        self.assertEqual(self.kinds()[6:], [Kind.REFUSED] * 3)
        self.assertEqual(self.status(pinger), REFUSED)

    def test_sending(self) -> None:
        """
        Sending can be limited to a time: the last answers are still waited for.
        """
        pinger = self.pinger(None, interval=0.1, sending=0.3)
        pinger.start(self.sent.append)
        self.time.pass_(1.19)
        self.assertEqual(self.kinds(), [Kind.SENT] * 3 + [Kind.LOST] * 2)
        self.assertNoResult(pinger.finished)
        self.time.pass_(0.2)
        self.assertEqual(self.status(pinger), SILENT)

    def test_floodForATime(self) -> None:
        """
        The time also ends a flood.
        """
        pinger = self.pinger(None, interval=0.0, sending=0.05)
        pinger.start(lambda probe: self.time.clock.callLater(0.001, pinger.received, probe))
        self.time.pass_(0.1)
        self.assertEqual(self.status(pinger), ALL)
        self.assertLess(self.result(pinger).duration, 0.08)

    def test_refusedInBetween(self) -> None:
        """
        A server that went away may come back.
        """
        pinger = self.pinger()
        pinger.start(self.sent.append)
        pinger.received(self.sent[0])
        self.time.pass_(1.1)
        pinger.failed(ConnectionRefusedError(errno.ECONNREFUSED, ""), self.sent[1])
        self.time.pass_(1)
        pinger.received(self.sent[2])
        self.time.pass_(1)
        self.assertEqual(self.status(pinger), SOME)

    def failing(self, error: OSError) -> Callable[[bytes], None]:
        """
        @return: Cannot send.
        """

        def write(data: bytes) -> None:
            raise error

        return write

    def test_unreachable(self) -> None:
        """
        A probe without a route is not tried again.
        """
        pinger = self.pinger()
        pinger.start(self.failing(OSError(errno.ENETUNREACH, "")))
        self.assertEqual(self.status(pinger), SILENT)
        self.assertEqual(self.kinds(), [Kind.UNREACHABLE])

    def test_tooBig(self) -> None:
        """
        A probe that is too big for the path counts as not sent; other sizes are sent.
        """
        pinger = self.pinger(2, sizes=(9000, 64), timeout=0.1)
        pinger.start(self.failing(OSError(errno.EMSGSIZE, "")))
        pinger.failed(OSError(errno.EMSGSIZE, ""))
        self.time.pass_(1.5)
        self.assertEqual(self.kinds(), [Kind.TOO_BIG] * 3)
        self.assertEqual(self.status(pinger), SOME)

    def test_tooBigSomewhere(self) -> None:
        """
        A probe that is too big for a router counts as sent, and not as lost.
        """
        pinger = self.pinger(2, interval=0.001, sizes=(9000, 64), timeout=0.1)
        pinger.start(self.sent.append)
        self.time.pass_(0.01)
        pinger.received(self.sent[1])
        pinger.failed(OSError(errno.EMSGSIZE, ""), self.sent[0])
        self.time.pass_(0.2)
        result = self.result(pinger)
        self.assertEqual(result.tracker.bySize[9000].kinds[Kind.TOO_BIG], 1)
        self.assertIn("it: 1 were too big", verdict(result, "it").message)

    def test_unreachableInBetween(self) -> None:
        """
        A probe that there was no way for has not come back.
        """
        pinger = self.pinger(2, interval=0.1, timeout=0.1)
        writes = iter((self.sent.append, self.failing(OSError(errno.ENETUNREACH, ""))))
        pinger.start(lambda probe: next(writes)(probe))
        pinger.received(self.sent[0])
        self.time.pass_(0.5)
        self.assertEqual(self.status(pinger), SOME)

    def test_full(self) -> None:
        """
        A probe that there is no room for is sent when there is.
        """
        pinger = self.pinger(1)
        room: list[bytes] = []

        def write(data: bytes) -> None:
            room.append(data)
            if len(room) < 3:
                raise BlockingIOError(errno.EAGAIN, "")

        pinger.start(write)
        self.time.pass_(0.05)
        self.assertEqual(len(set(room)), 1)
        self.assertEqual(self.kinds(), [Kind.SENT])

    def test_dropped(self) -> None:
        """
        A probe that this machine drops is tried again for a moment.  Then it is too big if a
        smaller one came back; otherwise the target is unreachable.
        """
        tries: list[int] = []

        def write(probe: bytes) -> None:
            tries.append(len(probe))
            if len(probe) > 1300:
                raise BlockingIOError(errno.ENOBUFS, "")
            self.time.clock.callLater(0.001, pinger.received, probe)

        pinger = self.pinger(2, sizes=(64, 1400), interval=0.01)
        pinger.start(write)
        self.time.pass_(0.3)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED, Kind.TOO_BIG])
        self.assertEqual(self.status(pinger), SOME)
        self.assertTrue(20 < tries.count(1400) < 200, tries)

        pinger = self.pinger(2, sizes=(1400,))
        pinger.start(write)
        self.time.pass_(0.3)
        outcome = verdict(self.result(pinger), "it")
        self.assertEqual(outcome.status, SILENT)
        self.assertIn("this machine drops the packet: its queue is full, or", outcome.message)

    def test_droppedLater(self) -> None:
        """
        A probe that is no larger than those that came back is not too big.
        """
        pinger = self.pinger(2, interval=0.01)
        writes = iter([self.sent.append])
        drop = self.failing(BlockingIOError(errno.ENOBUFS, ""))
        pinger.start(lambda probe: next(writes, drop)(probe))
        pinger.received(self.sent[0])
        self.time.pass_(0.3)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED, Kind.UNREACHABLE])

    def test_droppedForAMoment(self) -> None:
        """
        Each probe is tried again for the same time.
        """
        drops: list[int] = []

        def write(probe: bytes) -> None:
            drops.append(0)
            if len(drops) % 30:
                raise BlockingIOError(errno.ENOBUFS, "")

        pinger = self.pinger(4, interval=0.1)
        pinger.start(write)
        self.time.pass_(0.5)
        self.assertEqual(self.kinds(), [Kind.SENT] * 4)
        pinger.end()

    def test_interrupt(self) -> None:
        """
        Interrupted, it sends no more and waits for what is on its way; twice, it
        does not wait, and what is on its way is not lost.
        """
        pinger = self.pinger(None)
        pinger.start(self.sent.append)
        pinger.interrupt()
        self.assertNoResult(pinger.finished)
        pinger.interrupt()
        self.assertEqual(self.result(pinger).inFlight, 1)
        self.assertEqual(self.status(pinger), SILENT)
        pinger.interrupt()
        pinger = self.pinger(None)
        pinger.start(self.sent.append)
        pinger.received(self.sent[-1])
        pinger.interrupt()
        self.time.pass_(0.01)
        self.assertEqual(self.status(pinger), ALL)

    def test_notStarted(self) -> None:
        """
        Interrupted before it starts, it is over.
        """
        pinger = self.pinger()
        pinger.interrupt()
        self.assertEqual(self.result(pinger).tracker.total.sent, 0)


class VerdictTests(SynchronousTestCase):
    """
    Tests for L{verdict} with limits.
    """

    def test_limits(self) -> None:
        """
        Limits for the loss and for the average round trip decide the exit status; the line
        says which limit is passed.
        """
        half = result(*[64] * 2)
        for limits, status, message in (
            (Limits(), SOME, "1 of 2 did not come back in time"),
            (Limits(0), SOME, "1 of 2 did not come back in time, more than --max-loss 0"),
            (Limits(49.9), SOME, "1 of 2 did not come back in time, more than --max-loss 49.9"),
            (Limits(50), ALL, "1 of 2 did not come back in time, within --max-loss 50"),
            (
                Limits(50, 0.00025),
                ALL,
                "1 of 2 did not come back in time, within --max-loss 50",
            ),
            (
                Limits(50, 0.0002),
                SOME,
                "the average round trip of 0.250 ms is longer than --max-rtt 0.2 ms",
            ),
        ):
            self.assertEqual(verdict(half, "it", limits), (status, f"it: {message}"))
        self.assertEqual(verdict(result(64), "it", Limits(100, 1)).status, SILENT)


class Wire:
    """
    Both ends of a UDP socket in memory.
    """

    def __init__(self, client: Any, server: UDPEchoProtocol) -> None:
        self.client = client
        self.server: Any = server
        self.error: OSError | None = None
        server.transport = self  # type: ignore[assignment]
        client.transport = self
        self.waiting: list[bytes] = []

    def getPeer(self) -> IPv4Address:
        """
        @return: The address of the server.
        """
        return IPv4Address("UDP", "192.0.2.2", 8080)

    def getHost(self) -> IPv4Address:
        """
        @return: The address of the client.
        """
        return IPv4Address("UDP", "192.0.2.1", 40000)

    def unread(self) -> bool:
        """
        @return: False: everything that has arrived is read.
        """
        return False

    def write(self, datagram: bytes, addr: object) -> None:
        """
        Send, either way.
        """
        if addr is not None:
            self.waiting.append(datagram)
        elif self.error is not None:
            raise self.error
        else:
            self.server.datagramReceived(datagram, ("192.0.2.1", 40000))

    def flush(self) -> None:
        """
        A probe that was answered arrives.
        """
        while self.waiting:
            self.client.datagramReceived(self.waiting.pop(0), Source(("192.0.2.2", 8080)))


class DatagramProbesTests(PingerTestCase):
    """
    Tests for L{DatagramProbesProtocol}.
    """

    def test_echo(self) -> None:
        """
        echod's UDP server returns every probe, of every size.
        """
        pinger = self.pinger(4, sizes=(0, 1, 64, 65507))
        protocol = DatagramProbesProtocol(pinger)
        wire = Wire(protocol, UDPEchoProtocol(clock()))
        protocol.startProtocol()
        for _ in range(45):
            wire.flush()
            self.time.pass_(0.1, 0.1)
        self.assertEqual(self.status(pinger), ALL)
        result = self.result(pinger)
        self.assertEqual(sorted(result.tracker.bySize), [0, 1, 64, 65507])
        self.assertEqual(result.addresses, ("192.0.2.2:8080", "192.0.2.1"))

    def test_failed(self) -> None:
        """
        An error that comes back is known.
        """
        pinger = self.pinger()
        protocol = DatagramProbesProtocol(pinger)
        Wire(protocol, UDPEchoProtocol(clock()))
        protocol.startProtocol()
        protocol.failed(ConnectionRefusedError(errno.ECONNREFUSED, ""), b"")
        self.assertEqual(self.status(pinger), REFUSED)


class TLSLayer(ProtocolWrapper):
    """
    A layer as that of TLS: its handle is no socket.
    """

    def getHandle(self) -> object:
        """
        @return: Not a socket.
        """
        return object()


class StreamProbesTests(PingerTestCase):
    """
    Tests for L{StreamProbesProtocol}.
    """

    def protocol(self, pinger: Pinger) -> tuple[StreamProbesProtocol, Any]:
        """
        @return: A protocol that is connected, and its transport.
        """
        protocol = StreamProbesProtocol(pinger)
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def test_echo(self) -> None:
        """
        echod's TCP server returns every probe.
        """
        pinger = self.pinger(3, interval=0.0, sizes=(1, 64, 65507))
        client = StreamProbesProtocol(pinger)
        link = Link(EchoFactory(clock(), goodbye=False), client)
        link.flush()
        self.time.pass_(0.05)
        self.assertEqual(self.status(pinger), ALL)
        client.close()
        link.flush()
        self.assertTrue(link.closed)

    def test_pieces(self) -> None:
        """
        Probes are read correctly from a stream in any pieces.
        """
        pinger = self.pinger(2, interval=0.0)
        protocol, transport = self.protocol(pinger)
        for byte in transport.value():
            protocol.dataReceived(bytes([byte]))
        self.time.pass_(0.05)
        self.assertEqual(self.status(pinger), ALL)

    def test_unread(self) -> None:
        """
        Data that have arrived are read before probes are given up.  The system tells how much
        has arrived at the socket below TLS.
        """
        for tls in (False, True):
            self.readFirst(tls)

    def readFirst(self, tls: bool) -> None:
        """
        Check that data is read before a probe is given up.
        """
        pinger = self.pinger(1)
        self.events.clear()
        protocol = StreamProbesProtocol(pinger)
        transport: Any = StringTransport()
        near, far = socket.socketpair()
        self.addCleanup(near.close)
        self.addCleanup(far.close)
        looks: list[None] = []

        def look() -> socket.socket:
            looks.append(None)
            if len(looks) == 5:
                protocol.dataReceived(near.recv(100))
            return near

        transport.getHandle = look
        directlyProvides(transport, ISystemHandle, providedBy(transport))
        carried: Any = TLSLayer(WrappingFactory(Factory()), protocol) if tls else protocol
        carried.makeConnection(transport)
        far.send(transport.value())
        self.time.pass_(1.2)
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.LATE], tls)
        pinger.end()

    def test_tooMuch(self) -> None:
        """
        Data that were never sent match no probe.
        """
        pinger = self.pinger(2)
        protocol, transport = self.protocol(pinger)
        protocol.dataReceived(transport.value() + b"hello")
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED, Kind.FOREIGN])
        pinger.end()

    def test_lost(self) -> None:
        """
        With the connection all is over, and what was on its way is lost.
        """
        pinger = self.pinger(None)
        protocol, _ = self.protocol(pinger)
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.LOST])
        outcome = verdict(self.result(pinger), "it")
        self.assertEqual(outcome.status, SOME)
        self.assertIn("the server has closed the connection; connected, but", outcome.message)
        pinger.connectionLost(Failure(ConnectionDone()))

    def test_noEcho(self) -> None:
        """
        A server that accepts the connection and never answers is not reported as a firewall.
        """
        pinger = self.pinger(1)
        self.protocol(pinger)
        self.time.pass_(1.2)
        outcome = verdict(self.result(pinger), "it")
        self.assertEqual(outcome, (SILENT, f"it: {NO_ECHO}"))

    def test_cutShort(self) -> None:
        """
        A server that leaves before all was sent has not returned all, although
        nothing is lost.
        """
        pinger = self.pinger(3)
        protocol, transport = self.protocol(pinger)
        protocol.dataReceived(transport.value())
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.kinds(), [Kind.SENT, Kind.ANSWERED])
        self.assertEqual(
            verdict(self.result(pinger), "it"),
            (SOME, "it: the server has closed the connection"),
        )

    def test_leavesAfterwards(self) -> None:
        """
        A server that leaves when all has come back has returned all.
        """
        pinger = self.pinger(1)
        protocol, transport = self.protocol(pinger)
        protocol.dataReceived(transport.value())
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.status(pinger), ALL)

    def test_full(self) -> None:
        """
        Nothing is sent while the stream is full.
        """
        pinger = self.pinger(None, interval=0.01)
        protocol, transport = self.protocol(pinger)
        protocol.pauseProducing()
        self.time.pass_(0.1)
        self.assertEqual(len(transport.value()) // 64, 1)
        protocol.resumeProducing()
        self.time.pass_(0.1)
        self.assertGreater(len(transport.value()) // 64, 10)
        protocol.stopProducing()
        pinger.end()
