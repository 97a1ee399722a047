"""
A UDP relay that damages echoes by a seeded plan, and records what it does.

  python -m tests.extended.pingrelay SERVER_PORT MIXTURE SEED COUNT

It prints its port.  When standard input ends, it prints its record as JSON.  It knows one
thing about a probe: its first eight bytes are its number.
"""

from __future__ import annotations

import heapq
import json
import select
import socket
import struct
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import count
from random import Random
from typing import NamedTuple

SO_TIMESTAMPNS = 35

TIMEOUT = 0.2
"""
The C{-W} of the client, in seconds.
"""

LATE = (0.25, 0.35)
"""
The delays of late echoes, in seconds: far from L{TIMEOUT} on a busy machine, too.
"""

SHORTEST = 16
"""
The shortest truncated echo: a shorter one does not tell which probe it was.
"""

BUFFER = 1 << 22

MAX_DATAGRAM = 1 << 16

INTACT, TRUNCATED, CORRUPTED, FOREIGN = "intact", "truncated", "corrupted", "foreign"


class Mixture(NamedTuple):
    """
    The faults of the echoes; each number is a probability.

    @ivar delay: The longest delay, in seconds.

    @ivar burst: How many probes are lost in a row.

    @ivar sizes: The C{-s} of the client.
    """

    loss: float = 0
    delay: float = 0
    late: float = 0
    duplicate: float = 0
    truncate: float = 0
    corrupt: float = 0
    foreign: float = 0
    burst: int = 1
    sizes: str = "64"


MIXTURES = {
    "clean": Mixture(),
    "sizes": Mixture(sizes="16-1472:91"),
    "loss": Mixture(loss=0.05),
    "half": Mixture(loss=0.5),
    "bursts": Mixture(loss=0.02, burst=15),
    "delay": Mixture(delay=0.002),
    "reorder": Mixture(delay=0.04),
    "late": Mixture(late=0.05),
    "mostly late": Mixture(late=0.7),
    "duplicate": Mixture(duplicate=0.1),
    "often duplicate": Mixture(duplicate=0.6, delay=0.03),
    "truncate": Mixture(truncate=0.1, sizes="100-1400:130"),
    "corrupt": Mixture(corrupt=0.1, sizes="16-1400:173"),
    "foreign": Mixture(foreign=0.1, delay=0.01),
    "damage": Mixture(truncate=0.3, corrupt=0.3, duplicate=0.3, sizes="64-1400:167"),
    "late duplicates": Mixture(late=0.2, duplicate=0.3),
    "lossy and slow": Mixture(loss=0.2, delay=0.04, late=0.1),
    "a little of all": Mixture(0.01, 0.005, 0.01, 0.01, 0.01, 0.01, 0.01, sizes="64-512:64"),
    "much of all": Mixture(0.1, 0.04, 0.1, 0.2, 0.1, 0.1, 0.1, sizes="32-1472:160"),
    "too much of all": Mixture(0.3, 0.04, 0.3, 0.5, 0.3, 0.3, 0.3, 4, "32-1472:160"),
}


class Sent(NamedTuple):
    """
    A datagram that was sent to the client.

    @ivar before: The time of day right before it was sent, in nanoseconds.

    @ivar after: The same after it was sent.
    """

    sequence: int
    kind: str
    before: int
    after: int


@dataclass
class Record:
    """
    The record of a relay.

    @ivar arrived: When the kernel received each probe, in nanoseconds of the time of day.

    @ivar sent: The datagrams that were sent to the client, in their order.
    """

    arrived: dict[int, int] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)


class Plan:
    """
    Decides what happens to each echo.
    """

    def __init__(self, mixture: Mixture, seed: int, quiet: int) -> None:
        """
        @param quiet: From which probe on all echoes are intact and on time: the client does
            not wait for late ones for ever.
        """
        self._mixture = mixture
        self._random = Random(seed)
        self._quiet = quiet
        self._losing = 0

    def copies(self, sequence: int, echo: bytes) -> list[tuple[float, str, bytes]]:
        """
        @return: The answers to send: each with its delay in seconds and its kind.
        """
        mixture, chance = self._mixture, self._random.random
        if sequence >= self._quiet:
            return [(0, INTACT, echo)]
        if self._losing or chance() < mixture.loss:
            self._losing = (self._losing or mixture.burst) - 1
            return []
        copies = [self._copy(echo)]
        while chance() < mixture.duplicate:
            copies.append(self._copy(echo))
        if chance() < mixture.foreign:
            copies.append((0, FOREIGN, self._random.randbytes(self._random.randint(16, 99))))
        return copies

    def _copy(self, echo: bytes) -> tuple[float, str, bytes]:
        mixture, random = self._mixture, self._random
        delay = random.uniform(0, mixture.delay)
        if random.random() < mixture.late:
            delay = random.uniform(*LATE)
        if random.random() < mixture.truncate and len(echo) > SHORTEST:
            return delay, TRUNCATED, echo[: random.randint(SHORTEST, len(echo) - 1)]
        if random.random() < mixture.corrupt:
            damaged = bytearray(echo)
            damaged[random.randrange(len(echo))] ^= random.randint(1, 255)
            return delay, CORRUPTED, bytes(damaged)
        return delay, INTACT, echo


def number(datagram: bytes) -> int:
    """
    @return: The number of a probe.
    """
    return int.from_bytes(datagram[:8], "big")


class Relay:
    """
    The relay between one client and an echo server.
    """

    def __init__(self, server: int, plan: Plan) -> None:
        self.record = Record()
        self._plan = plan
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._front.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.connect(("127.0.0.1", server))
        for each in (self._front, self._back):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._due: list[tuple[float, int, int, str, bytes]] = []
        self._order = count()
        self._client: tuple[str, int]

    @property
    def port(self) -> int:
        """
        The port for the client.
        """
        port: int = self._front.getsockname()[1]
        return port

    def run(self) -> None:
        """
        Relay until standard input ends.
        """
        while True:
            left = self._due[0][0] - time.monotonic() if self._due else 1
            readable, _, _ = select.select(
                [self._front, self._back, sys.stdin], [], [], max(left, 0)
            )
            if self._front in readable:
                self._forward()
            if self._back in readable:
                self._decide()
            while self._due and self._due[0][0] <= time.monotonic():
                self._send(*heapq.heappop(self._due)[2:])
            if sys.stdin in readable:
                return

    def _forward(self) -> None:
        probe, ((_, _, stamp),), _, self._client = self._front.recvmsg(MAX_DATAGRAM, 64)
        seconds, nanoseconds = struct.unpack("@ll", stamp)
        self.record.arrived[number(probe)] = seconds * 1_000_000_000 + nanoseconds
        self._back.send(probe)

    def _decide(self) -> None:
        echo = self._back.recv(MAX_DATAGRAM)
        now = time.monotonic()
        for delay, kind, data in self._plan.copies(number(echo), echo):
            entry = (now + delay, next(self._order), number(echo), kind, data)
            heapq.heappush(self._due, entry)

    def _send(self, sequence: int, kind: str, data: bytes) -> None:
        before = time.time_ns()
        self._front.sendto(data, self._client)
        self.record.sent.append(Sent(sequence, kind, before, time.time_ns()))


def main() -> None:
    """
    Run a relay.
    """
    server, mixture, seed, quiet = sys.argv[1:]
    relay = Relay(int(server), Plan(MIXTURES[mixture], int(seed), int(quiet)))
    print(relay.port, flush=True)
    relay.run()
    print(json.dumps(asdict(relay.record)))


if __name__ == "__main__":
    main()
