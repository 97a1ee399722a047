"""
Lines that start with telnet commands (RFC 854 and 855).
"""

from __future__ import annotations

import re

IAC = 255
"""
The first byte of a telnet command.  At the start of a line and in a subnegotiation, IAC IAC
is the byte 255 and not a command.
"""

LINE_ENDS = (b"\n", b"\r\0")
"""
A line starts after one of these.  C{\\r\\n} ends with the first one.
"""

COMMANDS_SIZE = 256
"""
The most bytes of telnet commands at the start of a line.  A client sends some 25 when it
connects, and then up to 200 to answer.
"""

LINE_SIZE = COMMANDS_SIZE + len(b"\r\0")
"""
The most bytes of such a line, and of the line end before it.
"""

_PARAMETERS = rb"(?:[^\xff]|\xff\xff){0,60}"
"""
Of a subnegotiation of up to 64 bytes.
"""

_COMMANDS = re.compile(
    rb"(?:\xff(?:[\xf0-\xf9]|[\xfb-\xfe].|\xfa%b\xff\xf0))*(.*)" % _PARAMETERS, re.DOTALL
)
"""
A command has two bytes; or three, to negotiate an option; or is a subnegotiation.
"""

_UNFINISHED = re.compile(rb"\xff(?:[\xfb-\xfe]\r?|\xfa%b\xff?)?" % _PARAMETERS, re.DOTALL)


def afterCommands(text: bytes) -> bytes | None:
    """
    @return: The text after the telnet commands of the last line that starts with one;
        L{None} if there is no such line near the end of the text.
    """
    # No earlier line matters.  If its commands go beyond this line end, then one of them
    # ends here or with the next command: IAC is nowhere else.
    text = text[-LINE_SIZE:]
    single = text.replace(b"\xff\xff", b"  ")
    newline, null = single.rfind(b"\n\xff"), single.rfind(b"\r\0\xff")
    if newline == null:
        return None
    match = _COMMANDS.match(text, newline + 1 if newline > null else null + 2)
    return match and match[1]


def isUnfinished(command: bytes) -> bool:
    """
    @return: True if this is the beginning of a telnet command, or a command whose last byte
        is half of a line end.
    """
    return _UNFINISHED.fullmatch(command) is not None
