"""
The C{--impair} options of one command line: which servers are impaired, and how.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from echod.impair.items import listed, read
from echod.impair.spec import (
    ConnectionImpairments,
    DatagramImpairments,
    Impairments,
    newSeed,
)
from echod.net.format import shortened

KINDS: dict[str, type[Impairments]] = {
    "greeting": ConnectionImpairments,
    "tcp": ConnectionImpairments,
    "udp": DatagramImpairments,
}
"""
The kind of impairments that each server takes.
"""

_SCOPED = re.compile(r"([a-z]+):(.*)", re.DOTALL)


class ImpairmentOptions:
    """
    All C{--impair} options of one command line.
    """

    def __init__(self) -> None:
        self._forAll: dict[str, Any] = {}
        self._forOne: dict[str, dict[str, Any]] = {server: {} for server in KINDS}

    def add(self, specification: str) -> None:
        """
        Add the value of one option.

        @param specification: Items for all servers that take them; or items for
            one server, after its name and a colon: C{udp:drop=1%}.

        @raise ValueError: if the specification is invalid.
        """
        match = _SCOPED.fullmatch(specification)
        if match is None:
            _merge(self._forAll, read(specification))
        elif match[1] in KINDS:
            values = read(match[2])
            KINDS[match[1]].of(values)
            _merge(self._forOne[match[1]], values)
        else:
            raise ValueError(f"{shortened(match[1])} is no server: {listed(KINDS)} are")

    @property
    def hasSeed(self) -> bool:
        """
        True if an option gives a seed.
        """
        return any("seed" in values for values in (self._forAll, *self._forOne.values()))

    def forServers(self, served: Collection[str]) -> dict[str, Impairments]:
        """
        @param served: The names of the servers that run.

        @return: The impairments of each server that is impaired, by its name.

        @raise ValueError: if an option has no effect.
        """
        self._checkEffect(served)
        forAll = {"seed": newSeed(), **self._forAll}
        impairments = {}
        for server in served:
            kind = KINDS[server]
            fitting = {item: forAll[item] for item in forAll if item in kind.items()}
            values = {**fitting, **self._forOne[server]}
            if values.keys() != {"seed"}:
                impairments[server] = kind.of(values)
        return impairments

    def _checkEffect(self, served: Collection[str]) -> None:
        for server, values in self._forOne.items():
            if values and server not in served:
                raise ValueError(f"{server}: no --{server} is served")
        for item in self._forAll:
            if not any(item in KINDS[server].items() for server in served):
                raise ValueError(f"{item} fits nothing that is served")
        if set(self._forAll).union(*self._forOne.values()) == {"seed"}:
            raise ValueError("a seed alone impairs nothing; add, say, delay=50ms")


def _merge(values: dict[str, Any], more: dict[str, Any]) -> None:
    for item in more:
        if item in values:
            raise ValueError(f"{item} is given twice")
    values.update(more)
