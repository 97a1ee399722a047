"""
How addresses and messages are shown to people.
"""

import shlex

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

SHOWN_BYTES = 1024
"""
How much of one message is shown.  What a screen holds, and an end to what a
peer can write into a log with one segment.
"""


SHOWN_CHARACTERS = 100
"""
The most characters of a bad value that an error message repeats: enough to find it
on the command line.
"""


def addressName(address: IAddress | None) -> str:
    """
    @return: The address as people write it: C{127.0.0.1:8080},
        C{[::1]:8080}, C{unix:/run/echod.sock}.
    """
    if isinstance(address, (IPv4Address, IPv6Address)):
        return hostPort(address.host, address.port)
    if isinstance(address, UNIXAddress):
        # A client's end of a UNIX socket mostly has no name.
        return f"unix:{escaped(address.name) if address.name else '?'}"
    return str(address)


def hostPort(host: str, port: int) -> str:
    """
    @return: A literal host and a port as people write them.
    """
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def escaped(message: bytes) -> str:
    """
    A peer's message, made fit for one line of a log: text as text, everything
    that could start a new line or move the cursor as a Python escape, and the
    backslash doubled so that no peer can write an escape itself.
    """
    text = message[:SHOWN_BYTES].replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    line = printable(text)
    more = len(message) - SHOWN_BYTES
    return f"{line}... ({more} bytes more)" if more > 0 else line


def printable(text: str) -> str:
    """
    Text, with what could start a new line or move the cursor as escapes.
    """
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def shortened(text: str) -> str:
    """
    @return: The beginning of a long text, and how long it is.
    """
    return text[:SHOWN_CHARACTERS] + _length(text)


def quoted(text: str) -> str:
    """
    @return: A value of the command line, for one line of an error message: quoted
        as for a shell, and shortened.
    """
    return printable(shlex.quote(text[:SHOWN_CHARACTERS])) + _length(text)


def _length(text: str) -> str:
    return f"... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else ""


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
