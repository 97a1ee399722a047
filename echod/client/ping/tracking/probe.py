"""
The wire format of a probe.

A probe of at least L{HEADER_SIZE} bytes is::

    sequence number   8 bytes, big-endian
    checksum          4 bytes, the CRC-32 of the rest (the number last)
    run               4 bytes, the same throughout one run
    filler            random, the same throughout one run

A smaller probe is the low bytes of its sequence number: it has no room for a checksum.
No byte of the run or the filler is a newline.  So no probe ends a session of an echo
server that has a goodbye.
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
The largest probe, in bytes: the payload of a UDP datagram over IPv4.
"""

SIZES_KEPT = 64
"""
For how many sizes the constant part of the probe is cached.
"""


class Probes:
    """
    Encodes and decodes the probes of one run.
    """

    def __init__(self, random: Random) -> None:
        self._run = _noNewlines(random.randbytes(RUN_SIZE))
        self._filler = _noNewlines(random.randbytes(MAX_SIZE - HEADER_SIZE))
        self._tail: Callable[[int], tuple[bytes, int]] = lru_cache(SIZES_KEPT)(self._makeTail)

    def encode(self, sequence: int, size: int) -> bytes:
        """
        @return: The probe with this number and size.
        """
        if size < HEADER_SIZE:
            return (sequence % (1 << 8 * size)).to_bytes(size, "big")
        tail, checksum = self._tail(size)
        number = sequence.to_bytes(8, "big")
        return number + crc32(number, checksum).to_bytes(4, "big") + tail

    def decode(self, data: bytes) -> int | None:
        """
        @return: The number of an intact probe; L{None} for everything else, and for a
            probe without a checksum.
        """
        if len(data) < HEADER_SIZE:
            return None
        number, checksum, tail = data[:8], data[8:12], data[12:]
        if tail.startswith(self._run) and (
            crc32(number, crc32(tail)).to_bytes(4, "big") == checksum
        ):
            return int.from_bytes(number, "big")
        return None

    def _makeTail(self, size: int) -> tuple[bytes, int]:
        tail = self._run + self._filler[: size - HEADER_SIZE]
        return tail, crc32(tail)


def _noNewlines(data: bytes) -> bytes:
    return data.replace(b"\n", b"\r")
