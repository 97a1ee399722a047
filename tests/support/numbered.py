"""
A small UDP client that does not depend on echod: it numbers its datagrams, and finds
their faults in the answers.
"""

from __future__ import annotations

from collections import Counter
from struct import Struct
from zlib import crc32

HEADER = Struct("!II")
"""
The checksum of the rest, and a number.
"""


class Numbered:
    """
    One run of numbered datagrams.

    @ivar sent: How many datagrams were sent.

    @ivar newest: The largest number of the undamaged answers.
    """

    def __init__(self, size: int) -> None:
        """
        @param size: The size of each datagram, in bytes.
        """
        self.sent = 0
        self._size = size
        self._intact: set[int] = set()
        self.newest = -1
        self._seen: Counter[str] = Counter()

    def next(self) -> bytes:
        """
        @return: The next datagram to send.
        """
        body = self.sent.to_bytes(4, "big").ljust(self._size - 4, b".")
        self.sent += 1
        return crc32(body).to_bytes(4, "big") + body

    def received(self, datagram: bytes) -> None:
        """
        Count an answer.
        """
        if len(datagram) < self._size:
            self._seen["truncate"] += 1
            return
        checksum, number = HEADER.unpack_from(datagram)
        if checksum != crc32(datagram[4:]):
            self._seen["corrupt"] += 1
        elif number in self._intact:
            self._seen["duplicate"] += 1
        else:
            self._seen["reorder"] += number < self.newest
            self.newest = max(self.newest, number)
            self._intact.add(number)

    def seen(self) -> Counter[str]:
        """
        @return: How many datagrams had each fault.  A datagram without any answer, even a
            damaged one, was dropped.
        """
        damaged = self._seen["truncate"] + self._seen["corrupt"]
        lost = self.sent - len(self._intact) - damaged
        return +(self._seen + Counter(drop=lost))
