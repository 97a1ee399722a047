"""
The text of addresses and messages for people.
"""

import shlex

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from echod.net.addresses import parsed

SHOWN_BYTES = 1024
"""
The most bytes of one message that are shown: about one screen.  A peer cannot fill the
log with one segment.
"""

SHOWN_CHARACTERS = 100
"""
The most characters of a bad value that an error message repeats: enough to find it
on the command line.
"""


def addressName(address: IAddress | None) -> str:
    """
    @return: The address as people write it: C{127.0.0.1:8080}, C{[::1]:8080},
        C{unix:/run/echod.sock}.
    """
    if isinstance(address, (IPv4Address, IPv6Address)):
        return hostPort(address.host, address.port)
    if isinstance(address, UNIXAddress):
        # The client's end of a UNIX socket has usually no name.
        return f"unix:{escaped(address.name) if address.name else '?'}"
    return str(address)


def hostPort(host: str, port: int) -> str:
    """
    @return: A literal host and a port as people write them.  An IPv4-mapped address is
        written as the IPv4 address.
    """
    if ":" in host and "." in host:
        host = str(parsed(host))
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def escaped(message: bytes) -> str:
    """
    Make a peer's message fit for one line of a log.

    Text stays text.  Characters that could start a new line or move the cursor become
    Python escapes.  Backslashes are doubled, so that no peer can write an escape itself.
    """
    text = message[:SHOWN_BYTES].replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    line = printable(text)
    more = len(message) - SHOWN_BYTES
    return f"{line}... ({more} bytes more)" if more > 0 else line


def printable(text: str) -> str:
    """
    Replace the characters that could start a new line or move the cursor by escapes.
    """
    return "".join(
        character if character.isprintable() else _escaped(character) for character in text
    )


def shortened(text: str) -> str:
    """
    @return: The text; of a long text, its beginning and its length.
    """
    return text[:SHOWN_CHARACTERS] + _length(text)


def quoted(text: str) -> str:
    """
    @return: A value of the command line for one line of an error message: quoted as for
        a shell, and shortened.
    """
    return printable(shlex.quote(text[:SHOWN_CHARACTERS])) + _length(text)


def _length(text: str) -> str:
    return f"... ({len(text)} characters)" if len(text) > SHOWN_CHARACTERS else ""


def _escaped(character: str) -> str:
    # Not the codec unicode_escape: Python loads it at its first use, which fails after
    # chroot, or as a user who cannot read Python's files.
    return repr(character)[1:-1]
