"""
Datagrams that are not from whom they seem to be.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from random import Random

from soak.namespaces import Namespace, chain, forged
from soak.report import MEBIBYTE, Report
from soak.servers import Start

PORT = 7007
"""
In namespaces of the tests' own every port is free.
"""

OTHER_PORT = 7008

LOOPING = 0.1
"""
How long a loop can go round, in seconds.
"""

FIRST, SECOND = (socket.inet_aton(f"10.0.0.{number}") for number in (1, 2))

BURST = 100
"""
How many forged datagrams come between two questions of a known client: less than
what a socket's buffer holds, so that a server has to look at each.
"""

PATIENCE = 1.0
"""
How long the known client waits for an answer, in seconds.
"""

TABLE = 32 * MEBIBYTE
"""
What a million sources may cost: twice as many do not cost more.
"""


def forger(namespace: Namespace) -> socket.socket:
    """
    @return: A socket that sends what L{forged} makes.
    """
    return namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)


ROUTERS = 30
"""
Over so many routers two echod recognize each other's answers.
"""


def looped(start: Start, chained: list[Namespace], hops: int, ports: tuple[int, int]) -> int:
    """
    Aim the server of the first host at one that is some hops away.

    @param hops: 1 if there is no router between them; 0 if both are on the first host.

    @return: How many datagrams the two have received because of one that was forged.
    """
    first, second = chained[0], chained[hops]
    here, there = "10.0.0.1", f"10.0.{hops - 1}.2" if hops else "10.0.0.1"
    before = first.datagramsReceived(), second.datagramsReceived()
    with (
        start("--udp", f"{here}:{ports[0]}", below=first.below),
        start("--udp", f"{there}:{ports[1]}", below=second.below),
        forger(first) as raw,
    ):
        addresses = [socket.inet_aton(host) for host in (here, there)]
        packet = forged((addresses[0], ports[0]), (addresses[1], ports[1]), b"forged")
        raw.sendto(packet, (there, 0))
        time.sleep(LOOPING)
    received = first.datagramsReceived() - before[0]
    if hops:
        received += second.datagramsReceived() - before[1]
    # The forged datagram itself.
    return received - 1


def loop(start: Start, routers: Sequence[int]) -> Report:
    """
    @param routers: The numbers of routers between the two servers.
    """
    report = Report()
    with chain(max(routers)) as chained:
        for name, hops, ports in (
            ("one port", 1, (PORT, PORT)),
            ("one host", 0, (PORT, OTHER_PORT)),
            *((f"{number} routers", number + 1, (PORT, OTHER_PORT)) for number in routers),
        ):
            datagrams = looped(start, chained, hops, ports)
            report.show(f"caused, {name}", datagrams)
            report.require(datagrams <= 1, f"{name}: a forged datagram caused {datagrams}")
    return report


def flood(start: Start, sources: int, seed: str) -> Report:
    """
    @param sources: How many sources are forged.
    """
    report = Report()
    random = Random(seed)
    with (
        chain() as (first, second),
        start("--udp", f"10.0.0.2:{PORT}", below=second.below) as server,
        forger(first) as raw,
        first.socket(socket.AF_INET, socket.SOCK_DGRAM) as known,
    ):
        known.connect(("10.0.0.2", PORT))
        known.settimeout(PATIENCE)
        waits = [ask(known, 0)]
        before, memory = second.datagramsReceived(), server.memory()
        # 10.0.0.0 to 10.0.0.255 are on the wire; all others are elsewhere.
        for index, host in enumerate(random.sample(range(1 << 8, 1 << 24), sources), 1):
            source = b"\n" + host.to_bytes(3, "big"), random.randrange(1024, 1 << 16)
            raw.sendto(forged(source, (SECOND, PORT), b"x" * 16), ("10.0.0.2", 0))
            if index % BURST == 0:
                waits.append(ask(known, index))
        came = second.datagramsReceived() - before
        growth = server.memory() - memory
    answered = [wait for wait in waits if wait is not None]
    asked, missing = len(waits), len(waits) - len(answered)
    report.show("sources forged", sources)
    report.show("datagrams that reached it", came)
    report.show("questions of a known client", asked)
    report.show("not answered", missing)
    report.show("longest wait, ms", max(answered, default=0.0) * 1000)
    report.show("MiB more at the end", growth / MEBIBYTE)
    report.require(missing == 0, f"{missing} questions were not answered")
    report.require(came >= sources, "not all datagrams reached the server")
    report.require(growth < TABLE, f"memory grew by {growth} bytes")
    return report


def ask(client: socket.socket, number: int) -> float | None:
    """
    @return: How long the answer to a question took, in seconds, if there was
        one.
    """
    question = b"question %d" % number
    began = time.monotonic()
    client.send(question)
    try:
        while client.recv(64) != question:
            # Of an earlier question.
            pass
    except TimeoutError:
        return None
    return time.monotonic() - began
