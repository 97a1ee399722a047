"""
The log lines about sessions.  Their number is limited: a line for each short session costs
more than the session.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from echod.limits.ratelimit import RateLimit
from echod.net.statistics import ServedSession

_log = Logger(namespace="echod.tcp")

BURST = 10.0
"""
For how long a service may save the lines that it does not log, in seconds.  So a few
sessions that start together are logged one by one.
"""

SUMMED_UP_EVERY = 1.0
"""
The shortest time between two lines about the sessions that are not logged one by one, in
seconds.
"""


class SessionLines:
    """
    Logs the start and the end of each session of one service, as far as the rate allows.
    Sums up the others in one line a second.
    """

    def __init__(self, reactor: IReactorTime, service: str, rate: float) -> None:
        """
        @param rate: How many lines a second to log, besides the sums.
        """
        self._reactor = reactor
        self._service = service
        self._rate = RateLimit(rate, BURST) if rate else None
        self._timer: IDelayedCall | None = None
        self._forget()

    def started(self, session: ServedSession) -> None:
        """
        Log that a session has started, or count it.
        """
        if self._mayLog():
            _log.info("{service}: {peer} connected", service=self._service, peer=session.peer)
        else:
            self._started += 1

    def ended(self, session: ServedSession) -> None:
        """
        Log that a session has ended, or count it.
        """
        if self._mayLog():
            _log.info(
                "{service}: {peer} ended: {outcome}{details}; "
                "{received} bytes in, {returned} bytes out, {duration:.3f} s",
                service=self._service,
                peer=session.peer,
                outcome=session.outcome,
                details=session.details,
                received=session.received,
                returned=session.returned,
                duration=session.duration,
            )
        else:
            self._outcomes[str(session.outcome)] += 1
            self._received += session.received
            self._returned += session.returned

    def flush(self) -> None:
        """
        Log the sums now, if there are any.
        """
        if self._timer is None:
            return
        if self._timer.active():
            self._timer.cancel()
        self._timer = None
        outcomes = [f"{outcome}: {n}" for outcome, n in self._outcomes.most_common()]
        _log.info(
            "{service}: {started} more connected, {ended} more ended{outcomes}; "
            "{received} bytes in, {returned} bytes out",
            service=self._service,
            started=self._started,
            ended=self._outcomes.total(),
            outcomes=f" ({', '.join(outcomes)})" if outcomes else "",
            received=self._received,
            returned=self._returned,
        )
        self._forget()

    def _mayLog(self) -> bool:
        if self._timer is not None:
            # The sessions until the next sum belong to it.
            return False
        rate = self._rate
        if rate is not None and not rate.exceeded(self._service, self._reactor.seconds()):
            return True
        self._timer = self._reactor.callLater(SUMMED_UP_EVERY, self.flush)
        return False

    def _forget(self) -> None:
        self._started = self._received = self._returned = 0
        self._outcomes: Counter[str] = Counter()
