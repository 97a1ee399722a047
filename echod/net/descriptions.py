"""
The numbers in Twisted's endpoint descriptions, such as C{tcp:8080:backlog=50}.

Twisted reads them with C{int}, which accepts C{1_0}, C{-1} and digits of other scripts as
well, and it accepts any number as a port.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from echod.net.addresses import MAX_PORT
from echod.net.format import quoted
from echod.net.quantities import MOST, wholeNumber

SERVER_ARGUMENTS = ("port",)
CLIENT_ARGUMENTS = ("host", "port", "timeout")
"""
The first arguments of an endpoint with a port, in their order.
"""

PORTED = ("tcp", "tcp6", "ssl", "tls")
"""
The endpoints that have a port.
"""

NUMBERS = {
    "port": MAX_PORT,
    "backlog": MOST,
    "timeout": MOST,
    "index": MOST,
    "lockfile": 1,
    # Octal.
    "mode": 7777,
}
"""
The arguments of all endpoints that are numbers, with their largest values.
"""

_SEPARATOR = re.compile(r"(?<!\\):")


def checkNumbers(description: str, arguments: Sequence[str] = SERVER_ARGUMENTS) -> None:
    """
    Check the numbers of an endpoint description.

    @param arguments: The names of the positional arguments.

    @raise ValueError: if one of them is not a plain number, or too large.
    """
    kind, *fields = _SEPARATOR.split(description)
    places = arguments if kind.lower() in PORTED else ()
    for place, field in enumerate(fields):
        name, equals, value = field.partition("=")
        if not equals:
            name, value = "".join(places[place : place + 1]), field
        if name in NUMBERS:
            try:
                wholeNumber(value, 0, NUMBERS[name])
            except ValueError as error:
                raise ValueError(f"{name} {quoted(value)}: {error}") from None
