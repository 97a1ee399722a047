"""
Connections that come and go, and leave nothing behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from soak.client import PATIENCE, Client
from soak.held import CONNECTING
from soak.report import MEBIBYTE, Report
from soak.servers import Counting, atRest, descriptorsLeft

WARM_UP = 3000
"""
How many connections come before the measurement: buffers and caches are as large
as they get then.
"""

GROWTH = MEBIBYTE
"""
How much memory all the connections together may add, in bytes.
"""

FEW_TIMERS = 20
"""
How many more timers there may be at the end: one for each kind of wait.
"""


async def comeAndGo(client: Client) -> bool:
    """
    Open a connection, send one line, read it, and close.  There is no goodbye: the
    server would wait for two seconds, and a timer that is due also removes the
    cancelled ones.

    @return: True if the connection was served.
    """
    try:
        await client.connect()
        await client.send(b"hello\n")
        return await asyncio.wait_for(client.receive(6), PATIENCE) == b"hello\n"
    except (OSError, asyncio.TimeoutError):
        return False
    finally:
        client.close()


async def come(server: Counting, connections: int) -> int:
    """
    @return: How many of so many connections were not served.
    """
    numbers = count()

    async def oneAfterTheOther() -> int:
        lost = 0
        while next(numbers) < connections:
            lost += not await comeAndGo(Client(server.tcp))
        return lost

    return sum(await asyncio.gather(*(oneAfterTheOther() for _ in range(CONNECTING))))


async def churn(
    start: Callable[..., Counting], connections: int, warmUp: int = WARM_UP
) -> Report:
    """
    @param connections: How many come and go.
    """
    report = Report()
    server = start("--tcp", "127.0.0.1:0")
    with server:
        descriptors = await atRest(server)
        lost = await come(server, warmUp)
        await descriptorsLeft(server, descriptors)
        timers, memory, used = server.timers(), server.memory(), server.processorTime()
        lost += await come(server, connections)
        used = server.processorTime() - used
        left = await descriptorsLeft(server, descriptors)
        timers, memory = server.timers() - timers, server.memory() - memory
    report.show("connections", connections)
    report.show("not served", lost)
    report.show("us of processor for each", used / connections * 1e6)
    report.show("descriptors left open", left)
    report.show("timers left in memory", timers)
    report.show("KiB more at the end", memory / 1024)
    report.require(lost == 0, f"{lost} connections were not served")
    report.require(left == 0, f"{left} descriptors were left open")
    report.require(timers < FEW_TIMERS, f"{timers} timers were left in memory")
    report.require(memory < GROWTH, f"memory grew by {memory} bytes")
    return report
