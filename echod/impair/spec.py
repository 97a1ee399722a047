"""
How a server misbehaves on purpose, as a value: what C{--impair} says.

A specification is a list of items, C{delay=50ms,drop=1%,seed=7}, each written the
way people write durations, sizes and shares.  Some are for datagrams, some for
connections, and some for both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from random import SystemRandom
from typing import Any, TypeVar

from echod.net.format import shortened
from echod.net.quantities import MOST, duration, rate, share, size, wholeNumber

SEEDS = 1 << 32
"""
How many seeds there are to choose from where none is given: what can still be
typed from a log.
"""

ROUNDING = 1e-9
"""
By how much shares that add up to everything may be more than that.
"""

DATAGRAM_KINDS = ("drop", "duplicate", "reorder", "corrupt", "truncate")
"""
What may befall a datagram, each with a probability; not more than one of them.
"""

END_KINDS = ("close-after", "reset-after", "stall-after")
"""
How a connection may come to its end.
"""

_T = TypeVar("_T", bound="Impairments")


def pieces(text: str) -> tuple[int, int]:
    """
    @return: The smallest and the largest size of a piece, in bytes.
    """
    first, dash, last = text.partition("-")
    try:
        least = wholeNumber(first, 1)
        return least, wholeNumber(last, least) if dash else least
    except ValueError:
        raise ValueError(
            "pieces are written as 5 or 1-7, in bytes, the smaller first, not 0, and at most "
            f"{MOST}"
        ) from None


def seed(text: str) -> int:
    """
    @return: A number.
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
All that can be asked for, and what reads it.
"""


def newSeed() -> int:
    """
    @return: A seed that nobody asked for.
    """
    return SystemRandom().randrange(SEEDS)


@dataclass(frozen=True)
class Impairments:
    """
    What datagrams and connections have in common.

    @ivar delay: How long everything is kept before it goes back, in seconds.

    @ivar jitter: By how much that is longer or shorter, at most.

    @ivar seed: What chance is made of: the same again for the same input.
    """

    delay: float = 0.0
    jitter: float = 0.0
    seed: int = field(default_factory=newSeed)

    @classmethod
    def parse(cls: type[_T], specification: str) -> _T:
        """
        @param specification: C{delay=50ms,seed=7}.

        @raise ValueError: if it makes no sense; says which item, and what would.
        """
        return cls.of(read(specification))

    @classmethod
    def of(cls: type[_T], values: Mapping[str, Any]) -> _T:
        """
        @param values: What L{read} returns.

        @raise ValueError: if this takes no such items, or not together.
        """
        for item in values:
            if item not in cls.items():
                raise ValueError(
                    f"{item} is not for {cls.subject()}: {listed(cls.items())} are"
                )
        return cls(**{_fieldOf(item): value for item, value in values.items()})

    @classmethod
    def items(cls) -> list[str]:
        """
        @return: What can be asked for here.
        """
        names = {one.name for one in fields(cls)}
        return [item for item in ITEMS if _fieldOf(item) in names]

    @classmethod
    def subject(cls) -> str:
        """
        @return: What this is for, in a word.
        """
        return "both"

    def __str__(self) -> str:
        """
        @return: A specification of the same.
        """
        none = {one.name: one.default for one in fields(self)}
        values = {item: getattr(self, _fieldOf(item)) for item in self.items()}
        return ",".join(
            f"{item}={_written(item, value)}"
            for item, value in values.items()
            if value != none[_fieldOf(item)]
        )


@dataclass(frozen=True)
class DatagramImpairments(Impairments):
    """
    What befalls datagrams.  At most one of the five kinds befalls any of them, so
    that what a client has seen can be compared with what was done; each has
    the probability given here.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    truncate: float = 0.0

    @classmethod
    def subject(cls) -> str:
        """
        @return: What this is for, in a word.
        """
        return "datagrams"

    def __post_init__(self) -> None:
        if sum(getattr(self, kind) for kind in DATAGRAM_KINDS) > 1 + ROUNDING:
            raise ValueError(
                f"{listed(DATAGRAM_KINDS)} are together more than 100%; "
                "only one of them befalls a datagram"
            )


@dataclass(frozen=True)
class ConnectionImpairments(Impairments):
    """
    What befalls connections.

    @ivar rate: How many bytes a second go back on each; 0 for any number.

    @ivar pieces: How many bytes go back at once, at least and at most.

    @ivar closeAfter: After how many returned bytes a connection is closed.

    @ivar resetAfter: After how many it is reset.

    @ivar stallAfter: After how many nothing more goes back.

    @ivar refuse: The probability with which a connection is refused.
    """

    rate: float = 0.0
    pieces: tuple[int, int] | None = None
    closeAfter: int | None = None
    resetAfter: int | None = None
    stallAfter: int | None = None
    refuse: float = 0.0

    @classmethod
    def subject(cls) -> str:
        """
        @return: What this is for, in a word.
        """
        return "connections"

    @property
    def end(self) -> tuple[int, str] | None:
        """
        After how many bytes which of the L{END_KINDS} comes first.
        """
        ends = ((getattr(self, _fieldOf(kind)), kind) for kind in END_KINDS)
        return min((end for end in ends if end[0] is not None), default=None)


def read(specification: str) -> dict[str, Any]:
    """
    @return: The items of a specification, and their values.

    @raise ValueError: if it makes no sense.
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


def listed(words: Iterable[str]) -> str:
    """
    @return: C{a, b and c}.
    """
    *others, last = words
    return f"{', '.join(others)} and {last}"


def _fieldOf(item: str) -> str:
    """
    @return: C{closeAfter} for C{close-after}.
    """
    first, *others = item.split("-")
    return first + "".join(map(str.capitalize, others))


def _written(item: str, value: Any) -> str:
    kind = ITEMS[item]
    if kind is duration:
        return f"{value * 1000:g}ms"
    if kind is share:
        return f"{value * 100:g}%"
    if kind is pieces:
        return "-".join(map(str, value))
    suffix = "/s" if kind is rate else ""
    return f"{value:.15g}B{suffix}" if kind in (size, rate) else str(value)
