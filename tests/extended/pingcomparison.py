"""
Compare the round-trip times of C{echoc ping} with those of a C program that does the same.
Both measure the same echo server in C, by turns.  C{irtt} and C{sockperf} measure their own
servers in the same rounds; their figures are printed and not judged.

This is no part of the tests: other programs on the machine change every figure.  So the
rounds are short, and the medians of all rounds are compared.
"""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import which
from statistics import median
from subprocess import DEVNULL, Popen, check_output, run
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import NamedTuple

from tests.client.test_main import ECHOC
from tests.support import CHECKOUT, ENVIRONMENT
from tests.support.daemon import PATIENCE
from tests.support.load import freePort

ROUNDS = 15

PROBES = 400

INTERVALS = (1000, 500)
"""
The times between two probes, in microseconds.
"""

MOST = 15.0
"""
By how much the medians may differ, in microseconds.
"""

MOST_TIMES = 1.5
"""
The largest 99th percentile of echoc, in multiples of that of the C program.
"""


class Trips(NamedTuple):
    """
    Percentiles of round-trip times, in microseconds.
    """

    p50: float
    p99: float


Tool = Callable[[int], Trips]


def compiled(name: str, directory: str) -> str:
    """
    @return: One of the programs in C{benchmarks}.
    """
    program = str(Path(directory) / name)
    run(["cc", "-O2", "-o", program, str(CHECKOUT / "benchmarks" / f"{name}.c")], check=True)
    return program


def c(program: str, port: str, interval: int) -> Trips:
    """
    Measure with the C program.
    """
    words = check_output([program, port, str(PROBES), str(interval)]).split()
    p50, _, p99, _ = (int(word) / 1000 for word in words)
    return Trips(p50, p99)


def echoc(port: str, interval: int) -> Trips:
    """
    Measure with C{echoc ping}.
    """
    options = ["--json", "-W", "5", "-c", str(PROBES), "-i", str(interval / 1e6), port]
    said = json.loads(check_output([*ECHOC, "ping", *options], env=ENVIRONMENT))
    return Trips(said["rtt_p50_us"], said["rtt_p99_us"])


def irtt(port: str, interval: int) -> Trips:
    """
    Measure with C{irtt}.
    """
    options = [
        "-Q",
        "-i",
        f"{interval}us",
        "-d",
        f"{PROBES * interval}us",
        "-l",
        "64",
        "-o",
        "-",
    ]
    said = json.loads(
        check_output(["irtt", "client", *options, "-o", "-", f"127.0.0.1:{port}"])
    )
    trips = sorted(
        trip["delay"]["rtt"] / 1000 for trip in said["round_trips"] if trip["lost"] == "false"
    )
    return Trips(median(trips), trips[len(trips) * 99 // 100])


def sockperf(port: str, interval: int) -> Trips:
    """
    Measure with C{sockperf}.  It takes whole seconds.
    """
    options = [
        "-p",
        port,
        "-t",
        "1",
        f"--mps={1_000_000 // interval}",
        "-m",
        "64",
        "--full-rtt",
    ]
    said = check_output(["sockperf", "pp", "-i", "127.0.0.1", *options], text=True)
    found = {
        float(percent): float(value)
        for percent, value in re.findall(r"percentile ([0-9.]+) = +([0-9.]+)", said)
    }
    return Trips(found[50], found[99])


@contextmanager
def serving(command: list[str], port: str) -> Iterator[None]:
    """
    Run a UDP server until the end of the block.
    """
    server = Popen(command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        deadline = monotonic() + PATIENCE
        while not isBound(int(port)) and monotonic() < deadline:
            sleep(0.01)
        yield
    finally:
        server.terminate()
        server.wait()


def isBound(port: int) -> bool:
    """
    @return: True if a UDP socket has this port of the loopback interface.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def compare(tools: dict[str, Tool], interval: int) -> bool:
    """
    @return: True if echoc and the C program agree.
    """
    found: dict[str, list[Trips]] = {name: [] for name in tools}
    for _ in range(ROUNDS):
        for name, tool in tools.items():
            found[name].append(tool(interval))
    print(
        f"every {interval} us, {ROUNDS} rounds of {PROBES} probes: median (least to most), us"
    )
    medians: dict[str, Trips] = {}
    for name, trips in found.items():
        columns = list(zip(*trips, strict=True))
        medians[name] = Trips(*map(median, columns))
        texts = [
            f"{field} {median(column):.1f} ({min(column):.1f} to {max(column):.1f})"
            for field, column in zip(Trips._fields, columns, strict=True)
        ]
        print(f"  {name:9}", ", ".join(texts), flush=True)
    ours, theirs = medians["echoc"], medians["C"]
    difference, times = ours.p50 - theirs.p50, ours.p99 / theirs.p99
    print(f"  echoc: p50 {difference:+.1f} us, p99 {times:.2f} times that of C")
    return abs(difference) <= MOST and times <= MOST_TIMES


def main() -> int:
    """
    @return: 0 if they agree.
    """
    with TemporaryDirectory() as directory, ExitStack() as servers:
        port = str(freePort(socket.SOCK_DGRAM))
        ping = compiled("ping", directory)
        servers.enter_context(serving([compiled("peer", directory), "recvfrom", port], port))
        tools: dict[str, Tool] = {
            "C": lambda interval: c(ping, port, interval),
            "echoc": lambda interval: echoc(port, interval),
        }
        if which("irtt"):
            forIRTT = str(freePort(socket.SOCK_DGRAM))
            command = ["irtt", "server", "-i", "0", "-b", f"127.0.0.1:{forIRTT}"]
            servers.enter_context(serving(command, forIRTT))
            tools["irtt"] = lambda interval: irtt(forIRTT, interval)
        if which("sockperf"):
            forSockperf = str(freePort(socket.SOCK_DGRAM))
            command = ["sockperf", "server", "-i", "127.0.0.1", "-p", forSockperf]
            servers.enter_context(serving(command, forSockperf))
            tools["sockperf"] = lambda interval: sockperf(forSockperf, interval)
        agree = [compare(tools, interval) for interval in INTERVALS]
    return int(not all(agree))


if __name__ == "__main__":
    sys.exit(main())
