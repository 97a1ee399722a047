"""
What chance decides, for a server that misbehaves: pure objects, numbers in and
decisions out.  They know neither transport nor clock.

Everything is made of the seed and of the place that something has among its
like: the n-th datagram, the n-th connection, the n-th byte that goes back on a
connection.  What comes when, and in how many segments, changes no decision; only
jitter is drawn for each segment, as it comes.

Of a generator only C{random()} is used, which Python promises not to change.
"""

from __future__ import annotations

from collections import deque
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from echod.impair.items import DATAGRAM_KINDS
from echod.impair.spec import DatagramImpairments, Impairments

OVERHEAD = 256
"""
What it costs to keep something, besides its own bytes: the objects around it.
"""

_T = TypeVar("_T")


def generator(impairments: Impairments, *purpose: object) -> Random:
    """
    @param purpose: What for.  Purposes do not influence each other, nor does one
        seed resemble the next.

    @return: Something to draw from.
    """
    return Random("/".join(map(str, (impairments.seed, *purpose))))


class DelayLine(Generic[_T]):
    """
    What is on its way: all in order, each until its time.

    @ivar delays: Whether there is any delay at all.

    @ivar size: How much is on its way, in bytes.
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
        @return: Whether anything is on its way.
        """
        return bool(self._waiting)

    @property
    def due(self) -> float:
        """
        When the first is to arrive.
        """
        return self._waiting[0][0]

    def add(self, item: _T, size: int, now: float) -> None:
        """
        @param size: How many bytes it has.
        """
        swing = self._jitter * (2 * self._random.random() - 1)
        # Never before what went before.
        self._last = max(self._last, now + max(0.0, self._delay + swing))
        self._waiting.append((self._last, item, size + OVERHEAD))
        self.size += size + OVERHEAD

    def take(self) -> _T:
        """
        @return: The first.
        """
        _, item, size = self._waiting.popleft()
        self.size -= size
        return item

    def clear(self) -> None:
        """
        Lose all of it.
        """
        self._waiting.clear()
        self.size = 0


class DatagramFaults:
    """
    What befalls one datagram after another.
    """

    def __init__(self, impairments: DatagramImpairments) -> None:
        self._random = generator(impairments, "datagrams")
        shares = accumulate(getattr(impairments, kind) for kind in DATAGRAM_KINDS)
        self._bounds = list(zip(DATAGRAM_KINDS, shares, strict=True))

    def next(self) -> tuple[str | None, float]:
        """
        @return: Which of the L{DATAGRAM_KINDS} befalls the next one, if any, and
            where in it, as a part of its length.
        """
        lot, place = self._random.random(), self._random.random()
        for kind, bound in self._bounds:
            if lot < bound:
                return kind, place
        return None, place


def damage(datagram: bytes, kind: str | None, place: float) -> bytes:
    """
    @return: The datagram with one bit changed, or without its end, or, if it is
        nothing of the kind or there is nothing to damage, as it was.
    """
    if kind == "truncate":
        return datagram[: int(place * len(datagram))]
    if kind == "corrupt" and datagram:
        byte, bit = divmod(int(place * len(datagram) * 8), 8)
        return datagram[:byte] + bytes([datagram[byte] ^ 1 << bit]) + datagram[byte + 1 :]
    return datagram


class Pieces:
    """
    Cuts what goes back on a connection, always at the same places: how it came
    can only add more of them.
    """

    def __init__(self, least: int, most: int, random: Random) -> None:
        self._least = least
        self._choices = most - least + 1
        self._random = random
        self._left = 0

    def cut(self, available: int) -> int:
        """
        @return: How many of the bytes there are make the next piece.
        """
        if not self._left:
            self._left = self._least + int(self._random.random() * self._choices)
        taken = min(available, self._left)
        self._left -= taken
        return taken
