"""
The results of a run of the benchmark: JSON, comparison with another run, targets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from benchmarks.contents import CONTENTS

QUIET = 0.1
"""
The share of the processors that other programs may use: the clock of C{/proc/stat} ticks a
hundred times a second, so less cannot be told from nothing in a short round.
"""


class Round(NamedTuple):
    """
    One measurement.

    @ivar cost: Microseconds of processor time for a message, or bytes for a connection.

    @ivar rate: Messages a second; 0 if there are none.

    @ivar others: The share of the processors that other programs used, from 0 to 1.
    """

    cost: float
    rate: float
    others: float


Results = dict[str, list[Round]]
"""
The rounds of each server, for one work.
"""

Run = dict[str, Results]
"""
By the name of the work.
"""


def cost(rounds: list[Round]) -> float:
    """
    @return: The median cost.
    """
    return median(each.cost for each in rounds)


def limits(rounds: list[Round]) -> tuple[float, float]:
    """
    @return: The lowest and the highest cost.
    """
    costs = [each.cost for each in rounds]
    return min(costs), max(costs)


def ratio(rounds: list[Round], base: list[Round]) -> float:
    """
    @return: The median of the ratios of one server to another, each of one round: what
        disturbs a round changes both.
    """
    return median(one.cost / (other.cost or 1) for one, other in zip(rounds, base, strict=True))


def disturbed(rounds: list[Round]) -> bool:
    """
    @return: True if other programs used much of the machine in most of the rounds.
    """
    return median(each.others for each in rounds) > QUIET


def saved(machine: str, run: Run) -> str:
    """
    @return: A run as JSON.
    """
    works = {
        work: {server: [each._asdict() for each in rounds] for server, rounds in found.items()}
        for work, found in run.items()
    }
    return json.dumps({"machine": machine, "works": works}, indent=1) + "\n"


def loaded(text: str) -> Run:
    """
    @return: The run that L{saved} has written.
    """
    return {
        work: {server: [Round(**each) for each in rounds] for server, rounds in found.items()}
        for work, found in json.loads(text)["works"].items()
    }


def isBeyondRange(before: list[Round], now: list[Round]) -> bool:
    """
    @return: True if the ranges of two runs do not overlap.
    """
    low, high = limits(before)
    nowLow, nowHigh = limits(now)
    return nowLow > high or nowHigh < low


def comparison(before: Run, now: Run) -> Iterator[str]:
    """
    @return: The lines of a table: each row that both runs have.
    """
    yield f"{'':46} {'server':20} {'previous':>9} {'now':>9} {'ratio':>6}"
    for work, servers in now.items():
        for server, rounds in servers.items():
            old = before.get(work, {}).get(server)
            if not old:
                continue
            mark = "  larger than the range" if isBeyondRange(old, rounds) else ""
            yield (
                f"{work:46} {server:20} {cost(old):9.2f} {cost(rounds):9.2f} "
                f"{cost(rounds) / (cost(old) or 1):6.2f}{mark}"
            )


@dataclass
class Target:
    """
    A target of one row.

    @ivar base: The server to which the factor belongs; empty if it is an absolute figure.
    """

    work: str
    server: str
    most: float
    base: str = ""


TARGETS = [
    Target("greetings, 32 at once", "echod", 3, "C"),
    Target("greetings, 32 at once", "echod", 1.4, "stock Twisted"),
    Target("64 KiB blocks, 4 connections", "echod", 1.25, "bare uvloop"),
    *(Target(f"goodbye rule, 64 KiB of {content}", "stringzilla", 8) for content in CONTENTS),
    Target("memory of an idle connection that has spoken", "echod", 2048),
    Target("ping-pong, 64 connections, 64 B", "echod", 1.05, "bare uvloop"),
    Target("ping-pong, 1000 connections, 64 B", "echod", 1.1, "bare uvloop"),
]


def figure(run: Run, target: Target) -> float | None:
    """
    @return: The result of a run for a target; L{None} without one.
    """
    servers = run.get(target.work, {})
    if target.server not in servers or (target.base and target.base not in servers):
        return None
    rounds = servers[target.server]
    return ratio(rounds, servers[target.base]) if target.base else cost(rounds)


def span(figures: list[float | None]) -> str:
    """
    @return: The range of the figures of several runs, if there are some.
    """
    found = [each for each in figures if each is not None]
    return f"{min(found):.2f} to {max(found):.2f}" if found else ""


def targets(run: Run, more: list[Run], aims: list[Target]) -> Iterator[str]:
    """
    @param more: More runs, of which the range is shown.

    @return: One line for each target whose row was measured: met or missed.
    """
    for aim in aims:
        found = figure(run, aim)
        if found is None:
            continue
        unit = f" x {aim.base}" if aim.base else ""
        range_ = span([figure(each, aim) for each in more])
        others = f" ({range_} in {len(more)} more runs)" if range_ else ""
        verdict = "met" if found <= aim.most else "missed"
        doubt = " (disturbed)" if disturbed(run[aim.work][aim.server]) else ""
        yield f"{aim.work}: at most {aim.most:g}{unit}; {found:.2f}{others}: {verdict}{doubt}"
