"""
The servers under test, each in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from time import monotonic

from soak.client import Client
from soak.timers import COUNT
from tests.support.daemon import TWISTD, Daemon

Start = Callable[..., Daemon]
"""
Starts a server; takes what L{Daemon} does.
"""


class Stock(Daemon):
    """
    Stock Twisted's echo.
    """

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: The command that runs the server, without its options.
        """
        return [sys.executable, "-m", "soak.stock", reactor or "epoll"]


class Counting(Daemon):
    """
    An echod that counts its timers.
    """

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: The command that runs the server, without its options.
        """
        options = Daemon.command(reactor)[len(TWISTD) :]
        return [sys.executable, "-m", "soak.timers", *options]

    def timers(self) -> int:
        """
        @return: How many timers are in its memory.
        """
        self.process.send_signal(COUNT)
        return int(self.expect(r"^timers in memory: (\d+)$")[1])


class CountingStock(Stock, Counting):
    """
    A stock Twisted's echo that counts its timers.
    """


ECHOD: dict[str, Start] = {
    "echod": Daemon,
    "echod, epoll": partial(Daemon, reactor="epoll"),
}
"""
On the reactor that it takes by itself, and on the one that Twisted would take.
"""

STOCK: dict[str, Start] = {"stock Twisted": Stock}

REACTORS: dict[str, Start] = {
    reactor: partial(Daemon, reactor=reactor)
    for reactor in ("uvloop", "epoll", "asyncio", "poll", "select")
}
"""
echod on every reactor that it supports.
"""

COUNTING: dict[str, Callable[..., Counting]] = {
    **{
        f"echod, {reactor}": partial(Counting, reactor=reactor)
        for reactor in ("uvloop", "epoll", "asyncio")
    },
    "stock Twisted": CountingStock,
}
"""
The servers that count their timers.
"""

SETTLED = 20.0
"""
How long a server may take to end its last sessions, in seconds: echod waits for ten
seconds for peers that send after the end.
"""

LOOK = 0.25
"""
How often it is looked at meanwhile, in seconds.
"""


async def atRest(server: Daemon) -> int:
    """
    See a server through its start, and serve somebody for the first time.

    @return: How many descriptors it has open then.
    """
    client = await Client(server.tcp).connect()
    await client.send(b"x")
    await client.receive(1)
    client.close()
    before = -1
    while (now := server.descriptors()) != before:
        before = now
        await asyncio.sleep(LOOK)
    return now


async def descriptorsLeft(server: Daemon, descriptors: int) -> int:
    """
    Wait for the end of all sessions.

    @return: How many descriptors are open then beyond those of the start.
    """
    deadline = monotonic() + SETTLED
    while server.descriptors() > descriptors and monotonic() < deadline:
        await asyncio.sleep(LOOK)
    return server.descriptors() - descriptors
