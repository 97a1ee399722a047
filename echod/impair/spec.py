"""
The impairments of a server, as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from random import SystemRandom
from typing import Any, ClassVar, TypeVar

from echod.impair.items import DATAGRAM_KINDS, END_KINDS, ITEMS, listed, read, written

SEEDS = 1 << 32
"""
The number of seeds that echod chooses from: few enough that a user can type a seed
from the log.
"""

ROUNDING = 1e-9
"""
How far the sum of shares may be over 100% because of rounding: the sum of 0.33, 0.56
and 0.11 is a little more than 1.
"""

_T = TypeVar("_T", bound="Impairments")


def newSeed() -> int:
    """
    @return: A random seed.
    """
    return SystemRandom().randrange(SEEDS)


@dataclass(frozen=True)
class Impairments:
    """
    The impairments that datagrams and connections have in common.

    @cvar subject: The impaired traffic, in a word.

    @ivar delay: How long echod keeps all data before it goes on, in seconds.

    @ivar jitter: By how much the delay is longer or shorter, at most.

    @ivar seed: The seed of all random decisions: the same seed and the same input
        give the same decisions.
    """

    subject: ClassVar[str] = "both"

    delay: float = 0.0
    jitter: float = 0.0
    seed: int = field(default_factory=newSeed)

    @classmethod
    def parse(cls: type[_T], specification: str) -> _T:
        """
        @param specification: C{delay=50ms,seed=7}.

        @raise ValueError: if the specification is invalid.  The message names the item and
            shows a right one.
        """
        return cls.of(read(specification))

    @classmethod
    def of(cls: type[_T], values: Mapping[str, Any]) -> _T:
        """
        @param values: The items that L{read} returns.

        @raise ValueError: if these impairments do not have such an item, or if the
            items do not go together.
        """
        for item in values:
            if item not in cls.items():
                raise ValueError(f"{item} is not for {cls.subject}: {listed(cls.items())} are")
        return cls(**{_fieldOf(item): value for item, value in values.items()})

    @classmethod
    def items(cls) -> list[str]:
        """
        @return: The names of the items of these impairments.
        """
        names = {one.name for one in fields(cls)}
        return [item for item in ITEMS if _fieldOf(item) in names]

    def __str__(self) -> str:
        """
        @return: The specification of these impairments.
        """
        none = {one.name: one.default for one in fields(self)}
        values = {item: getattr(self, _fieldOf(item)) for item in self.items()}
        return ",".join(
            f"{item}={written(item, value)}"
            for item, value in values.items()
            if value != none[_fieldOf(item)]
        )


@dataclass(frozen=True)
class DatagramImpairments(Impairments):
    """
    The impairments of datagrams: the probability of each kind of fault.

    A datagram has one fault at most.  So a client can compare its counts with those of the
    server.
    """

    subject = "datagrams"

    drop: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    truncate: float = 0.0

    def __post_init__(self) -> None:
        if sum(getattr(self, kind) for kind in DATAGRAM_KINDS) > 1 + ROUNDING:
            raise ValueError(
                f"{listed(DATAGRAM_KINDS)} are together more than 100%; "
                "only one of them befalls a datagram"
            )


@dataclass(frozen=True)
class ConnectionImpairments(Impairments):
    """
    The impairments of connections.

    @ivar rate: How many bytes a second the server sends on each connection; 0 if
        there is no limit.

    @ivar pieces: How many bytes the server sends at once, at least and at most.

    @ivar closeAfter: After how many sent bytes the server closes the connection.

    @ivar resetAfter: After how many sent bytes the server resets the connection.

    @ivar stallAfter: After how many sent bytes the server sends nothing more.

    @ivar refuse: The probability that the server refuses a connection.
    """

    subject = "connections"

    rate: float = 0.0
    pieces: tuple[int, int] | None = None
    closeAfter: int | None = None
    resetAfter: int | None = None
    stallAfter: int | None = None
    refuse: float = 0.0

    @property
    def end(self) -> tuple[int, str] | None:
        """
        The earliest end: a number of bytes, and which of the L{END_KINDS} follows
        them.
        """
        ends = ((getattr(self, _fieldOf(kind)), kind) for kind in END_KINDS)
        return min((end for end in ends if end[0] is not None), default=None)


def _fieldOf(item: str) -> str:
    """
    @return: C{closeAfter} for C{close-after}.
    """
    first, *others = item.split("-")
    return first + "".join(map(str.capitalize, others))
