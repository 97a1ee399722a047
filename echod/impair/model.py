"""
The random decisions of an impaired server, as pure objects without transport and
clock.

A decision depends on the seed and on a number only: of the datagram, of the connection,
or of the byte on the connection.  It does not depend on the time of arrival, nor on
the segments in which the data arrive; only jitter is drawn for each segment.

Only C{random()} of a generator is used, because Python promises not to change it.
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from echod.impair.items import DATAGRAM_KINDS
from echod.impair.spec import DatagramImpairments, Impairments

_T = TypeVar("_T")


def generator(impairments: Impairments, *purpose: object) -> Random:
    """
    @param purpose: The use of the numbers.  Each purpose and each seed has its own
        independent numbers.

    @return: A generator of random numbers.
    """
    return Random("/".join(map(str, (impairments.seed, *purpose))))


class DelayLine(Generic[_T]):
    """
    A queue in which each item waits for its delay; the order is kept.

    @ivar delays: True if there is a delay or a jitter.

    @ivar size: The memory that the waiting items need, in bytes.
    """

    def __init__(self, impairments: Impairments, random: Random) -> None:
        self.delays = impairments.delay > 0 or impairments.jitter > 0
        self.size = 0
        self._delay = impairments.delay
        self._jitter = impairments.jitter
        self._random = random
        self._last = 0.0
        self._waiting: deque[tuple[float, _T, int]] = deque()

    def __bool__(self) -> bool:
        """
        @return: True if an item waits.
        """
        return bool(self._waiting)

    @property
    def due(self) -> float:
        """
        The time at which the delay of the first item is over.
        """
        return self._waiting[0][0]

    def add(self, item: _T, size: int, now: float) -> None:
        """
        Add an item.

        @param size: The memory that the item needs while it waits, in bytes.
        """
        swing = self._jitter * (2 * self._random.random() - 1)
        # An item never overtakes the item before it.
        self._last = max(self._last, now + max(0.0, self._delay + swing))
        self._waiting.append((self._last, item, size))
        self.size += size

    def take(self) -> _T:
        """
        Remove the first item.

        @return: The item.
        """
        _, item, size = self._waiting.popleft()
        self.size -= size
        return item

    def clear(self) -> None:
        """
        Drop all items.
        """
        self._waiting.clear()
        self.size = 0


class DatagramFaults:
    """
    The faults of one datagram after another.
    """

    def __init__(self, impairments: DatagramImpairments) -> None:
        self._random = generator(impairments, "datagrams")
        shares = accumulate(getattr(impairments, kind) for kind in DATAGRAM_KINDS)
        self._bounds = list(zip(DATAGRAM_KINDS, shares, strict=True))

    def next(self) -> tuple[str | None, float]:
        """
        @return: The fault of the next datagram, one of the L{DATAGRAM_KINDS} or
            L{None}; and its place in the datagram, as a fraction of the length.
        """
        lot, place = self._random.random(), self._random.random()
        for kind, bound in self._bounds:
            if lot < bound:
                return kind, place
        return None, place


def damage(datagram: bytes, kind: str | None, place: float) -> bytes:
    """
    @return: The datagram with one bit changed (C{corrupt}) or without its end
        (C{truncate}).  With another kind of fault, or if it is empty, it is unchanged.
    """
    if kind == "truncate":
        return datagram[: int(place * len(datagram))]
    if kind == "corrupt" and datagram:
        byte, bit = divmod(int(place * len(datagram) * 8), 8)
        return datagram[:byte] + bytes([datagram[byte] ^ 1 << bit]) + datagram[byte + 1 :]
    return datagram


class Pieces:
    """
    Cuts the bytes of a connection into pieces, always at the same places.  The end of
    a segment only adds another place.
    """

    def __init__(self, least: int, most: int, random: Random) -> None:
        self._least = least
        self._choices = most - least + 1
        self._random = random
        self._left = 0

    def cut(self, available: int) -> int:
        """
        @return: How many of the available bytes the next piece has.
        """
        if not self._left:
            self._left = self._least + int(self._random.random() * self._choices)
        taken = min(available, self._left)
        self._left -= taken
        return taken
