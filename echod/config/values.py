"""
Read the values of options.  An error names the option and the value, and shows a
valid form.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from math import inf
from typing import Any

from twisted.python import usage

from echod.limits.networks import Network
from echod.net.format import quoted, shortened
from echod.net.quantities import wholeNumber
from echod.net.sockets import SPREADS

MOST_WORKERS = 1024
"""
The most workers: more than any machine has cores.
"""


@contextmanager
def naming(option: str, value: str | None = None) -> Iterator[None]:
    """
    Turn a C{ValueError} into a C{UsageError} that names an option and its value.
    """
    try:
        yield
    except ValueError as error:
        given = option if value is None else f"{option} {quoted(value)}"
        raise usage.UsageError(f"--{given}: {error}") from None


def parameter(
    name: str, default: Any, description: str, read: Callable[[str], Any]
) -> list[Any]:
    """
    @param read: Returns the value for its text; may raise C{ValueError}.

    @return: One item of C{optParameters}.
    """

    def parse(value: str) -> Any:
        with naming(name, value):
            return read(value)

    return [name, None, default, description, parse]


def network(value: str) -> Network:
    """
    Read a network, or a single address.

    @raise ValueError: if it is invalid, as in the next functions.
    """
    try:
        return ip_network(value)
    except ValueError as error:
        raise ValueError(
            f"{shortened(str(error))}; a network is an address (192.0.2.1), or its first with "
            "a length (192.0.2.0/24, 2001:db8::/32)"
        ) from None


def path(value: str) -> str:
    """
    Read the path of a file.

    @return: It does not depend on the current directory.
    """
    if not value:
        raise ValueError("the name of the file is empty")
    return os.path.abspath(value)


def sessionLines(value: str) -> float:
    """
    Read a rate of log lines; infinity for C{all}.
    """
    if value == "all":
        return inf
    try:
        return wholeNumber(value)
    except ValueError as error:
        raise ValueError(f"neither all nor a number of lines a second: {error}") from None


def workers(value: str, spreads: bool = SPREADS) -> int:
    """
    Read a number of worker processes; C{auto} means one for each core.

    @param spreads: True if the system spreads connections over several sockets.
    """
    if value == "auto":
        return len(os.sched_getaffinity(0)) if spreads else 1
    try:
        number = wholeNumber(value, 1, MOST_WORKERS)
    except ValueError:
        raise ValueError(
            f"neither a number of processes, from 1 to {MOST_WORKERS}, nor auto, which is one "
            "for each core"
        ) from None
    if number > 1 and not spreads:
        raise ValueError("only Linux spreads peers over several processes")
    return number
