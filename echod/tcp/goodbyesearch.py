"""
Find the first goodbye in a segment, and the beginning of one at its end.

The number of searches, and of the places that are looked at, is limited, whatever is in the
segment.
"""

from __future__ import annotations

import re

from echod.tcp.telnet import IAC, LINE_ENDS, LINE_SIZE, afterCommands, isUnfinished

try:
    from stringzilla import contains as contains
    from stringzilla import rfind
except ImportError:
    # The slowest content costs a search from the end half as much as a search from the
    # start.
    rfind = bytes.rfind

    def contains(text: bytes, part: bytes) -> bool:
        """
        @return: True if the part is in the text.
        """
        return text.rfind(part) >= 0


B = ord("b")

GOODBYES = (b"bye\n", b"bye\r\n", b"bye\r\0")
"""
The line that ends a session.
"""

SHORT = 512
"""
The most bytes of a segment in which every C{bye} is looked at.  With the slowest content,
this costs a few times as much as to receive the same bytes in messages of 64 bytes.
"""

CANDIDATES = 4
"""
How many places of C{bye} in a longer segment are looked at, from the end.  If a segment has
more, it is searched for all goodbyes that directly follow a line end, but not for more of
those that follow telnet commands.
"""

_GOODBYE = re.compile(rb"bye(?:\n|\r[\n\0])")

_LINE = re.compile(rb"(?:\n|\r\0)(%b)" % _GOODBYE.pattern)

_BEGINNINGS = tuple(end + b"bye\r"[:size] for end in LINE_ENDS for size in range(5))
"""
At the end of a text: a line that is empty or the beginning of a goodbye.
"""


def firstGoodbye(context: bytes, segment: bytes) -> int | None:
    """
    @return: The position in a segment at which the first line that is a goodbye starts;
        negative if it starts in the context.
    """
    start = context + segment[: len(b"\0bye\r\n")]
    if B in start and (match := _LINE.search(start)):
        return match.start(1) - len(context)
    # A byte is found in a fifth of the time that more bytes take.
    if B not in segment:
        return None
    if len(segment) <= SHORT:
        places = (match.start() for match in _GOODBYE.finditer(segment))
        return next((each for each in places if _isGoodbye(context, segment, each)), None)
    found: list[int] = []
    place = len(segment)
    for _ in range(CANDIDATES):
        place = rfind(segment, b"bye", 0, place)
        if place < 0:
            break
        if _isGoodbye(context, segment, place):
            found.append(place)
    else:
        found += _afterLineEnds(segment)
    return min(found) if found else None


def _afterLineEnds(segment: bytes) -> list[int]:
    """
    @return: The first place of each kind of goodbye that directly follows a line end.
    """

    def has(part: bytes, byte: int) -> bool:
        return byte in segment and contains(segment, part)

    # stringzilla finds three bytes in the same time, whatever the content is.  More bytes
    # take longer if the segment is full of bytes that are nearly the same.
    starts = [end for end in LINE_ENDS if has(end[-1:] + b"by", end[-1])]
    goodbyes = [goodbye for goodbye in GOODBYES if starts and has(goodbye[-3:], goodbye[3])]
    return [
        segment.find(end + goodbye) + len(end)
        for end in starts
        for goodbye in goodbyes
        if contains(segment, end + goodbye)
    ]


def _isGoodbye(context: bytes, segment: bytes, place: int) -> bool:
    if not segment.startswith(GOODBYES, place):
        return False
    if segment.endswith(LINE_ENDS, 0, place):
        return True
    # The last byte of a command is at most two bytes after its IAC.
    if place > 2 and IAC not in segment[place - 3 : place]:
        return False
    before = segment[max(0, place - LINE_SIZE) : place]
    return afterCommands(context + before if len(before) == place else before) == b""


def lastLine(context: bytes, segment: bytes) -> tuple[bytes, bytes]:
    """
    @return: The context that a segment leaves, and the beginning of a goodbye in it.
    """
    text = segment[-LINE_SIZE:]
    if len(text) == len(segment):
        text = context + segment
    context = word = b""
    if text.endswith(_BEGINNINGS):
        word = text[-5:].replace(b"\0", b"\n").rpartition(b"\n")[2]
        context = b"\n" + word
    elif text.endswith(b"\r"):
        context = b"\r"
    if _endsWithCommands(text) and (rest := afterCommands(text)) is not None:
        if not rest and text.endswith(b"\r"):
            # The last byte of a command is half of a line end.
            rest = text[-3:]
        if b"bye\r".startswith(rest):
            context, word = b"\n" + rest, rest
        elif isUnfinished(rest):
            context = b"\n" + rest
    return context, word


def _endsWithCommands(text: bytes) -> bool:
    """
    @return: False if a text cannot end with telnet commands and the beginning of another one
        or of a goodbye.
    """
    # A command of three bytes and four of a goodbye; or the most bytes of an unfinished
    # subnegotiation whose last seven are not IAC: IAC SB, 53 times IAC IAC, these seven.
    return IAC in text and (IAC in text[-7:] or contains(text[-115:], b"\xff\xfa"))
