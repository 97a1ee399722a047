"""
The verdict on a measurement: one exit status and one line.
"""

from __future__ import annotations

from echod.client.exitstatus import (
    ALL,
    NO_ECHO,
    SILENT,
    SOME,
    WRONG,
    Outcome,
    explain,
    refused,
    silent,
    unreachable,
)
from echod.client.ping.plan import NO_LIMITS, Limits
from echod.client.ping.result import Result
from echod.client.ping.search import Search
from echod.client.ping.tracking.events import DAMAGED, Kind
from echod.client.ping.tracking.moments import SECOND

LOOK_WRONG = (
    "look whether this is an echo server, and for what changes data on the way (a proxy, "
    "network card offloading)"
)


def verdict(result: Result, target: object, limits: Limits = NO_LIMITS) -> Outcome:
    """
    @return: The outcome.  If several apply, the most serious one.
    """
    tracker = result.tracker
    total, counts = tracker.total, tracker.total.kinds
    wrong = sum(counts[kind] for kind in (*DAMAGED, Kind.FOREIGN))
    tooBig = tracker.tooBig
    missing = tracker.attempted - counts[Kind.ANSWERED] - result.inFlight - tooBig
    if wrong:
        message = f"{wrong} of what came back was not what was sent: {LOOK_WRONG}"
        return Outcome(WRONG, f"{target}: {message}")
    if result.lost is not None:
        outcome = explain(result.lost, target)
        if result.connected and not total.returned:
            outcome = outcome._replace(message=f"{outcome.message}; {NO_ECHO}")
        return outcome
    if not total.returned and counts[Kind.REFUSED]:
        return refused(target)
    if not total.returned and counts[Kind.UNREACHABLE]:
        return unreachable(target, result.unreachable)
    if not total.returned and tracker.lost:
        if result.connected:
            return Outcome(SILENT, f"{target}: {NO_ECHO}")
        return silent(target, f"silent, {tracker.lost} probes without an answer")
    search = result.search
    if search is not None and search.largest is not None:
        return _searched(search, result.pathMTU, target)
    problems, remarks = _compared(result, missing, limits)
    problems += [f"{tooBig} were too big for the path"] if tooBig else []
    if problems:
        return Outcome(SOME, f"{target}: {', '.join(problems)}")
    if not total.returned:
        return Outcome(SILENT, f"{target}: nothing was waited for long enough to tell")
    return Outcome(ALL, f"{target}: {', '.join(remarks) or 'all came back'}")


def _compared(result: Result, missing: int, limits: Limits) -> tuple[list[str], list[str]]:
    """
    Compare a result with the limits.

    @param missing: How many probes have no answer in time.

    @return: The texts about the limits that are passed, and about the others.
    """
    problems, remarks = [], []
    tracker = result.tracker
    due = tracker.attempted - result.inFlight - tracker.tooBig
    if missing:
        text = f"{missing} of {due} did not come back in time"
        if limits.loss is None:
            problems.append(text)
        elif 100 * missing > limits.loss * due:
            problems.append(f"{text}, more than --max-loss {limits.loss:g}")
        else:
            remarks.append(f"{text}, within --max-loss {limits.loss:g}")
    trips = tracker.total.roundTrips
    if limits.roundTrip is not None and trips.count:
        average = trips.average / SECOND
        if average > limits.roundTrip:
            problems.append(
                f"the average round trip of {1000 * average:.3f} ms is longer than --max-rtt "
                f"{1000 * limits.roundTrip:g} ms"
            )
    return problems, remarks


def _searched(search: Search, pathMTU: int | None, target: object) -> Outcome:
    found = f"path MTU {pathMTU} bytes (payload {search.largest} bytes)"
    if search.finished:
        return Outcome(ALL, f"{target}: {found}")
    return Outcome(SOME, f"{target}: at least {found}; the search was not finished")
