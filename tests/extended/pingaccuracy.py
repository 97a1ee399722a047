"""
Compare every count and every time that C{echoc ping} reports with the record of a relay
that loses, delays, repeats, reorders, shortens and changes echoes by a seeded plan.

A time cannot be equal, because the client and the relay are two programs.  It is right if it
is not shorter than the echo was in the relay, by the times of arrival of the kernel, and not
longer by more than L{TRANSIT}.  A few probes may be disturbed: another program may get the
processor after the client has read the clock and before it sends.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from statistics import median
from subprocess import PIPE, Popen, run
from typing import Any

from tests.client.test_main import ECHOC
from tests.extended.pingrelay import (
    CORRUPTED,
    FOREIGN,
    INTACT,
    LATE,
    MIXTURES,
    TIMEOUT,
    TRUNCATED,
    Record,
    Sent,
)
from tests.support import CHECKOUT, ENVIRONMENT
from tests.support.daemon import PATIENCE, Daemon

SEEDS = 10

PROBES = 700

RATE = 500
"""
Probes a second.
"""

QUIET = PROBES - round(RATE * (LATE[1] + 0.05))
"""
From this probe on nothing happens to the echoes, so all that is late comes in the run.
"""

AT_ONCE = 3
"""
How many runs there are at a time.
"""

TRANSIT = 250
"""
By how much a round trip may be longer than in the relay, in microseconds.  It has two hops of
the loopback interface more.
"""

MEDIAN_TRANSIT = 50
"""
The same for half of the probes.  The time until Python reads an answer would be longer.
"""

DISTURBED = 0.02
"""
The part of the probes that may take longer.
"""

PERCENTILES = (1, 10, 50, 90, 99, 99.9)


@dataclass
class Expected:
    """
    The results that the client must report, by the record of the relay.

    @ivar counts: The counts, by the names in the summary.

    @ivar events: How often there was each event for each probe.

    @ivar trips: For each probe that came back intact, the shortest possible round trip, in
        microseconds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    events: Counter[tuple[str, int | None]] = field(default_factory=Counter)
    trips: dict[int, float] = field(default_factory=dict)


def expected(record: Record) -> Expected:
    """
    @return: The counts and times that the client must report.
    """
    found = Expected()
    settled: set[int] = set()
    newest = -1
    for sent in record.sent:
        name = sent.kind
        if sent.kind == INTACT and sent.sequence in settled:
            name = "duplicated"
        elif sent.kind == INTACT:
            trip = (sent.before - record.arrived[sent.sequence]) / 1000
            found.trips[sent.sequence] = trip
            name = "late" if trip > TIMEOUT * 1e6 else "received"
            found.counts["reordered"] += sent.sequence < newest
            newest = max(newest, sent.sequence)
        if sent.kind != FOREIGN:
            settled.add(sent.sequence)
        found.counts[name] += 1
        found.events[name, None if sent.kind == FOREIGN else sent.sequence] += 1
    found.counts["sent"] = len(record.arrived)
    found.counts["lost"] = len(record.arrived) - len(settled)
    return found


COUNTS = (
    *("sent", "received", "lost", "late", "duplicated", "reordered"),
    *(TRUNCATED, CORRUPTED, FOREIGN, "refused", "unreachable", "too_big", "in_flight"),
)


def nearest(values: list[float], percent: float) -> float:
    """
    @return: The nearest-rank percentile.
    """
    return sorted(values)[ceil(round(len(values) * percent, 6) / 100) - 1]


def statistics(trips: list[float]) -> dict[str, float]:
    """
    @return: The statistics of round-trip times.
    """
    return {
        "rtt_min_us": min(trips),
        "rtt_avg_us": sum(trips) / len(trips),
        "rtt_max_us": max(trips),
        **{f"rtt_{name(percent)}_us": nearest(trips, percent) for percent in PERCENTILES},
    }


def name(percent: float) -> str:
    """
    @return: The name of a percentile in the summary.
    """
    return "p" + str(percent).replace(".", "")


def differences(want: Expected, lines: list[dict[str, Any]]) -> Iterator[str]:
    """
    @return: Everything that is not as the record of the relay says.
    """
    *events, summary = lines
    for count in COUNTS:
        if summary[count] != want.counts[count]:
            yield f"{count} {summary[count]}, not {want.counts[count]}"
    said = Counter(
        ("received" if each["event"] == "answered" else each["event"], each["sequence"])
        for each in events
        if each["event"] != "lost"
    )
    if said != want.events:
        # The times of other events are not comparable.
        yield f"events {sorted(map(str, (said - want.events) + (want.events - said)))}"
        return
    trips = {each["sequence"]: each["rtt_us"] for each in events if each["rtt_us"] is not None}
    shorter = [sequence for sequence, least in want.trips.items() if trips[sequence] < least]
    if shorter:
        yield f"the round trips of {shorter} are too short"
    if len(disturbed(want, trips)) > DISTURBED * len(trips):
        yield f"the round trips of {disturbed(want, trips)} are too long"
    transit = median(trips[sequence] - least for sequence, least in want.trips.items())
    if transit > MEDIAN_TRANSIT:
        yield f"half of the round trips are longer than in the relay by {transit} us"
    most = {each: least + TRANSIT for each, least in want.trips.items()}
    most.update({each: trips[each] for each in disturbed(want, trips)})
    leasts, mosts = (statistics(list(each.values())) for each in (want.trips, most))
    for statistic, least in leasts.items():
        if not least - 1 <= summary[statistic] <= mosts[statistic] + 1:
            yield f"{statistic} {summary[statistic]}, not {least} to {mosts[statistic]}"
    for statistic, value in statistics(list(trips.values())).items():
        if abs(summary[statistic] - value) > 0.5001:
            yield f"{statistic} {summary[statistic]} does not fit the events: {value}"


def disturbed(want: Expected, trips: dict[int, float]) -> list[int]:
    """
    @return: The probes whose round trip was longer than in the relay by more than
        L{TRANSIT}.
    """
    return [each for each, least in want.trips.items() if trips[each] > least + TRANSIT]


@dataclass
class Run:
    """
    One run.

    @ivar problems: The differences.

    @ivar transit: By how much the round trips were longer than in the relay, in microseconds.
    """

    mixture: str
    counts: Counter[str]
    problems: list[str]
    transit: list[float]


def measured(port: int, mixture: str, seed: int) -> Run:
    """
    @return: A run that was compared with the record of its relay.
    """
    command = [sys.executable, "-m", "tests.extended.pingrelay"]
    relay = Popen(
        [*command, str(port), mixture, str(seed), str(QUIET)],
        cwd=CHECKOUT,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
    )
    assert relay.stdout is not None
    options = ["-c", str(PROBES), "--rate", str(RATE), "-W", str(TIMEOUT), "--json-lines"]
    options += ["-s", MIXTURES[mixture].sizes]
    options += [
        "--percentiles",
        ",".join(map(str, PERCENTILES)),
        relay.stdout.readline().strip(),
    ]
    client = run(
        [*ECHOC, "ping", *options],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    said, _ = relay.communicate("", PATIENCE)
    values = json.loads(said)
    record = Record(
        {int(sequence): arrived for sequence, arrived in values["arrived"].items()},
        [Sent(*each) for each in values["sent"]],
    )
    want = expected(record)
    lines = [json.loads(line) for line in client.stdout.splitlines()]
    transit = [
        each["rtt_us"] - want.trips[each["sequence"]]
        for each in lines
        if each.get("rtt_us") is not None and each["sequence"] in want.trips
    ]
    return Run(mixture, want.counts, list(differences(want, lines)), transit)


def report(runs: list[Run]) -> None:
    """
    Print a line for each mixture.
    """
    columns = COUNTS[:9]
    print("mixture", *columns, "transit p50/p99 (us)", "disturbed", "equal", sep="\t")
    for mixture in MIXTURES:
        those = [each for each in runs if each.mixture == mixture]
        sums = sum((each.counts for each in those), Counter[str]())
        transit = [trip for each in those for trip in each.transit]
        times = f"{nearest(transit, 50):.0f}/{nearest(transit, 99):.0f}"
        late = sum(trip > TRANSIT for trip in transit)
        equal = f"{sum(not each.problems for each in those)} of {len(those)}"
        print(mixture, *(sums[each] for each in columns), times, late, equal, sep="\t")
        for each in those:
            for problem in each.problems:
                print(f"  NOT EQUAL: {problem}")


def main() -> int:
    """
    @return: 0 if all runs are equal.
    """
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
    with (
        Daemon("--udp", "127.0.0.1:0", "--udp-rate", "0") as daemon,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        jobs = [(daemon.udp[1], mixture, seed) for mixture in MIXTURES for seed in seeds]
        runs = list(pool.map(lambda job: measured(*job), jobs))
    report(runs)
    equal = sum(not each.problems for each in runs)
    print(f"{equal} of {len(runs)} runs are equal")
    return int(equal != len(runs))


if __name__ == "__main__":
    sys.exit(main())
