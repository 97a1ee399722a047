"""
The wire format of a probe.

A probe of at least L{HEADER_SIZE} bytes is::

    sequence number   8 bytes, big-endian
    checksum          4 bytes, the CRC-32 of all the rest (the number last)
    run               4 bytes, the same throughout one run
    filler            the same throughout one run, random

A smaller one is the low bytes of its sequence number: there is no room to check
anything but that.  No byte of the run or the filler is a newline, so that no
probe can be taken for the goodbye of an echo server that knows one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random
from zlib import crc32

RUN_SIZE = 4

HEADER_SIZE = 8 + 4 + RUN_SIZE

MAX_SIZE = 65507
"""
The largest probe, in bytes: what a UDP datagram carries over IPv4.
"""

CLOSE = 8
"""
In how many of its 128 bits a damaged header may differ from the one it is taken
for: one byte.  Those of two probes differ in eight at least, as their checksums
do (Koopman, "32-bit cyclic redundancy codes for Internet applications").
"""

SIZES_KEPT = 64
"""
For how many sizes the part that is always the same is kept.
"""


class Probes:
    """
    The probes of one run.
    """

    def __init__(self, random: Random) -> None:
        self._run = _noNewlines(random.randbytes(RUN_SIZE))
        self._filler = _noNewlines(random.randbytes(MAX_SIZE - HEADER_SIZE))
        self._tail: Callable[[int], tuple[bytes, int]] = lru_cache(SIZES_KEPT)(self._tailOf)

    def encode(self, sequence: int, size: int) -> bytes:
        """
        @return: The probe with this number, of this size.
        """
        if size < HEADER_SIZE:
            return (sequence % (1 << 8 * size)).to_bytes(size, "big")
        tail, checksum = self._tail(size)
        number = sequence.to_bytes(8, "big")
        return number + crc32(number, checksum).to_bytes(4, "big") + tail

    def sequence(self, data: bytes) -> int | None:
        """
        @return: The number of a probe that is exactly as it was sent; L{None} for
            what is not, and for what is too small to say.
        """
        if len(data) < HEADER_SIZE:
            return None
        number, checksum, tail = data[:8], data[8:12], data[12:]
        if tail.startswith(self._run) and (
            crc32(number, crc32(tail)).to_bytes(4, "big") == checksum
        ):
            return int.from_bytes(number, "big")
        return None

    def claimed(self, data: bytes) -> int:
        """
        @return: The number that something of at least L{HEADER_SIZE} bytes bears,
            right or wrong.
        """
        return int.from_bytes(data[:8], "big")

    def unlike(self, data: bytes, sequence: int, size: int) -> int:
        """
        @return: In how many bits the header of some data differs from that of a
            probe.
        """
        header = self.encode(sequence, size)[:HEADER_SIZE]
        mine, other = (int.from_bytes(one[:HEADER_SIZE], "big") for one in (header, data))
        return (mine ^ other).bit_count()

    def _tailOf(self, size: int) -> tuple[bytes, int]:
        tail = self._run + self._filler[: size - HEADER_SIZE]
        return tail, crc32(tail)


def _noNewlines(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r")
