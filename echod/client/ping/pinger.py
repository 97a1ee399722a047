"""
A measurement: probes go out on schedule, and every byte that comes back is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from echod.client.ping.addresses import Addresses, Connected, addressesOf
from echod.client.ping.opening import Openings
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.ping.schedule import Schedule
from echod.client.ping.sender import Sender
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.expiry import Expiry
from echod.client.ping.tracking.moments import SECOND, Moment, now
from echod.client.ping.tracking.probe import Probes
from echod.client.ping.tracking.tracker import Tracker
from echod.client.udpsocket import UNKNOWN, Source


class Pinger:
    """
    One run of a measurement.  A protocol sends its probes and delivers the answers.

    @ivar finished: Fires with the L{Result}.

    @ivar reactor: The clock.

    @ivar connected: True if a connection was made.

    @ivar addresses: The addresses of the socket; L{None} if they are unknown.

    @ivar openings: How long connections took to open.

    @ivar reopen: Called when the connection is lost and probes are still to be sent.  It
        opens a new one later, and calls L{start}.  With L{None}, the run ends.

    @ivar opened: Called when the socket is open, before the first probe is sent.

    @ivar skipped: Called with the number of probes that are left out, because it is too late
        for them.

    @ivar observe: Called with each event.
    """

    connected = False
    addresses: Addresses | None = None
    opened: Callable[[], object] = staticmethod(lambda: None)
    skipped: Callable[[int], object] = staticmethod(lambda number: None)
    reopen: Callable[[Failure], object] | None = None

    _write: Callable[[bytes], object]
    _unread: Callable[[], bool]
    _failure: BaseException | None = None
    _isCut = False
    _over = False

    def __init__(
        self,
        reactor: IReactorTime,
        plan: Plan,
        observer: Callable[[Event], object],
        *,
        now: Callable[[], Moment] = now,
        random: Random | None = None,
    ) -> None:
        """
        @param random: The source of the content of the probes.
        """
        self.finished: Deferred[Result] = Deferred()
        self.reactor = reactor
        self.openings = Openings()
        self.plan = plan
        self.tracker = Tracker(
            Probes(random or Random()), round(plan.timeout * SECOND), plan.remembered
        )
        self.observe = observer
        self.now = now
        self._began = now().monotonic
        self._sender = Sender(self.tracker, now)
        self._schedule = Schedule(
            reactor,
            now,
            plan,
            act=self._send,
            done=self._checkDone,
            skipped=lambda number: self.skipped(number),
        )
        self._expiry = Expiry(
            reactor, now, self.tracker, lambda: self._unread(), self._expired, self.end
        )

    @property
    def started(self) -> bool:
        """
        True if sending has started.
        """
        return self._schedule.started

    def open(self, transport: Connected) -> None:
        """
        Record the addresses of the socket.
        """
        self.addresses = addressesOf(transport)
        self.opened()

    def start(
        self, write: Callable[[bytes], object], unread: Callable[[], bool] = lambda: False
    ) -> None:
        """
        Start sending.  If sending has started, go on with another socket.

        @param write: Sends a probe.  If it raises C{BlockingIOError}, it is called again
            with the same probe; after another C{OSError} it is not.

        @param unread: Returns True if answers have arrived that were not read yet.
        """
        self._write, self._unread = write, unread
        if self.started:
            return
        self._began = self.now().monotonic
        self._expiry.start(self.plan.deadline)
        self._schedule.start()

    def nextSize(self) -> int | None:
        """
        @return: The size of the next probe; L{None} if none can be sent now.
        """
        return self.plan.sizes[self.tracker.attempted % len(self.plan.sizes)]

    def received(self, data: bytes, source: Source = UNKNOWN) -> None:
        """
        Check data that has come back.
        """
        if not self._over:
            event = self.tracker.received(data, self.now(), source.arrived)
            self.observe(event._replace(ttl=source.ttl, tos=source.tos))
            self._checkDone()

    def failed(self, error: OSError, data: bytes = b"") -> None:
        """
        Record an error that has come back.  If it comes before the first answer, end,
        unless the plan is persistent.

        @param data: The probe that the error belongs to; empty if unknown.
        """
        if not self._over:
            self._failed(self.tracker.failed(self._sender.kind(error), data))

    def interrupt(self) -> None:
        """
        Stop sending, and wait for the probes in flight.  The second time, do not wait.
        """
        if self._schedule.isOver or not self.started:
            self.end()
        else:
            self._schedule.finish()

    def connectionLost(self, reason: Failure) -> None:
        """
        Record that the connection is lost, with all probes in flight.  End, or open a new
        one if there are probes to send.
        """
        if self._over:
            return
        if not self._schedule.isOver or self.tracker.inFlight:
            self._failure = reason.value
            self._isCut = self.reopen is None
        for event in self.tracker.expire(inf):
            self.observe(event)
        if self._schedule.isOver or self._isHopeless() or self.reopen is None:
            self.end()
        else:
            self.reopen(reason)

    def unanswered(self, reason: Failure) -> None:
        """
        Record that one of several connections has ended without the whole answer.
        """
        if self._isHopeless():
            self.connectionLost(reason)
        else:
            self._failure = reason.value

    def end(self) -> None:
        """
        End now, without waiting for the probes in flight.
        """
        if self._over:
            return
        self._over = True
        self._schedule.stop()
        self._expiry.stop()
        self.finished.callback(self.result())

    def forget(self) -> None:
        """
        Forget the result so far, but no probe: the statistics of a run that never ends would
        need more and more memory.
        """
        self.tracker.forget()
        self.openings.forget()
        self._failure = None

    def result(self) -> Result:
        """
        @return: The result so far.
        """
        # A connection that was lost and opened again has cost the probes in flight only.
        isOver = self._isCut or not self.tracker.total.returned
        return Result(
            self.tracker,
            (self.now().monotonic - self._began) / SECOND,
            self.tracker.inFlight,
            self._failure if isOver else None,
            self.connected,
            slips=self._schedule.slips,
            percentiles=self.plan.percentiles,
            unreachable=self._sender.reason,
            addresses=self.addresses,
            openings=self.openings,
        )

    def _send(self) -> bool:
        size = self.nextSize()
        event = None if size is None else self._sender.send(size, self._write)
        if event is None:
            return False
        if event.kind is Kind.SENT:
            self.observe(event)
            self._expiry.expect()
        else:
            self._failed(event)
        return True

    def _failed(self, event: Event) -> None:
        self.observe(event)
        if event.kind is not Kind.TOO_BIG and self._isHopeless():
            self.end()
        else:
            self._checkDone()

    def _isHopeless(self) -> bool:
        # In such a run, the first error is the end.
        return not (self.tracker.total.returned or self.plan.persistent)

    def _expired(self, event: Event) -> None:
        self.observe(event)
        self._checkDone()

    def _checkDone(self) -> None:
        if self._schedule.isOver and not self.tracker.inFlight and not self._over:
            self._expiry.waitForLast()
