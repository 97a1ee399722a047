"""
The measurement of one target, as a part of a run of C{echoc ping}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred

from echod.client.exitstatus import ALL, INTERRUPTED, Outcome, explain
from echod.client.ping.measurement import measure
from echod.client.ping.mtu import MTUPinger
from echod.client.ping.options import PingOptions
from echod.client.ping.pinger import Pinger
from echod.client.ping.reports.report import Report
from echod.client.ping.reports.summary import summary
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.verdict import verdict
from echod.client.reactor import IClientReactor
from echod.client.target import Target


class TargetRun:
    """
    @ivar result: The result; L{None} until the run is over.

    @ivar outcome: The outcome, when the run is over.

    @ivar failed: True if no probe was sent, because the target cannot be resolved or
        connected to.
    """

    result: Result | None = None
    outcome = Outcome(ALL)
    failed = False
    _running: Deferred[None]
    _reported = False
    _cancelled = False

    def __init__(
        self, reactor: IClientReactor, options: PingOptions, target: Target, report: Report
    ) -> None:
        kind = MTUPinger if options["mtu"] else Pinger
        self._pinger = kind(reactor, options.plan, self._observe)
        self._pinger.opened = self._open
        self._reactor = reactor
        self._options = options
        self._target = target
        self._report = report

    def start(self) -> Deferred[None]:
        """
        Start measuring.

        @return: Fires when it is over, and never fails.
        """
        self._running = Deferred.fromCoroutine(self._run())
        return self._running

    def interrupt(self) -> None:
        """
        Stop sending, and wait for the probes in flight.  The second time, or if no
        probe was sent yet, do not wait.
        """
        if self._pinger.started:
            self._pinger.interrupt()
        else:
            self.cancel()

    def cancel(self) -> None:
        """
        End at once.
        """
        self._cancelled = True
        self._running.cancel()

    def summary(self) -> dict[str, Any]:
        """
        @return: The values of the result so far.
        """
        return summary(self.result or self._pinger.result(), self.outcome, self._target)

    async def _run(self) -> None:
        try:
            self.result = await measure(
                self._reactor, self._options, self._target, self._pinger
            )
            self.outcome = verdict(self.result, self._target, self._options.limits)
            self._open()
        except CancelledError:
            self.outcome = Outcome(INTERRUPTED)
        except Exception as error:
            # Twisted reports a cancelled lookup as a name without an address.
            self.failed = not self._cancelled
            self.outcome = (
                Outcome(INTERRUPTED) if self._cancelled else explain(error, self._target)
            )
        finally:
            self._pinger.end()
            self.result = self.result or self._pinger.result()

    def _open(self) -> None:
        if not self._reported:
            self._reported = True
            self._report.opened(self._target, self._pinger.addresses)

    def _observe(self, event: Event) -> None:
        if not self._reported and event.kind is not Kind.SENT:
            self._open()
        self._report.observe(self._target, event)
