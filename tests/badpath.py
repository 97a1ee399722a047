"""
A real echod that impairs datagrams, and a client that is independent of it: what
the one has seen is what the other says it has done.

C{python -m tests.badpath} compares that for 100,000 datagrams.
"""

from __future__ import annotations

import select
import socket
import sys
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt

from echod.impair import DATAGRAM_KINDS, DatagramImpairments
from tests.daemon import PATIENCE, Daemon
from tests.numbered import Numbered

SPECIFICATION = (
    "drop=1%,duplicate=1%,reorder=1%,corrupt=0.5%,truncate=0.5%,delay=2ms,jitter=1ms,seed=7"
)

SEEDS = ("seed=7", "seed=7", "seed=8")

WINDOW = 64
"""
How many datagrams may be on their way, so that no buffer overflows.
"""

SIZE = 64

DEVIATIONS = 5
"""
How far from what is expected a number may be, in standard deviations: with a given
seed it always is the same.
"""


@dataclass
class Run:
    """
    What came of one run.

    @ivar seen: What has befallen the datagrams, as far as the client can see.

    @ivar done: What has, as the daemon says.

    @ivar wire: A digest of all that came back, in order.
    """

    seen: Counter[str]
    done: str
    wire: str


def run(number: int, specification: str = SPECIFICATION) -> Run:
    """
    Send so many datagrams to a daemon, and stop it.
    """
    numbered = Numbered(SIZE)
    wire = sha256()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:

        def receive(patience: float) -> bool:
            readable, _, _ = select.select([client], [], [], patience)
            if readable:
                datagram = client.recv(2 * SIZE)
                wire.update(datagram)
                numbered.received(datagram)
            return bool(readable)

        with Daemon("--udp", "0", "--impair", specification) as daemon:
            client.connect(daemon.udp)
            while numbered.sent < number:
                client.send(numbered.next())
                while numbered.sent - numbered.newest > WINDOW:
                    if not receive(PATIENCE):
                        raise AssertionError("nothing comes back any more")
        # What was still on its way came at the latest with the end.
        while receive(0):
            """There is more."""
    (line,) = [line for line in daemon.log if "UDP echo: impaired on purpose; " in line]
    return Run(numbered.seen(), line.rpartition("; ")[2].strip(), wire.hexdigest())


def counted(done: str) -> Counter[str]:
    """
    @return: What the log says, as numbers, without what nobody can count: delays.
    """
    pairs = (item.split(": ") for item in done.split(", "))
    return Counter({kind: int(count) for kind, count in pairs if kind != "delay"})


def unlikely(seen: Counter[str], number: int) -> list[str]:
    """
    @return: What has befallen more or less than its probability allows.
    """
    impairments = DatagramImpairments.parse(SPECIFICATION)
    found = []
    for kind in DATAGRAM_KINDS:
        probability = getattr(impairments, kind)
        deviation = sqrt(number * probability * (1 - probability))
        if abs(seen[kind] - number * probability) > DEVIATIONS * deviation:
            found.append(kind)
    return found


def main(number: int) -> int:
    """
    @return: 0 if both agree, chance has done its part, and a seed repeats it.
    """
    first, few = run(number), number // 10
    print(f"seen: {dict(sorted(first.seen.items()))}\ndone: {first.done}")
    wires = [run(few, SPECIFICATION.replace("seed=7", seed)).wire for seed in SEEDS]
    repeated = wires[0] == wires[1] != wires[2]
    print(f"a seed repeats all of it, and no other does: {repeated}")
    agreed = first.seen == counted(first.done) and not unlikely(first.seen, number)
    return int(not (agreed and repeated))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
