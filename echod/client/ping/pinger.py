"""
Measuring: probes go out on schedule, and every byte of what comes back is looked
at.
"""

from __future__ import annotations

import errno
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from math import inf
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime, IUDPTransport
from twisted.internet.protocol import DatagramProtocol, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.client.ping.probe import Probes
from echod.client.ping.schedule import SECOND, Schedule
from echod.client.ping.tracker import Event, Kind, Ledger, Moment
from echod.client.talk.tcp import setNoDelay
from echod.net.transport import ISessionTransport


@dataclass(frozen=True)
class Plan:
    """
    What to send.

    @ivar count: How many probes; L{None} for until interrupted.

    @ivar interval: Between two of them, in seconds; 0 for no pause.

    @ivar sizes: How many bytes they have, in turn.

    @ivar timeout: When an answer is late, in seconds.
    """

    count: int | None = None
    interval: float = 1.0
    sizes: tuple[int, ...] = (64,)
    timeout: float = 1.0


def now() -> Moment:
    """
    @return: This moment.
    """
    return Moment(time.monotonic_ns(), time.time_ns())


@dataclass
class Result:
    """
    What a run came to.

    @ivar ledger: The books.

    @ivar duration: How long it took, in seconds.

    @ivar onTheWay: How many probes were still waited for when it was cut short.

    @ivar cut: What has ended the connection before the run was over; L{None} if it
        was not ended.

    @ivar pathMTU: How large a packet may be on the way, in bytes, if anybody knows.
    """

    ledger: Ledger
    duration: float
    onTheWay: int
    cut: BaseException | None = None
    pathMTU: int | None = None


class Pinger:
    """
    One run of measuring.  Something else takes its probes to the server and brings
    it what returns.

    @ivar finished: Fires with the L{Result}.
    """

    _write: Callable[[bytes], object]
    _schedule: Schedule | None = None
    _expiry: IDelayedCall | None = None
    _grace: IDelayedCall | None = None
    _cut: BaseException | None = None
    _sentAll = False
    _over = False

    def __init__(
        self,
        reactor: IReactorTime,
        plan: Plan,
        happened: Callable[[Event], object],
        *,
        now: Callable[[], Moment] = now,
        random: Random | None = None,
    ) -> None:
        """
        @param happened: Is called with everything that happens.

        @param now: Tells the time.

        @param random: Where the content of the probes comes from.
        """
        self.finished: Deferred[Result] = Deferred()
        self.plan = plan
        self.ledger = Ledger(Probes(random or Random()), round(plan.timeout * SECOND))
        self._reactor = reactor
        self._happened = happened
        self._now = now
        self._sizes = cycle(plan.sizes)
        self._size = next(self._sizes)
        self._began = now().monotonic

    def start(self, write: Callable[[bytes], object]) -> None:
        """
        Start sending.

        @param write: Sends a probe.  It may raise C{BlockingIOError}, for which it
            is called again with the same, or another C{OSError}, for which it is
            not.
        """
        self._write = write
        self._began = self._now().monotonic
        self._schedule = Schedule(
            self._reactor,
            lambda: self._now().monotonic,
            round(self.plan.interval * SECOND),
            self.plan.count,
            self._send,
            self._finishSending,
        )
        self._schedule.start()

    def received(self, data: bytes, arrived: int | None = None) -> None:
        """
        Something came back.

        @param arrived: When the kernel took it in, in nanoseconds of the time of
            day, if it tells.
        """
        if not self._over:
            self._happened(self.ledger.received(data, self._now(), arrived))
            self._consider()

    def failed(self, error: OSError, data: bytes = b"") -> None:
        """
        An error came back.  If nothing else ever did, there is no sense in going on.

        @param data: The probe that it is about, if it tells.
        """
        if self._over:
            return
        kind = _kind(error)
        self._happened(self.ledger.failed(kind, data))
        if kind is not Kind.TOO_BIG and not self.ledger.total.came:
            self.end()

    def interrupt(self) -> None:
        """
        Send no more, but wait for what is on its way; the second time, do not.
        """
        if self._sentAll or self._schedule is None:
            self.end()
        else:
            self._schedule.stop()
            self._finishSending()

    def cut(self, reason: Failure) -> None:
        """
        The connection has ended: nothing more can be sent, and what is on its way
        is lost.
        """
        if self._over:
            return
        if not self._sentAll or self.ledger.onTheWay:
            self._cut = reason.value
        for event in self.ledger.expire(inf):
            self._happened(event)
        self.end()

    def end(self) -> None:
        """
        It is over, whatever is still on its way.
        """
        if self._over:
            return
        self._over = True
        if self._schedule is not None:
            self._schedule.stop()
        for call in (self._expiry, self._grace):
            if call is not None and call.active():
                call.cancel()
        duration = (self._now().monotonic - self._began) / SECOND
        self.finished.callback(Result(self.ledger, duration, self.ledger.onTheWay, self._cut))

    def _send(self) -> bool:
        probe = self.ledger.probe(self._size)
        moment = self._now()
        try:
            self._write(probe)
        except BlockingIOError:
            return False
        except OSError as error:
            self._notSent(moment, _kind(error))
        else:
            self._happened(self.ledger.sent(self._size, moment))
            self._expect()
        self._size = next(self._sizes)
        return True

    def _notSent(self, moment: Moment, kind: Kind) -> None:
        self._happened(self.ledger.unsent(self._size, moment, kind))
        if kind is not Kind.TOO_BIG and not self.ledger.total.came:
            self.end()

    def _expect(self) -> None:
        if self._expiry is None and self.ledger.onTheWay and not self._over:
            left = self.ledger.deadline() - self._now().monotonic
            self._expiry = self._reactor.callLater(max(left, 0) / SECOND, self._lookOnceMore)

    def _lookOnceMore(self) -> None:
        # What came in time while this process was busy has not been read yet.
        # The reactor reads before it calls again.
        self._expiry = self._reactor.callLater(0, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        for event in self.ledger.expire(self._now().monotonic):
            self._happened(event)
        self._expect()
        self._consider()

    def _finishSending(self) -> None:
        self._sentAll = True
        self._consider()

    def _consider(self) -> None:
        if self._sentAll and not self.ledger.onTheWay and not self._over:
            # Duplicates follow what they are duplicates of.
            longest = self.ledger.total.figures.max / SECOND
            if self._grace is None:
                self._grace = self._reactor.callLater(
                    min(2 * longest, self.plan.timeout), self.end
                )


def _kind(error: OSError) -> Kind:
    if isinstance(error, ConnectionRefusedError):
        return Kind.REFUSED
    return Kind.TOO_BIG if error.errno == errno.EMSGSIZE else Kind.UNREACHABLE


class DatagramProbesProtocol(DatagramProtocol):
    """
    Takes the probes of a L{Pinger} to a server, one in a datagram.
    """

    transport: IUDPTransport

    def __init__(self, pinger: Pinger) -> None:
        self._pinger = pinger

    def startProtocol(self) -> None:
        """
        Start sending.
        """
        self._pinger.start(partial(self.transport.write, addr=None))

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Something came back.
        """
        self._pinger.received(datagram, getattr(addr, "arrived", None))

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        An error came back.
        """
        self._pinger.failed(error, datagram)


@implementer(IPushProducer)
class StreamProbesProtocol(Protocol):
    """
    Takes the probes of a L{Pinger} to a server, in one stream.  What returns is cut
    into pieces as long as the probes were, in their order: on a stream nothing can
    be lost or change places but by a server that is no echo, and then nothing fits
    from there on.
    """

    transport: ISessionTransport

    def __init__(self, pinger: Pinger) -> None:
        self._pinger = pinger
        self._sizes: deque[int] = deque()
        self._begun = bytearray()
        self._full = False

    def connectionMade(self) -> None:
        """
        Start sending.
        """
        setNoDelay(self.transport)
        self.transport.registerProducer(self, True)
        self._pinger.start(self._send)

    def dataReceived(self, data: bytes) -> None:
        """
        Something came back.
        """
        self._begun += data
        while self._sizes and len(self._begun) >= self._sizes[0]:
            size = self._sizes.popleft()
            piece = bytes(self._begun[:size])
            del self._begun[:size]
            self._pinger.received(piece)
        if self._begun and not self._sizes:
            self._pinger.received(bytes(self._begun))
            self._begun.clear()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Nothing more will come back.
        """
        if self._begun:
            self._pinger.received(bytes(self._begun))
        self._pinger.cut(reason)

    def close(self) -> None:
        """
        Enough was measured.
        """
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def pauseProducing(self) -> None:
        """
        What was sent waits in line already.
        """
        self._full = True

    def resumeProducing(self) -> None:
        """
        There is room again.
        """
        self._full = False

    def stopProducing(self) -> None:
        """
        The connection is lost; C{connectionLost} does what there is to do.
        """

    def _send(self, probe: bytes) -> None:
        if self._full:
            raise BlockingIOError(errno.EAGAIN, "the stream is full")
        self._sizes.append(len(probe))
        self.transport.write(probe)
