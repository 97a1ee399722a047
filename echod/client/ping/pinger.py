"""
A measurement: probes go out on schedule, and every byte that comes back is checked.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from echod.client.ping.addresses import Addresses, Connected, addressesOf
from echod.client.ping.errors import Errors
from echod.client.ping.events import Event, Kind
from echod.client.ping.expiry import Expiry
from echod.client.ping.moments import Moment, now
from echod.client.ping.opening import Openings
from echod.client.ping.plan import Plan
from echod.client.ping.probe import Probes
from echod.client.ping.result import Result
from echod.client.ping.schedule import Schedule, Slips
from echod.client.ping.timer import SECOND
from echod.client.ping.tracker import Tracker

Observer = Callable[[Event], object]


class Pinger:
    """
    One run of a measurement.  A protocol sends its probes and delivers what comes back.

    @ivar finished: Fires with the L{Result}.

    @ivar connected: Whether a connection was made.

    @ivar addresses: The addresses of the socket; L{None} if they are unknown.

    @ivar openings: How long connections took to open.

    @ivar reopen: Called when the connection is lost and probes are still to be sent.  It
        opens a new one later, and calls L{start}.  With L{None}, the run ends.

    @ivar opened: Called when the socket is open, before the first probe is sent.

    @ivar observe: Called with each event.
    """

    connected = False
    addresses: Addresses | None = None
    opened: Callable[[], object] = staticmethod(lambda: None)
    reopen: Callable[[Failure], object] | None = None

    _write: Callable[[bytes], object]
    _unread: Callable[[], bool]
    _expiry: Expiry
    _schedule: Schedule | None = None
    _grace: IDelayedCall | None = None
    _deadline: IDelayedCall | None = None
    _stopping: IDelayedCall | None = None
    _failure: BaseException | None = None
    _isCut = False
    _sentAll = False
    _over = False

    def __init__(
        self,
        reactor: IReactorTime,
        plan: Plan,
        observer: Observer,
        *,
        now: Callable[[], Moment] = now,
        random: Random | None = None,
    ) -> None:
        """
        @param now: Returns the time.

        @param random: The source of the content of the probes.
        """
        self.finished: Deferred[Result] = Deferred()
        self.openings = Openings()
        self.plan = plan
        self.tracker = Tracker(Probes(random or Random()), round(plan.timeout * SECOND))
        self._errors = Errors(self.tracker)
        self._reactor = reactor
        self.observe = observer
        self.now = now
        self._began = now().monotonic

    def open(self, transport: Connected) -> None:
        """
        Record the addresses of the socket.
        """
        self.addresses = addressesOf(transport)
        self.opened()

    @property
    def started(self) -> bool:
        """
        Whether sending has started.
        """
        return self._schedule is not None

    def start(
        self, write: Callable[[bytes], object], unread: Callable[[], bool] = lambda: False
    ) -> None:
        """
        Start sending.  If sending has started, go on with another socket.

        @param unread: Returns whether answers have arrived that were not read yet.

        @param write: Sends a probe.  If it raises C{BlockingIOError}, it is called again
            with the same probe; after another C{OSError} it is not.
        """
        self._write, self._unread = write, unread
        if self.started:
            return

        def clock() -> int:
            return self.now().monotonic

        self._began = clock()
        if self.plan.deadline is not None:
            self._deadline = self._reactor.callLater(self.plan.deadline, self.end)
        if self.plan.sending is not None:
            self._stopping = self._reactor.callLater(self.plan.sending, self._stopSending)
        self._expiry = Expiry(
            self._reactor, clock, self.tracker, lambda: self._unread(), self._expired
        )
        self._schedule = Schedule(
            self._reactor,
            clock,
            round(self.plan.interval * SECOND),
            self.plan.probes,
            self._send,
            self._finishSending,
        )
        self._schedule.start()

    def nextSize(self) -> int | None:
        """
        @return: The size of the next probe; L{None} if none can be sent now.
        """
        return self.plan.sizes[self.tracker.attempted % len(self.plan.sizes)]

    def received(
        self,
        data: bytes,
        arrived: int | None = None,
        ttl: int | None = None,
        tos: int | None = None,
    ) -> None:
        """
        Check data that has come back.

        @param arrived: When the kernel received the data, in nanoseconds of the time of
            day; L{None} if unknown.

        @param ttl: Its time to live on arrival; L{None} if unknown.

        @param tos: Its type of service on arrival; L{None} if unknown.
        """
        if not self._over:
            event = self.tracker.received(data, self.now(), arrived)
            self.observe(event._replace(ttl=ttl, tos=tos))
            self._checkDone()

    def failed(self, error: OSError, data: bytes = b"") -> None:
        """
        Record an error that has come back.  If it comes before the first answer, end,
        unless the plan is persistent.

        @param data: The probe that the error belongs to; empty if unknown.
        """
        if not self._over:
            kind = self._errors.kind(error)
            self.observe(self.tracker.failed(kind, data))
            self._checkReachable(kind)

    def interrupt(self) -> None:
        """
        Stop sending, and wait for the probes in flight.  The second time, do not wait.
        """
        if self._sentAll or not self.started:
            self.end()
        else:
            self._stopSending()

    def connectionLost(self, reason: Failure) -> None:
        """
        Record that the connection is lost, with all probes in flight.  End, or open a new
        one if there are probes to send.
        """
        if self._over:
            return
        if not self._sentAll or self.tracker.inFlight:
            self._failure = reason.value
            self._isCut = self.reopen is None
        for event in self.tracker.expire(inf):
            self.observe(event)
        if self._sentAll or self._isHopeless() or self.reopen is None:
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
        if self._schedule is not None:
            self._schedule.stop()
            self._expiry.stop()
        for call in (self._grace, self._deadline, self._stopping):
            if call is not None and call.active():
                call.cancel()
        self.finished.callback(self.result())

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
            slips=Slips() if self._schedule is None else self._schedule.slips,
            percentiles=self.plan.percentiles,
            unreachable=self._errors.reason,
            addresses=self.addresses,
            openings=self.openings,
        )

    def _send(self) -> bool:
        size = self.nextSize()
        if size is None:
            return False
        probe = self.tracker.probe(size)
        moment = self.now()
        try:
            self._write(probe)
        except OSError as error:
            if self._errors.canRetry(error, moment.monotonic):
                return False
            kind = self._errors.kind(error, size)
            self.observe(self.tracker.sendFailed(size, moment, kind))
            self._checkReachable(kind)
        else:
            self.observe(self.tracker.sent(size, moment))
            self._expiry.expect()
        self._errors.sent()
        return True

    def _checkReachable(self, kind: Kind) -> None:
        if kind is not Kind.TOO_BIG and self._isHopeless():
            self.end()
        else:
            self._checkDone()

    def _isHopeless(self) -> bool:
        """
        @return: Whether to end the run if there is an error now.
        """
        return not (self.tracker.total.returned or self.plan.persistent)

    def _expired(self, event: Event) -> None:
        self.observe(event)
        self._checkDone()

    def _stopSending(self) -> None:
        assert self._schedule is not None
        self._schedule.stop()
        self._finishSending()

    def _finishSending(self) -> None:
        self._sentAll = True
        self._checkDone()

    def _checkDone(self) -> None:
        done = self._sentAll and not self.tracker.inFlight and not self._over
        if done and self._grace is None:
            self._grace = self._reactor.callLater(self._lastWait(), self.end)

    def _lastWait(self) -> float:
        """
        @return: How long late answers or duplicates may still come, in seconds.
        """
        duplicates = min(2 * self.tracker.total.roundTrips.max / SECOND, self.plan.timeout)
        if self.tracker.lost == self.tracker.failures:
            return duplicates
        sinceLast = (self.now().monotonic - self.tracker.lastAttempt) / SECOND
        return max(duplicates, self.plan.timeout - sinceLast)
