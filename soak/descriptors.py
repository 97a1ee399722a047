"""
More clients than there are descriptors for.
"""

from __future__ import annotations

import asyncio

from soak.client import Client
from soak.held import ask, connected
from soak.report import Report
from soak.servers import Start, atRest, descriptorsLeft
from tests.support import needs

LIMIT = 60
"""
What C{ulimit -n} says.
"""

ESTABLISHED = 20
"""
How many are there before the crowd comes.
"""

CROWD = 200

LOW = 25.0
"""
How much of a processor a server may use while nothing happens but that others
are at the door, in percent.
"""

FEW_LINES = 20
"""
How many lines a server may log about all refusals.
"""


async def state(client: Client, joining: asyncio.Future[Client]) -> str:
    """
    @return: The result of a client that sends a message: C{served}, C{refused} or
        C{waits}.
    """
    try:
        await asyncio.wait_for(asyncio.shield(joining), 1)
        await client.send(b"x")
        got = await asyncio.wait_for(client.receive(1), 1)
    except OSError:
        return "refused"
    except asyncio.TimeoutError:
        return "waits"
    return "served" if got else "refused"


async def descriptors(start: Start, seconds: float) -> Report:
    """
    @param seconds: How long to watch a server that has no descriptors left.
    """
    needs("prlimit")
    report = Report()
    below = ("prlimit", f"--nofile={LIMIT}")
    with start("--tcp", "127.0.0.1:0", below=below) as server:
        before = await atRest(server)
        established = await connected(server, ESTABLISHED)
        greeted = [await ask(client, b"first\n") for client in established]
        crowd = [Client(server.tcp) for _ in range(CROWD)]
        joining = [asyncio.ensure_future(client.connect()) for client in crowd]
        await asyncio.sleep(1)
        states = await asyncio.gather(*map(state, crowd, joining))
        used = server.processorTime()
        await asyncio.sleep(seconds)
        load = (server.processorTime() - used) / seconds * 100
        kept = [await ask(client, b"still there\n") for client in established]
        for waiting in joining:
            waiting.cancel()
        await asyncio.gather(*joining, return_exceptions=True)
        for client in (*crowd, *established[ESTABLISHED // 2 :]):
            client.close()
        # The server sees that these sessions are over; then new ones can start.
        await descriptorsLeft(server, before + ESTABLISHED // 2)
        fresh = await connected(server, ESTABLISHED // 2)
        again = [await ask(client, b"here again\n") for client in fresh]
        del established[ESTABLISHED // 2 :]
        kept += [await ask(client, b"and again\n") for client in established]
        for client in (*fresh, *established):
            client.close()
    lost = (greeted + kept).count(False)
    # The other lines are one for the start and one for the end of each session.
    logged = sum("EMFILE" in line or "refused" in line for line in server.log)
    report.show("new clients served", states.count("served"))
    report.show("refused", states.count("refused"))
    report.show("left waiting", states.count("waits"))
    report.show("messages of old sessions lost", lost)
    report.show("% of a processor meanwhile", load)
    report.show("lines logged about refusals", logged)
    report.show("not served afterwards", again.count(False))
    report.require(lost == 0, f"{lost} messages of established sessions were lost")
    report.require(load < LOW, f"{load:.0f} % of a processor is used for nothing")
    report.require(logged < FEW_LINES, f"{logged} lines are logged about the refused")
    report.require(all(again), "it has not recovered")
    report.require("Traceback" not in "".join(server.log), "there are tracebacks in the log")
    return report
