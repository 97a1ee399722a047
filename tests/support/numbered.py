"""
A client of datagrams, as small as can be, and independent of echod: it numbers
what it sends, and tells from what returns what has become of it.
"""

from __future__ import annotations

from collections import Counter
from struct import Struct
from zlib import crc32

HEADER = Struct("!II")
"""
A checksum of all the rest, and a number.
"""


class Numbered:
    """
    One run of numbered datagrams.

    @ivar sent: How many there were.

    @ivar newest: The largest number that has returned, undamaged.
    """

    def __init__(self, size: int) -> None:
        """
        @param size: How many bytes each has.
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
        Something has returned.
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
        @return: What has befallen how many.  Those of which nothing returned, not
            even something damaged, were dropped.
        """
        damaged = self._seen["truncate"] + self._seen["corrupt"]
        lost = self.sent - len(self._intact) - damaged
        return +(self._seen + Counter(drop=lost))
