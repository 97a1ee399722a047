"""
SIGTERM in the middle of many transfers.
"""

from __future__ import annotations

import asyncio
import signal
from random import Random
from time import monotonic

from soak.client import PATIENCE, Client
from soak.held import connected
from soak.report import Report
from soak.servers import Start, atRest
from tests.support.daemon import Daemon

MOST = 1 << 24
"""
The largest transfer, in bytes: more than what fits into all buffers on the way.
"""

START = 100_000
"""
The most that comes back before the signal, in bytes.
"""

FULL = 0.3
"""
How long nothing has fitted when a transfer counts as stuck, in seconds.
"""


class Transfer:
    """
    One client that sends, and has read only a part when the signal comes.

    @ivar owed: How many bytes the server's system had acknowledged at the signal.
    """

    def __init__(self, client: Client, text: memoryview, random: Random) -> None:
        """
        @param text: Each peer sends parts of this text.
        """
        self._client = client
        size = random.randint(1, 1 << random.randint(10, MOST.bit_length() - 1))
        offset = random.randint(0, MOST - size)
        self._said = text[offset : offset + size]
        self._early = random.randint(0, min(size, START))
        self.owed = self.read = 0

    async def start(self) -> None:
        """
        Send what fits, after a part of it was read.
        """
        sent = 0
        if self._early:
            await self._client.send(self._said[: self._early])
            got = await asyncio.wait_for(self._client.receive(self._early), PATIENCE)
            self.read = sent = len(got)
        self._sent = sent + await self._client.sendWhatFits(self._said[sent:], FULL)

    def count(self) -> None:
        """
        The signal comes now.
        """
        self.owed = self._sent - self._client.unacknowledged()

    async def finish(self) -> str:
        """
        Read to the end.

        @return: The mistake of the server, or nothing.
        """
        try:
            rest = await asyncio.wait_for(self._client.receiveAll(), PATIENCE)
        except asyncio.TimeoutError:
            return "no end came"
        finally:
            self._client.close()
        begun, self.read = self.read, self.read + len(rest)
        if rest != self._said[begun : self.read]:
            return "other bytes came"
        return "" if self.read >= self.owed else "bytes were lost"


async def transfers(server: Daemon, count: int, seed: str, report: Report) -> None:
    """
    Send the signal, and compare.
    """
    await atRest(server)
    clients = await connected(server, count)
    text = memoryview(Random(seed).randbytes(MOST).replace(b"bye", b"BYE"))
    some = [Transfer(client, text, Random(f"{seed}/{i}")) for i, client in enumerate(clients)]
    await asyncio.gather(*(transfer.start() for transfer in some))
    for transfer in some:
        transfer.count()
    unread = sum(transfer.owed - transfer.read for transfer in some)
    began = monotonic()
    server.process.send_signal(signal.SIGTERM)
    results = await asyncio.gather(*(transfer.finish() for transfer in some))
    await asyncio.to_thread(server.process.wait, PATIENCE)
    seconds = monotonic() - began
    lost = sum(max(0, transfer.owed - transfer.read) for transfer in some)
    wrong = [result for result in results if result]
    report.show("transfers", count)
    report.show("MB on their way at the signal", unread / 1e6)
    report.show("bytes of these lost", lost)
    report.show("transfers cut", len(wrong))
    report.show("seconds until the end", seconds)
    report.require(lost == 0, f"{lost} bytes were lost")
    report.require(not wrong, f"{len(wrong)} transfers were cut: {', '.join(set(wrong))}")


async def drain(start: Start, count: int, seed: str) -> Report:
    """
    @param count: How many transfers there are.
    """
    report = Report()
    with start("--tcp", "127.0.0.1:0", "--drain-timeout", "60") as server:
        await transfers(server, count, seed, report)
    return report
