"""
The grammar of a specification of impairments, as C{--impair} takes it.

A specification is a list of items with values: C{delay=50ms,drop=1%,seed=7}.
Durations, sizes, rates and shares are written as everywhere else in echod.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from echod.net.format import shortened
from echod.net.quantities import MOST, duration, rate, share, size, wholeNumber

DATAGRAM_KINDS = ("drop", "duplicate", "reorder", "corrupt", "truncate")
"""
The faults of datagrams.  Each has a probability; a datagram has one fault at most.
"""

END_KINDS = ("close-after", "reset-after", "stall-after")
"""
The ways in which a connection can end after a number of bytes.
"""


def pieces(text: str) -> tuple[int, int]:
    """
    @return: The smallest and the largest size of a piece, in bytes.
    """
    first, dash, last = text.partition("-")
    try:
        least = size(first)
        most = size(last) if dash else least
        if not 1 <= least <= most:
            raise ValueError
        return least, most
    except ValueError:
        raise ValueError(
            "pieces are written as 5, 1-7 or 1kB-2kB, the smaller first, not 0, and at most "
            f"{MOST}"
        ) from None


def seed(text: str) -> int:
    """
    @return: The seed as a number.
    """
    try:
        return wholeNumber(text)
    except ValueError:
        raise ValueError(f"a seed is a whole number, at most {MOST}") from None


ITEMS: dict[str, Callable[[str], Any]] = {
    "delay": duration,
    "jitter": duration,
    "rate": rate,
    "pieces": pieces,
    **dict.fromkeys(DATAGRAM_KINDS, share),
    **dict.fromkeys(END_KINDS, size),
    "refuse": share,
    "seed": seed,
}
"""
All items, each with the function that reads its value.
"""


def read(specification: str) -> dict[str, Any]:
    """
    @return: The items of a specification, with their values.

    @raise ValueError: if the specification is invalid.
    """
    values: dict[str, Any] = {}
    for text in specification.split(","):
        item, _, value = text.strip().partition("=")
        if item not in ITEMS:
            raise ValueError(
                f"{shortened(item) or 'nothing'} is no impairment: {listed(ITEMS)} are"
            )
        if item in values:
            raise ValueError(f"{item} is given twice")
        try:
            values[item] = ITEMS[item](value)
        except ValueError as error:
            raise ValueError(f"{shortened(text.strip())}: {error}") from None
    return values


def written(item: str, value: Any) -> str:
    """
    @return: A value of an item, as a text that L{read} accepts.
    """
    kind = ITEMS[item]
    if kind is duration:
        return f"{value * 1000:g}ms"
    if kind is share:
        return f"{value * 100:g}%"
    if kind is pieces:
        return "-".join(map(str, value))
    suffix = "/s" if kind is rate else ""
    return f"{value:.15g}B{suffix}" if kind in (size, rate) else str(value)


def listed(words: Iterable[str]) -> str:
    """
    @return: C{a, b and c}.
    """
    *others, last = words
    return f"{', '.join(others)} and {last}"
