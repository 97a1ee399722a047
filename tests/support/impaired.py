"""
A UDP echo with faults.
"""

from __future__ import annotations

from collections import Counter
from random import Random

from twisted.internet.protocol import DatagramProtocol

DROPPED, DUPLICATED, REORDERED, CORRUPTED, PLAIN = (
    "dropped",
    "duplicated",
    "reordered",
    "corrupted",
    "plain",
)

Address = tuple[str, int]


class ImpairedEcho(DatagramProtocol):
    """
    Returns datagrams, but drops some, returns some twice or after the next one, and changes
    a byte of some.

    @ivar did: How often it did what.
    """

    noisy = False
    shares = {DROPPED: 10, DUPLICATED: 5, REORDERED: 5, CORRUPTED: 1, PLAIN: 79}

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.did: Counter[str] = Counter()
        self._held: bytes | None = None

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """
        Apply one of the faults, or return the datagram.
        """
        (what,) = self.random.choices([*self.shares], [*self.shares.values()])
        if what == REORDERED:
            if self._held is None:
                self._held = datagram
                return
            what = PLAIN
        self.did[what] += 1
        if what == CORRUPTED:
            place = self.random.randrange(len(datagram))
            changed = datagram[place] ^ self.random.randrange(1, 256)
            self._write(datagram[:place] + bytes([changed]) + datagram[place + 1 :], addr)
        elif what != DROPPED:
            for _ in range(1 + (what == DUPLICATED)):
                self._write(datagram, addr)
            self._release(addr)

    def end(self) -> None:
        """
        Drop the datagram that is still held.
        """
        self.did[DROPPED] += self._held is not None

    def _release(self, addr: Address) -> None:
        if self._held is not None:
            self.did[REORDERED] += 1
            self._write(self._held, addr)
            self._held = None

    def _write(self, datagram: bytes, addr: Address) -> None:
        assert self.transport is not None
        self.transport.write(datagram, addr)
