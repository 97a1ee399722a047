"""
Which of the servers of one command line is impaired, and how.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from echod.impair.spec import (
    ConnectionImpairments,
    DatagramImpairments,
    Impairments,
    listed,
    newSeed,
    read,
)
from echod.net.format import shortened

KINDS: dict[str, type[Impairments]] = {
    "greeting": ConnectionImpairments,
    "tcp": ConnectionImpairments,
    "udp": DatagramImpairments,
}
"""
What fits which server.
"""

_SCOPED = re.compile(r"([a-z]+):(.*)", re.DOTALL)


class Wishes:
    """
    All that one command line asks for.
    """

    def __init__(self) -> None:
        self._general: dict[str, Any] = {}
        self._special: dict[str, dict[str, Any]] = {server: {} for server in KINDS}

    def add(self, specification: str) -> None:
        """
        @param specification: For all servers that it fits, or, after a name and a
            colon, C{udp:drop=1%}, for those.

        @raise ValueError: if it makes no sense.
        """
        match = _SCOPED.fullmatch(specification)
        if match is None:
            self._wish(self._general, read(specification))
        elif match[1] in KINDS:
            values = read(match[2])
            KINDS[match[1]].of(values)
            self._wish(self._special[match[1]], values)
        else:
            raise ValueError(f"{shortened(match[1])} is no server: {listed(KINDS)} are")

    @property
    def seeded(self) -> bool:
        """
        Whether the same is wanted again.
        """
        return any("seed" in wishes for wishes in (self._general, *self._special.values()))

    def granted(self, served: Collection[str]) -> dict[str, Impairments]:
        """
        @param served: The names of the servers there are.

        @return: What becomes of each of them that is impaired.

        @raise ValueError: if something is asked for in vain.
        """
        self._checkSense(served)
        general = {"seed": newSeed(), **self._general}
        granted = {}
        for server in served:
            kind = KINDS[server]
            fitting = {item: general[item] for item in general if item in kind.items()}
            values = {**fitting, **self._special[server]}
            if values.keys() != {"seed"}:
                granted[server] = kind.of(values)
        return granted

    def _wish(self, wishes: dict[str, Any], values: dict[str, Any]) -> None:
        for item in values:
            if item in wishes:
                raise ValueError(f"{item} is given twice")
        wishes.update(values)

    def _checkSense(self, served: Collection[str]) -> None:
        for server, wishes in self._special.items():
            if wishes and server not in served:
                raise ValueError(f"{server}: no --{server} is served")
        for item in self._general:
            if not any(item in KINDS[server].items() for server in served):
                raise ValueError(f"{item} fits nothing that is served")
        if set(self._general).union(*self._special.values()) == {"seed"}:
            raise ValueError("a seed alone impairs nothing; add, say, delay=50ms")
