"""
Peers of every kind, and what they are owed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from random import Random
from typing import Any

from soak.client import PATIENCE, Client


@dataclass
class Tally:
    """
    The results of many peers.

    @ivar owed: How many bytes they ought to get back.

    @ivar lost: How many of those have not come.

    @ivar wrong: How many sessions got something else than what they were owed.
    """

    sessions: int = 0
    owed: int = 0
    lost: int = 0
    wrong: int = 0

    def settle(self, owed: bytes, got: bytes) -> None:
        """
        Compare.
        """
        self.owed += len(owed)
        if owed != got:
            if owed.startswith(got):
                self.lost += len(owed) - len(got)
            else:
                self.wrong += 1


def message(random: Random, size: int) -> bytes:
    """
    @return: So many bytes without a goodbye: any, or those that a goodbye is
        made of.
    """
    if size < 10_000 and random.random() < 0.5:
        data = bytes(random.choices(b"bye\r\n x", k=size))
    else:
        data = random.randbytes(size)
    # No message continues a goodbye that the message before it has begun.
    return b"x" + data[1:].replace(b"bye", b"BYE")


@contextlib.asynccontextmanager
async def meanwhile(
    talk: Coroutine[Any, Any, None],
) -> AsyncIterator[asyncio.Future[None]]:
    """
    Talk while something else is done.
    """
    talking = asyncio.ensure_future(talk)
    try:
        yield talking
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


async def chat(client: Client, random: Random, tally: Tally) -> None:
    """
    Says something, waits for it, says the next thing.
    """
    for _ in range(random.randint(1, 50)):
        said = message(random, random.randint(1, 3000))
        await client.send(said)
        tally.settle(said, await client.receive(len(said)))


async def halfClose(client: Client, random: Random, tally: Tally) -> None:
    """
    Says all it has to say, ends its stream, and reads meanwhile.
    """
    said = message(random, random.randint(1, 1 << random.randint(1, 22)))

    async def talk() -> None:
        await client.send(said)
        client.shutdown()

    async with meanwhile(talk()):
        tally.settle(said, await client.receiveAll())


async def slow(client: Client, random: Random, tally: Tally) -> None:
    """
    Sends until nothing more fits, and reads only later.
    """
    said = message(random, 20_000_000)
    said = said[: await client.sendWhatFits(said, random.random() / 2)]
    await asyncio.sleep(random.random())
    tally.settle(said, await client.receive(len(said)))


async def huge(client: Client, random: Random, tally: Tally) -> None:
    """
    Sends megabytes, and reads them at the same time.
    """
    said = message(random, random.randint(1_000_000, 20_000_000))
    async with meanwhile(client.send(said)):
        tally.settle(said, await client.receive(len(said)))


async def trickle(client: Client, random: Random, tally: Tally) -> None:
    """
    Sends one byte at a time.
    """
    said = message(random, random.randint(1, 300))
    for i in range(len(said)):
        await client.send(said[i : i + 1])
        await asyncio.sleep(random.choice((0, 0, 0.001, 0.01)))
    tally.settle(said, await client.receive(len(said)))


async def silent(client: Client, random: Random, tally: Tally) -> None:
    """
    Connects, and says nothing.
    """
    with contextlib.suppress(asyncio.TimeoutError):
        got = await asyncio.wait_for(client.receiveAll(), random.random())
        # Neither a word nor an end was due.
        tally.wrong += 1
        tally.settle(b"", got)


async def deaf(client: Client, random: Random, tally: Tally) -> None:
    """
    Sends, never reads, and leaves.
    """
    await client.sendWhatFits(message(random, 10_000_000), random.random())


async def reset(client: Client, random: Random, tally: Tally) -> None:
    """
    Sends, reads perhaps, and resets the connection.
    """
    said = message(random, random.randint(1, 100_000))
    await client.sendWhatFits(said, 0.1)
    if random.random() < 0.5:
        await client.receive(random.randint(1, len(said)))
    client.reset()


async def goodbye(client: Client, random: Random, tally: Tally) -> None:
    """
    Says goodbye, in one way or the other, and goes on talking before it reads.
    """
    said = message(random, random.randint(1, 1 << random.randint(1, 20))) + b"\n"

    async def talk() -> None:
        await client.send(said + random.choice((b"bye\n", b"bye\r\n")))
        await asyncio.sleep(random.random() / 5)
        await client.send(b"more\n" * random.randint(0, 1000))

    async with meanwhile(talk()):
        await asyncio.sleep(random.random() / 2)
        tally.settle(said, await client.receiveAll())


async def datagrams(address: tuple[str, int], random: Random, tally: Tally) -> None:
    """
    Sends datagrams, and waits for each.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.setblocking(False)
        peer.connect(address)
        for _ in range(random.randint(1, 200)):
            said = random.randbytes(random.randint(1, 1400))
            peer.send(said)
            got = await asyncio.wait_for(loop.sock_recv(peer, 65536), PATIENCE)
            tally.settle(said, got)


Behaviour = Callable[[Client, Random, Tally], Coroutine[Any, Any, None]]

BEHAVIOURS: dict[Behaviour, int] = {
    chat: 8,
    halfClose: 8,
    trickle: 4,
    silent: 4,
    reset: 8,
    deaf: 2,
    slow: 2,
    huge: 1,
}
"""
What peers do, and how often in relation to each other.
"""


async def finish(
    talk: Coroutine[Any, Any, None], client: Client, patience: float = PATIENCE
) -> None:
    """
    Wait for the end of a session as long as the client makes steps: on a busy machine a
    session may take minutes.

    @raise asyncio.TimeoutError: if it makes none for so many seconds.
    """
    async with meanwhile(talk) as talking:
        steps = client.steps
        while not (await asyncio.wait([talking], timeout=patience))[0]:
            if client.steps == steps:
                raise asyncio.TimeoutError
            steps = client.steps
        await talking


async def meet(
    behaviour: Behaviour, server: tuple[str, int], random: Random, tally: Tally
) -> None:
    """
    One session.
    """
    tally.sessions += 1
    client = Client(server)
    try:
        await client.connect()
        await finish(behaviour(client, random, tally), client)
    except (OSError, asyncio.TimeoutError):
        # The actions of the others are no reason to refuse or to forget this one.
        tally.wrong += 1
    finally:
        client.close()
