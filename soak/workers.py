"""
Several workers, and what may happen to each of them while peers talk.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from statistics import mean, median
from subprocess import run
from tempfile import TemporaryDirectory
from time import monotonic

from soak.client import PATIENCE, Client
from soak.held import ask
from soak.report import Report
from soak.servers import Start
from tests.support import CHECKOUT, ENVIRONMENT, needs
from tests.support.daemon import NO_TERMINAL, Daemon

ECHOC = [sys.executable, "-m", "echod.client"]

PAUSE = 0.02
"""
How long a client rests between two questions, in seconds.
"""

WORKERS = 2

MOST = 1.1
"""
How much more of the processor a message may cost several workers than one.
"""


def workers(server: Daemon) -> list[int]:
    """
    @return: The processes of the workers.
    """
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()]


Address = tuple[str, int]


def owners(server: Daemon) -> dict[Address, int]:
    """
    @return: For the address of each client that has been accepted, the process that
        serves it.
    """
    served = f":{server.tcp[1]:04X}"
    inodes = {}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1].endswith(served):
            host, _, port = fields[2].partition(":")
            address = socket.inet_ntoa(int(host, 16).to_bytes(4, sys.byteorder)), int(port, 16)
            inodes[f"socket:[{fields[9]}]"] = address
    found = {}
    for pid in workers(server):
        directory = f"/proc/{pid}/fd"
        try:
            for name in os.listdir(directory):
                peer = inodes.get(os.readlink(f"{directory}/{name}"))
                if peer:
                    found[peer] = pid
        except OSError:
            # It, or what it had open, is gone.
            continue
    return found


@dataclass
class Seen:
    """
    The results of the clients.

    @ivar lost: The addresses of those that have lost their session.

    @ivar outcomes: The results of the attempts to connect and to ask.

    @ivar longest: The longest that a new client has waited for its answer, in
        seconds.
    """

    lost: list[Address] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    longest: float = 0.0
    enough: bool = False


@asynccontextmanager
async def running(
    peers: Iterable[Coroutine[None, None, None]], *seen: Seen
) -> AsyncIterator[None]:
    """
    Run peers until the end of the block, also if it raises.  Cancelling is not enough:
    before Python 3.12, L{asyncio.wait_for} drops the cancellation if the connection was
    refused at the same time.
    """
    tasks = [asyncio.create_task(peer) for peer in peers]
    try:
        yield
    finally:
        for each in seen:
            each.enough = True
    await asyncio.gather(*tasks)


async def stay(server: Daemon, seen: Seen) -> None:
    """
    Send requests in one session until the server ends it; then in another.
    """
    while not seen.enough:
        client = await Client(server.tcp).connect()
        address = client.socket.getsockname()
        while not seen.enough:
            if not await ask(client, b"are you there?\n"):
                seen.lost.append(address)
                break
            seen.answers += 1
            await asyncio.sleep(PAUSE)
        client.close()


async def come(server: Daemon, seen: Seen) -> None:
    """
    Connect, send one request, and close, again and again.
    """
    while not seen.enough:
        began = monotonic()
        try:
            client = await asyncio.wait_for(Client(server.tcp).connect(), PATIENCE)
        except (OSError, asyncio.TimeoutError) as error:
            seen.outcomes[f"no connection ({type(error).__name__})"] += 1
            continue
        answered = await ask(client, b"anybody there?\n")
        client.close()
        seen.outcomes["answered" if answered else "cut off"] += 1
        seen.longest = max(seen.longest, monotonic() - began)
        await asyncio.sleep(PAUSE)


async def killed(start: Start, kills: int, seconds: float, clients: int = 50) -> Report:
    """
    Kill one worker after the other by SIGKILL.

    @param seconds: How long that takes.

    @param clients: How many sessions there are, and half as many clients that
        connect anew.
    """
    report, seen = Report(), Seen()
    wrong = lost = victim = 0
    with start("--tcp", "127.0.0.1:0", "--workers", str(WORKERS)) as server:
        for _ in range(WORKERS):
            server.expect(r"worker \S+ serves")
        peers = [stay(server, seen) for _ in range(clients)]
        peers += [come(server, seen) for _ in range(clients // 2)]
        async with running(peers, seen):
            await asyncio.sleep(1)
            began = monotonic()
            for number in range(kills):
                # A peer that connects meanwhile is in no list.
                before = await asyncio.to_thread(owners, server)
                while not (alive := set(before.values()) - {victim}):
                    # No other worker serves a peer yet.
                    before = await asyncio.to_thread(owners, server)
                # The worker that has served for longest.
                victim = min(alive)
                os.kill(victim, signal.SIGKILL)
                await asyncio.sleep(began + seconds * (number + 1) / kills - monotonic())
                gone, seen.lost = seen.lost, []
                lost += len(gone)
                wrong += sum(before.get(address, victim) != victim for address in gone)
            took = monotonic() - began
    refused = sum(seen.outcomes.values()) - seen.outcomes["answered"] - seen.outcomes["cut off"]
    report.show("workers killed", kills)
    report.show("seconds", took)
    report.show("answers in lasting sessions", seen.answers)
    report.show("sessions lost with their worker", lost - wrong)
    report.show("sessions of other workers lost", wrong)
    report.show("new connections answered", seen.outcomes["answered"])
    report.show("new connections cut off by the kill", seen.outcomes["cut off"])
    report.show("connections refused", refused)
    report.show("longest wait for an answer, s", seen.longest)
    report.require(lost > 0, "no session was lost: nothing was killed")
    report.require(wrong == 0, f"{wrong} sessions of workers were lost that were not killed")
    report.require(refused == 0, f"refused: {seen.outcomes}")
    return report


async def ping(server: Daemon, seen: Seen, *options: str) -> None:
    """
    Let C{echoc ping} ask, again and again, each time from a new socket.
    """
    while not seen.enough:
        process = await asyncio.create_subprocess_exec(
            *(*ECHOC, "ping", "--json", "-q", *options),
            env=ENVIRONMENT,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate()
        figures = json.loads(said)
        seen.answers += figures["received"]
        seen.outcomes["unanswered"] += figures["sent"] - figures["received"]
        seen.outcomes["failed"] += process.returncode != 0


async def renewed(start: Start, times: int) -> Report:
    """
    Replace all workers by SIGHUP, several times.
    """
    report, pinged, seen = Report(), Seen(), Seen()
    options = ("--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--workers", str(WORKERS))
    with start(*options, below=NO_TERMINAL) as server:
        for _ in range(WORKERS):
            server.expect(r"worker \S+ serves")
        peers = [
            ping(server, pinged, "-i", "0.01", "-c", "100", kind, f"127.0.0.1:{address[1]}")
            for kind, address in (("--tcp", server.tcp), ("--udp", server.udp))
        ]
        peers += [come(server, seen) for _ in range(20)]
        async with running(peers, pinged, seen):
            await asyncio.sleep(1)
            for _ in range(times):
                server.process.send_signal(signal.SIGHUP)
                for _ in range(WORKERS):
                    await asyncio.to_thread(server.expect, r"worker \S+ serves")
            await asyncio.sleep(1)
    failed = sum(seen.outcomes.values()) - seen.outcomes["answered"]
    report.show("rolling restarts", times)
    report.show("answers to echoc ping", pinged.answers)
    report.show("probes of echoc ping unanswered", pinged.outcomes["unanswered"])
    report.show("new connections answered", seen.outcomes["answered"])
    report.show("new connections refused or unanswered", failed)
    report.show("longest wait for an answer, s", seen.longest)
    report.require(not any(pinged.outcomes.values()), f"echoc ping: {pinged.outcomes}")
    report.require(failed == 0, f"new connections: {seen.outcomes}")
    return report


LOADS = {
    "TCP, 64 each": (WORKERS, "tcp", "64", "64", "1"),
    "TCP, 1000 in all": (1, "tcp", "1000", "64", "1"),
    "UDP, 64 in all": (1, "udp", "64", "64", "64"),
    "TCP, 64 in all": (1, "tcp", "64", "64", "1"),
}
"""
What the load does, as in the benchmarks: how many times as many connections, or
sources of datagrams, several workers have; how many one process has; and what
each of them asks.
"""

FEW = "TCP, 64 in all"
"""
What is shown, and not judged: each worker finds half as much to do at a time, and
has to be woken for it more often.
"""

DRAWS = 200_000
"""
How many sessions are simulated at the least, for each number of cores.
"""

SESSION = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"
"""
Gives a daemon a session of its own, by which the load finds all its processes.
"""


def cost(start: Start, load: list[str], seconds: float, count: int) -> tuple[float, float]:
    """
    @param load: The program that is the load, and what it does.

    @return: The processor time that all processes of a daemon with so many workers
        spend on a message, in microseconds; and messages a second.
    """
    program, kind, *rest = load
    options = (f"--{kind}", "127.0.0.1:0", "--workers", str(count))
    with start(*options, below=[sys.executable, "-c", SESSION]) as server:
        if count > 1:
            for _ in range(count):
                server.expect(r"worker \S+ serves")
        host, port = server.tcp if kind == "tcp" else server.udp
        where = [host, str(port), str(server.process.pid), str(seconds)]
        done = run([program, kind, *where, *rest], capture_output=True, text=True, check=True)
    messages, elapsed, spent = map(float, done.stdout.split())
    return spent / messages * 1e6, messages / elapsed


def costs(start: Start, rounds: int, seconds: float) -> dict[str, Report]:
    """
    Compare the cost of a message with several workers and with one process, in turns
    and with the load on the same cores.

    @return: A report for each load.
    """
    needs("cc")
    reports = {}
    with TemporaryDirectory() as directory:
        program = f"{directory}/load"
        run(["cc", "-O2", "-o", program, str(CHECKOUT / "benchmarks" / "load.c")], check=True)

        for name, (times, kind, peers, *rest) in LOADS.items():
            loads = [[program, kind, str(int(peers) * n), *rest] for n in (1, times)]
            pairs = [
                [
                    cost(start, load, seconds, count)
                    for load, count in zip(loads, (1, WORKERS), strict=True)
                ]
                for _ in range(rounds)
            ]
            reports[name] = _comparison(pairs, MOST if name != FEW else inf)
    return reports


def _comparison(pairs: list[list[tuple[float, float]]], most: float) -> Report:
    report = Report()
    for number, name in enumerate(("one process", f"{WORKERS} workers")):
        prices, rates = zip(*(pair[number] for pair in pairs), strict=True)
        report.figures[f"us for a message, {name}"] = f"{median(prices):.2f}"
        report.show(f"messages a second, {name}", round(median(rates)))
    ratio = median(more[0] / less[0] for less, more in pairs)
    report.figures["times the cost, median of the rounds"] = f"{ratio:.3f}"
    report.require(ratio <= most, f"a message costs {ratio:.3f} times as much")
    return report


def spread(seed: str) -> dict[str, Report]:
    """
    Simulate how many of the cores are in use when the system has spread sessions
    over one worker on each, all sessions are equally busy, and the fullest worker
    has no time left.

    @return: A report for each number of sessions.
    """
    random = Random(seed)
    reports = {}
    for sessions in (10, 100, 1000, 10_000):
        report = reports[f"{sessions:,} sessions"] = Report()
        for cores in (2, 4, 8, 16, 32):
            fullest = (
                max(Counter(random.choices(range(cores), k=sessions)).values())
                for _ in range(DRAWS // sessions)
            )
            report.show(f"of {cores} cores", mean(sessions / most for most in fullest))
    return reports
