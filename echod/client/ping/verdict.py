"""
What a run of measuring comes to: one status, and one line.
"""

from __future__ import annotations

from echod.client.exitstatus import (
    ALL,
    SILENT,
    SOME,
    WRONG,
    Outcome,
    explained,
    refused,
    silent,
)
from echod.client.ping.pinger import Result
from echod.client.ping.tracker import DAMAGED, Kind

LOOK_WRONG = (
    "look whether this is an echo server, and for what changes data on the way (a proxy, "
    "network card offloading)"
)


def verdict(result: Result, target: object) -> Outcome:
    """
    @return: What it came to; where several things are true, the gravest.
    """
    total = result.ledger.total
    counts = total.counts
    wrong = sum(counts[kind] for kind in (*DAMAGED, Kind.FOREIGN))
    missing = result.ledger.attempted - counts[Kind.ANSWERED] - result.onTheWay
    if wrong:
        words = f"{wrong} of what came back was not what was sent: {LOOK_WRONG}"
        return Outcome(WRONG, f"{target}: {words}")
    if result.cut is not None:
        return explained(result.cut, target)
    if not total.came and counts[Kind.REFUSED]:
        return refused(target)
    if not total.came and counts[Kind.UNREACHABLE]:
        return silent(target, "unreachable")
    if not total.came and result.ledger.lost:
        return silent(target, f"silent, {result.ledger.lost} probes without an answer")
    if missing:
        return Outcome(SOME, f"{target}: {missing} did not come back in time")
    if not total.came:
        return Outcome(SILENT, f"{target}: nothing was waited for long enough to tell")
    return Outcome(ALL, f"{target}: all came back")
