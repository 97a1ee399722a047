"""
Ten thousand connections that are held while some of them talk.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from soak.client import PATIENCE, Client
from soak.report import Report
from soak.servers import Start, atRest, descriptorsLeft
from tests.support.daemon import Daemon

CONNECTING = 40
"""
How many connect at a time: what a stock listener's queue (50) holds.
"""


async def connected(server: Daemon, count: int) -> list[Client]:
    """
    @return: So many clients.
    """
    clients: list[Client] = []
    while len(clients) < count:
        some = min(CONNECTING, count - len(clients))
        clients += await asyncio.gather(*(Client(server.tcp).connect() for _ in range(some)))
    return clients


async def ask(client: Client, message: bytes) -> bool:
    """
    @return: True if a message came back.
    """
    try:
        await client.send(message)
        return await asyncio.wait_for(client.receive(len(message)), PATIENCE) == message
    except (OSError, asyncio.TimeoutError):
        return False


async def askAll(clients: list[Client], messages: int) -> int:
    """
    @return: How many of the messages of these clients did not come back.
    """

    async def talk(client: Client, number: int) -> int:
        answers = [
            await ask(client, b"%d, message %d\n" % (number, i)) for i in range(messages)
        ]
        return answers.count(False)

    return sum(await asyncio.gather(*(talk(c, number) for number, c in enumerate(clients))))


async def held(start: Start, connections: int, talkers: int, messages: int) -> Report:
    """
    @param connections: How many are held.

    @param talkers: How many of them talk at a time.

    @param messages: How many messages each of those sends.
    """
    report = Report()
    with start("--tcp", "127.0.0.1:0") as server:
        descriptors = await atRest(server)
        memory = server.memory()
        clients = await connected(server, connections)
        # Each is served, and not only waiting to be accepted.
        lost = sum(
            [await askAll(clients[i : i + talkers], 1) for i in range(0, connections, talkers)]
        )
        each = (server.memory() - memory) / connections
        began, used = monotonic(), server.processorTime()
        lost += await askAll(clients[:: max(1, connections // talkers)][:talkers], messages)
        seconds, used = monotonic() - began, server.processorTime() - used
        # None has been forgotten meanwhile.
        lost += sum(
            [await askAll(clients[i : i + talkers], 1) for i in range(0, connections, talkers)]
        )
        for client in clients:
            client.close()
        left = await descriptorsLeft(server, descriptors)
    sent = talkers * messages
    report.show("connections held", connections)
    report.show("messages", sent + 2 * connections)
    report.show("messages lost", lost)
    report.show("messages a second", round(sent / seconds))
    report.show("us of processor for each", used / sent * 1e6)
    report.show("bytes for each connection", round(each))
    report.show("descriptors left open", left)
    report.require(lost == 0, f"{lost} messages were lost")
    report.require(left == 0, f"{left} descriptors were left open")
    return report
