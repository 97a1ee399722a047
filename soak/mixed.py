"""
Peers of every kind at once, good and bad, for a long time.
"""

from __future__ import annotations

import asyncio
import time
from random import Random

from soak.peers import BEHAVIOURS, Behaviour, Tally, datagrams, goodbye, meet
from soak.report import MEBIBYTE, Report
from soak.servers import Start, atRest, descriptorsLeft
from tests.support.daemon import Daemon

AT_ONCE = 40
"""
How many peers there are at any time.
"""

WARM_UP = 0.1
"""
Which part of the time is over when memory is taken for that of the start: caches
are full then, and buffers have been as large as they get.
"""

GROWTH = 8 * MEBIBYTE
"""
What the memory may differ by at the end: what an allocator keeps or not.
"""


async def traffic(
    server: Daemon, seconds: float, seed: str, behaviours: dict[Behaviour, int]
) -> Tally:
    """
    Peers come and go for some time.

    @return: The results of the peers.
    """
    tally = Tally()
    end = time.monotonic() + seconds

    async def one(random: Random) -> None:
        while time.monotonic() < end:
            (behaviour,) = random.choices(list(behaviours), list(behaviours.values()))
            await meet(behaviour, server.tcp, random, tally)

    async def other(random: Random) -> None:
        while time.monotonic() < end:
            tally.sessions += 1
            try:
                await datagrams(server.udp, random, tally)
            except (OSError, asyncio.TimeoutError):
                tally.wrong += 1

    await asyncio.gather(
        *(one(Random(f"{seed}/{i}")) for i in range(AT_ONCE)),
        *(other(Random(f"{seed}/UDP {i}")) for i in range(2)),
    )
    return tally


async def watch(server: Daemon, seconds: float, seed: str, says: bool) -> Report:
    """
    @param says: True if the server knows goodbyes.

    @return: The report of one server.
    """
    behaviours = {**BEHAVIOURS, goodbye: 4} if says else BEHAVIOURS
    report = Report()
    descriptors = await atRest(server)
    await traffic(server, seconds * WARM_UP, f"{seed}/warm-up", behaviours)
    await descriptorsLeft(server, descriptors)
    memory = server.memory()
    tally = await traffic(server, seconds * (1 - WARM_UP), seed, behaviours)
    left = await descriptorsLeft(server, descriptors)
    growth = server.memory() - memory
    report.show("sessions", tally.sessions)
    report.show("MB to return", tally.owed / 1e6)
    report.show("bytes lost", tally.lost)
    report.show("sessions not served", tally.wrong)
    report.show("descriptors left open", left)
    report.show("MiB at the start", memory / MEBIBYTE)
    report.show("MiB more at the end", growth / MEBIBYTE)
    report.require(tally.lost == 0, f"{tally.lost} bytes were lost")
    report.require(tally.wrong == 0, f"{tally.wrong} sessions were not served")
    report.require(left == 0, f"{left} descriptors were left open")
    report.require(growth < GROWTH, f"memory grew by {growth} bytes")
    return report


async def mixed(servers: dict[str, Start], seconds: float, seed: str) -> dict[str, Report]:
    """
    Several servers side by side.

    @return: The report of each server.
    """
    # The log tells whether every session has ended.
    everyLine = ("--session-lines", "all")
    running = {
        name: start(
            *("--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0"),
            *(() if "stock" in name else everyLine),
        )
        for name, start in servers.items()
    }
    try:
        reports = await asyncio.gather(
            *(
                watch(server, seconds, seed, "stock" not in name)
                for name, server in running.items()
            )
        )
    finally:
        for server in running.values():
            server.stop()
    for name, report in zip(running, reports, strict=True):
        log = "".join(running[name].log)
        report.require("Traceback" not in log, "there are tracebacks in the log")
        connected, ended = log.count(" connected\n"), log.count(" ended: ")
        report.require(connected == ended, f"{connected} sessions began, {ended} ended")
    return dict(zip(running, reports, strict=True))
