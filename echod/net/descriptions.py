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
_ESCAPE = re.compile(r"\\(.)")


def checkNumbers(description: str, arguments: Sequence[str] = SERVER_ARGUMENTS) -> None:
    """
    Check the numbers of an endpoint description.

    @param arguments: The names of the positional arguments.

    @raise ValueError: if one of them is not a plain number, or is too large.
    """
    kind = description.partition(":")[0]
    places = arguments if kind.lower() in PORTED else ()
    for name, value in fields(description, places)[1].items():
        if name in NUMBERS:
            try:
                wholeNumber(value, 0, NUMBERS[name])
            except ValueError as error:
                raise ValueError(f"{name} {quoted(value)}: {error}") from None


def socketPath(description: str) -> str | None:
    """
    @return: The path in the description of a UNIX socket; L{None} for other descriptions.
    """
    kind, given = fields(description, ("path",))
    return given.get("path") if kind == "unix" else None


def fields(description: str, places: Sequence[str]) -> tuple[str, dict[str, str]]:
    """
    Split an endpoint description into its kind and its arguments.

    @param places: The names of the positional arguments.

    @return: The kind in lower case, and the arguments by their names.
    """
    kind, *texts = _SEPARATOR.split(description)
    given = {}
    for place, text in enumerate(texts):
        name, equals, value = text.partition("=")
        if not equals:
            name, value = "".join(places[place : place + 1]), text
        given[name] = _ESCAPE.sub(r"\1", value)
    return kind.lower(), given
