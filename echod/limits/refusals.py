"""
Refusals: each is counted by its reason, and a flood of them does not flood the log.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger(namespace="echod.limits")

LOGGED_EVERY = 1.0
"""
The shortest time between two log lines with the same reason, in seconds.
"""


class Refusals:
    """
    The refusals of one service.

    The first refusal for each reason is logged at once.  The next ones are logged as a
    number, one second later.  After L{stop} no timer is started: each reason is logged
    once until L{start}.

    @ivar counts: The number of refusals by reason.
    """

    def __init__(self, reactor: IReactorTime, service: str) -> None:
        self.counts: Counter[str] = Counter()
        self._reactor = reactor
        self._service = service
        self._unlogged: Counter[str] = Counter()
        self._waiting: dict[str, IDelayedCall | None] = {}
        self._stopped = False

    def start(self) -> None:
        """
        Log with timers: the service listens.
        """
        self._flush()
        self._stopped = False

    def add(self, reason: str, peer: str) -> None:
        """
        Count a refusal, and log it now or later.
        """
        self.counts[reason] += 1
        if reason in self._waiting:
            self._unlogged[reason] += 1
        else:
            _log.warn(
                "{service}: refused {peer}: {reason}",
                service=self._service,
                peer=peer,
                reason=reason,
            )
            self._wait(reason)

    def stop(self) -> None:
        """
        Log the refusals that are not logged yet, and start no more timers: the service has
        stopped listening.
        """
        self._flush()
        self._stopped = True

    def _flush(self) -> None:
        while self._waiting:
            reason, call = self._waiting.popitem()
            if call is not None:
                call.cancel()
            self._logNumber(reason)

    def _wait(self, reason: str) -> None:
        self._waiting[reason] = (
            None
            if self._stopped
            else self._reactor.callLater(LOGGED_EVERY, self._waited, reason)
        )

    def _waited(self, reason: str) -> None:
        del self._waiting[reason]
        if self._logNumber(reason):
            self._wait(reason)

    def _logNumber(self, reason: str) -> int:
        number = self._unlogged.pop(reason, 0)
        if number:
            _log.warn(
                "{service}: refused {number} more: {reason}",
                service=self._service,
                number=number,
                reason=reason,
            )
        return number
