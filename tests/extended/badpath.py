"""
A real echod that impairs datagrams, and two clients: C{echoc ping}, and one without code of
echod.  The faults that the clients see are those that echod counts.

C{python -m tests.extended.badpath} compares that, for C{echoc ping} with 100,000 datagrams.
"""

from __future__ import annotations

import json
import select
import socket
import sys
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt
from subprocess import PIPE
from subprocess import run as runProgram
from typing import Any

from echod.impair.items import DATAGRAM_KINDS
from echod.impair.spec import DatagramImpairments
from echod.net.format import hostPort
from tests.support import ENVIRONMENT
from tests.support.daemon import PATIENCE, Daemon
from tests.support.numbered import Numbered

SPECIFICATION = (
    "drop=1%,duplicate=1%,reorder=1%,corrupt=0.5%,truncate=0.5%,delay=2ms,jitter=1ms,seed=7"
)

SEEDS = ("seed=7", "seed=7", "seed=8")

WINDOW = 64
"""
How many datagrams may be on their way, so that no buffer overflows.
"""

SIZE = 64

RATE = 1000
"""
How many probes C{echoc ping} sends in a second: it does not wait for answers before
it sends more, and with so many the buffers of the kernel (277 such datagrams, where
nobody has changed that) last while a busy machine does something else for a quarter
of a second.
"""

TIMEOUT = 2
"""
How long it waits for each, in seconds: longer than what waits to be overtaken.
"""

NAMES = {
    "lost": "drop",
    "duplicated": "duplicate",
    "reordered": "reorder",
    "corrupted": "corrupt",
    "truncated": "truncate",
}
"""
The names of the faults in C{echoc ping}, with those of C{--impair}.
"""

DEVIATIONS = 5
"""
How far a number may be from the expected number, in standard deviations; with a given
seed, the result is always the same.
"""


@dataclass
class Run:
    """
    The result of one run.

    @ivar seen: The faults of the datagrams, as the client counted them.

    @ivar done: The faults of the datagrams, as the daemon counted them.

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
        # Data on its way arrived with the end at the latest.
        while receive(0):
            """There is more."""
    return Run(numbered.seen(), told(daemon), wire.hexdigest())


def ping(number: int, specification: str = SPECIFICATION) -> tuple[dict[str, Any], str]:
    """
    @return: The report of C{echoc ping} about so many probes, and that of the daemon.
    """
    with Daemon("--udp", "0", "--impair", specification) as daemon:
        command = [sys.executable, "-m", "echod.client", "ping", "--json"]
        command += ["-c", str(number), "--rate", str(RATE), "-W", str(TIMEOUT)]
        # It ends with 1, as some did not come back.
        ended = runProgram([*command, hostPort(*daemon.udp)], env=ENVIRONMENT, stdout=PIPE)
    return json.loads(ended.stdout), told(daemon)


def told(daemon: Daemon) -> str:
    """
    @return: The faults that a daemon which has ended has logged.
    """
    (line,) = [line for line in daemon.log if "UDP echo: impaired on purpose; " in line]
    return line.rpartition("; ")[2].strip()


def agrees(summary: dict[str, Any], done: Counter[str]) -> bool:
    """
    @return: True if every probe had the expected end, and nothing else arrived.
    """
    damaged = done["drop"] + done["corrupt"] + done["truncate"]
    answered = summary["received"] + summary["late"]
    return (
        Counter({kind: summary[name] for name, kind in NAMES.items()}) == done
        and answered == summary["sent"] - damaged
        and summary["foreign"] == 0
    )


def counted(done: str) -> Counter[str]:
    """
    @return: The numbers in the log, without delays, which nobody can count.
    """
    counts = _counts(done)
    del counts["delay"]
    return counts


def arrived(done: str) -> int:
    """
    @return: How many datagrams have come, by what the log says: everything that was
        not dropped was delayed, and what was duplicated twice.
    """
    counts = _counts(done)
    return counts["drop"] + counts["delay"] - counts["duplicate"]


def unlikely(seen: Counter[str], number: int) -> list[str]:
    """
    @return: The faults that came more or less often than their probability allows.
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
    summary, done = ping(number)
    seen = {name: summary[name] for name in NAMES}
    print(f"seen: {seen}\ndone: {done}")
    print(f"never came to the daemon, as a buffer was full: {number - arrived(done)}")
    agreed = agrees(summary, counted(done))
    likely = not unlikely(counted(done), number)
    print(f"both agree: {agreed}; as probable as it should be: {likely}")
    runs = [run(number // 10, SPECIFICATION.replace("seed=7", seed)) for seed in SEEDS]
    independent = all(one.seen == counted(one.done) for one in runs)
    print(f"an independent client agrees: {independent}")
    one, same, other = (one.wire for one in runs)
    repeated = one == same != other
    print(f"a seed repeats all of it, and no other does: {repeated}")
    return int(not (agreed and likely and independent and repeated))


def _counts(done: str) -> Counter[str]:
    pairs = (item.split(": ") for item in done.split(", "))
    return Counter({kind: int(count) for kind, count in pairs})


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
