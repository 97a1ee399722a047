"""
C{python -m soak [WORD ...]}: everything at its full size, or what has one of these
words in its title, on echod and on stock Twisted.  Prints the figures, and fails
if echod has failed.

In the environment: C{SECONDS} of mixed traffic, and the C{SEED} of everything
that is random.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Mapping
from random import randrange
from typing import Any
from unittest import SkipTest

from soak.churn import churn
from soak.clock import clockSet, stopped
from soak.descriptors import descriptors
from soak.drain import drain
from soak.forgery import ROUTERS, flood, loop
from soak.held import held
from soak.mixed import mixed
from soak.report import Report, table
from soak.servers import COUNTING, ECHOD, REACTORS, STOCK, Start
from soak.workers import costs, killed, renewed, spread

SECONDS = float(os.environ.get("SECONDS", "600"))

SEED = os.environ.get("SEED") or str(randrange(1 << 32))

BOTH = {**ECHOD, **STOCK}

Scenario = Callable[[], Mapping[str, Report]]


def oneByOne(scenario: Callable[[Any], Report], servers: Mapping[str, Start]) -> Scenario:
    """
    @return: The scenario on one server after the other.
    """
    return lambda: {name: scenario(start) for name, start in servers.items()}


SCENARIOS: dict[str, Scenario] = {
    "10,000 connections held while 100 of them talk": oneByOne(
        lambda start: asyncio.run(held(start, 10_000, 100, 1000)), BOTH
    ),
    "A churn of 12,000 connections": oneByOne(
        lambda start: asyncio.run(churn(start, 12_000)), COUNTING
    ),
    "200 clients at ``ulimit -n 60``": oneByOne(
        lambda start: asyncio.run(descriptors(start, 5)), {**REACTORS, **STOCK}
    ),
    "Two servers aimed at each other by one forged datagram": oneByOne(
        lambda start: loop(start, range(0, ROUTERS + 1, 5)), BOTH
    ),
    "1,000,000 forged sources": oneByOne(lambda start: flood(start, 1_000_000, SEED), BOTH),
    "SIGTERM in the middle of 100 transfers": oneByOne(
        lambda start: asyncio.run(drain(start, 100, SEED)), BOTH
    ),
    "SIGSTOP for five seconds, and SIGCONT": oneByOne(
        lambda start: asyncio.run(stopped(start, 5)), BOTH
    ),
    "The clock set back and forward": oneByOne(
        lambda start: asyncio.run(clockSet(start)), ECHOD
    ),
    "100 workers killed in a minute": oneByOne(
        lambda start: asyncio.run(killed(start, 100, 60)), ECHOD
    ),
    "10 rolling restarts": oneByOne(lambda start: asyncio.run(renewed(start, 10)), ECHOD),
    "How many cores sessions are spread over, simulated": lambda: spread(SEED),
    "What a message costs two workers": lambda: costs(ECHOD["echod"], 7, 2),
    f"{SECONDS:.0f} seconds of mixed traffic": lambda: asyncio.run(mixed(BOTH, SECONDS, SEED)),
}


def problems(reports: Mapping[str, Report]) -> list[str]:
    """
    @return: The promises that echod broke.
    """
    return [
        f"{server}: {problem}"
        for server, report in reports.items()
        for problem in report.problems
        if server not in STOCK
    ]


def main() -> int:
    """
    @return: The exit status.
    """
    machine = f"{platform.platform()}, {os.cpu_count()} processors"
    print(f"{machine}, Python {platform.python_version()}; SEED={SEED}\n", flush=True)
    words = sys.argv[1:] or [""]
    failed = False
    for title, scenario in SCENARIOS.items():
        if not any(word in title for word in words):
            continue
        try:
            reports = scenario()
        except SkipTest as reason:
            print(f"{title}: skipped: {reason}\n", flush=True)
            continue
        print(table(title, reports), flush=True)
        for problem in problems(reports):
            failed = True
            print(f"{title}: {problem}", file=sys.stderr, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
