"""
A process that stands still, and clocks that go back or forward.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from soak.client import Client
from soak.held import ask, connected
from soak.report import Report
from soak.servers import Start, atRest
from tests.support import lacking
from tests.support.daemon import Daemon

TALKERS = 20

FAKETIME = "/usr/lib/*/faketime/libfaketimeMT.so.1"
"""
Where Debian has it.
"""

HOUR = 3600

GOODBYE = 5.0
"""
How long a goodbye may take on a busy machine, in seconds.  It takes 0.2.
"""

CLOSING = 15.0
"""
The same for a session that closes while its peer does not: it takes 2.
"""


async def stopped(start: Start, seconds: float) -> Report:
    """
    @param seconds: How long the server is stopped.
    """
    report = Report()
    with start("--tcp", "127.0.0.1:0", "--udp", "127.0.0.1:0") as server:
        await atRest(server)
        clients = await connected(server, TALKERS)
        hesitant = await Client(server.tcp).connect()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.setblocking(False)
            datagrams.connect(server.udp)
            await hesitant.send(b"bye")
            server.process.send_signal(signal.SIGSTOP)
            asking = [asyncio.ensure_future(ask(c, b"x" * 300_000)) for c in clients]
            for number in range(TALKERS):
                datagrams.send(b"%d" % number)
            await asyncio.sleep(seconds)
            # It was said in time; that nobody listened is not the peer's fault.
            await hesitant.send(b" and more\n")
            server.process.send_signal(signal.SIGCONT)
            lost = (await asyncio.gather(*asking)).count(False)
            loop = asyncio.get_running_loop()
            answers = [
                await asyncio.wait_for(loop.sock_recv(datagrams, 64), GOODBYE)
                for _ in range(TALKERS)
            ]
        rest = await asyncio.wait_for(hesitant.receive(13), GOODBYE)
        for client in (*clients, hesitant):
            client.close()
    unanswered = TALKERS - len(set(answers))
    report.show("messages", TALKERS)
    report.show("messages lost", lost)
    report.show("datagrams not answered", unanswered)
    report.show("'bye' seen as a goodbye", int(rest != b"bye and more\n"))
    report.require(lost == 0, f"{lost} messages were lost")
    report.require(unanswered == 0, f"{unanswered} datagrams were not answered")
    report.require(rest == b"bye and more\n", "what was said meanwhile was not heard")
    return report


async def clockSet(start: Start) -> Report:
    """
    Set the clock of a server back and forward, and only that.
    """
    report = Report()
    library = next(Path("/").glob(FAKETIME[1:]), None)
    if library is None:
        lacking("libfaketime")
    with TemporaryDirectory() as directory:
        offset = Path(directory) / "offset"
        offset.write_text("+0")
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(offset),
            "FAKETIME_NO_CACHE": "1",
            # Nobody can set that one.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        with start("--tcp", "127.0.0.1:0", environment=environment) as server:
            await atRest(server)
            for name, hours in (("back", -1), ("forward", 1)):
                offset.write_text("+0")
                await watch(server, offset, f"{hours * HOUR:+}", f"set {name} an hour", report)
    return report


async def watch(server: Daemon, offset: Path, value: str, name: str, report: Report) -> None:
    """
    See what waits for a time when the clock is set.
    """
    bystander, leaver = await connected(server, 2)
    await ask(bystander, b"hello\n")
    # From now on the server waits for this one to close as well.
    await leaver.send(b"bye\n")
    await leaver.receiveAll()
    opened = server.descriptors()
    offset.write_text(value)
    began = monotonic()
    while (closing := monotonic() - began) < CLOSING and server.descriptors() >= opened:
        await asyncio.sleep(0.05)
    report.show(f"{name}: seconds until a session is closed", closing)
    report.require(closing < CLOSING, f"clock {name}: a session is not closed")
    newcomer = await Client(server.tcp).connect()
    await newcomer.send(b"bye")
    began = monotonic()
    try:
        await asyncio.wait_for(newcomer.receiveAll(), GOODBYE)
    except asyncio.TimeoutError:
        report.require(False, f"clock {name}: a goodbye is not heard")
    report.show(f"{name}: seconds until 'bye' is recognized", monotonic() - began)
    report.require(await ask(bystander, b"still there\n"), f"clock {name}: a session was cut")
    for client in (bystander, leaver, newcomer):
        client.close()
