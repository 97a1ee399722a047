"""
The numbers and paths in Twisted's endpoint descriptions, such as C{tcp:8080:backlog=50}.

Twisted accepts any number as a port.  It reads numbers with C{int}, which also accepts
C{1_0}, C{-1} and digits of other scripts.
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
The positional arguments of an endpoint with a port.
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
All arguments that are numbers, with their largest values.
"""

_SEPARATOR = re.compile(r"(?<!\\):")


def checkNumbers(description: str, arguments: Sequence[str] = SERVER_ARGUMENTS) -> None:
    """
    Check the numbers of an endpoint description.

    @param arguments: The names of the positional arguments.

    @raise ValueError: if one of them is not a plain number, or is too large.
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


def socketPath(description: str) -> str | None:
    """
    @return: The path in the description of a UNIX socket; L{None} for other descriptions.
    """
    kind, *fields = _SEPARATOR.split(description)
    if kind.lower() != "unix":
        return None
    paths = [
        value if equals else name
        for name, equals, value in (field.partition("=") for field in fields)
        if not equals or name == "path"
    ]
    return re.sub(r"\\(.)", r"\1", paths[0]) if paths else None
