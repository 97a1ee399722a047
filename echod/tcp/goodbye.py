"""
The goodbye rule: which bytes of a TCP echo session are returned, and when the
session is over.

This is a pure object: bytes in, bytes to return out.  It knows no transport and
no clock.  C{docs/explanation/goodbye.rst} states the rule and its corner cases.

Invariants, which C{tests/tcp/test_goodbye.py} checks against a slow and obvious
version of the same rule:

  - what was returned, with what is withheld appended, is what was received;
  - what is withheld could still become a goodbye, and is at most four bytes.

The cost of a segment is limited, whatever is in it: it is searched a limited number
of times, and each search compares a few bytes at each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

try:
    from stringzilla import contains, find
except ImportError:
    find = bytes.find

    def contains(text: bytes, part: bytes) -> bool:
        """
        @return: True if the part is in the text.
        """
        # The slowest content costs a search from the end half as much as a search
        # from the start.
        return text.rfind(part) >= 0


B = ord("b")
NEWLINE = ord("\n")
CARRIAGE_RETURN = ord("\r")
IAC = 255
"""
The first byte of a telnet command (RFC 854).
"""

LINE_ENDS = (b"\n", b"\r\0")
"""
A line starts after one of these.  C{\\r\\n} ends with the first one.
"""

GOODBYES = (b"bye\n", b"bye\r\n", b"bye\r\0")
"""
The line that ends a session.
"""

FULL_READ = 1 << 14
"""
A segment of a multiple of this size has filled a read: a TLS record has this size,
and Twisted reads four times as much at once.  The next segment is the rest of the
same message.
"""

COMMANDS_SIZE = 256
"""
How many bytes of telnet commands are looked at in one segment, after each kind of line
end.  A client sends some 25 when it connects, and then up to 200 to answer.
"""

LINES = 8
"""
How many lines that start with a telnet command are looked at in one segment, after each
kind of line end.  A telnet client sends one or two.  Without the two limits, a segment full
of commands would cost two hundred times as much as any other.
"""

_COMMAND = rb"\xff(?:[\xf0-\xf9]|[\xfb-\xfe].|\xfa(?:[^\xff]|\xff\xff){0,60}\xff\xf0)"
"""
Two bytes; or three, to negotiate an option (RFC 854); or a subnegotiation of up to
64 bytes (RFC 855).  There IAC IAC stands for one byte 255; at the start of a line,
too, IAC IAC is such a byte and not a command.
"""

_COMMANDS = re.compile(rb"(?:%b)+" % _COMMAND, re.DOTALL)

_BEGINNINGS = tuple(end + b"bye\r"[:size] for end in LINE_ENDS for size in range(5))
"""
At the end of a text: a line that is empty or the beginning of a goodbye.
"""

_LAST_LINE_WITH_COMMANDS = re.compile(
    rb"(?:\n|\r\0)(?:%b)*"
    rb"(b(?:y(?:e\r?)?)?|\xff(?:[\xfb-\xfe]|\xfa(?:[^\xff]|\xff\xff){0,60}\xff?)?|)\Z"
    % _COMMAND,
    re.DOTALL,
)
"""
At the end of a text: a line of telnet commands, and the beginning of another one or
of a goodbye.
"""

_UNFINISHED_SIZE = 64
"""
An unfinished command has an IAC among this many bytes at the end of the text.
"""

_JOIN_SIZE = COMMANDS_SIZE + len(b"bye\r\n")
"""
How many bytes of a segment may continue a line that began before it: only these are copied,
to be searched together with the context.
"""


class Goodbye:
    """
    The goodbye rule for one session.

    @ivar over: True after a goodbye or L{stop}.  From then on nothing is returned.

    @ivar withheld: The bytes which were received, and are not returned yet
        because they may turn out to be a goodbye: at most four.
    """

    __slots__ = (
        "_afterFullRead",
        "_alone",
        "_context",
        "_ordinary",
        "_silent",
        "_word",
        "over",
        "withheld",
    )

    def __init__(self) -> None:
        self.over = False
        self.withheld = b""
        # The last bytes, from the first line end after which a line is unfinished
        # that may become a goodbye; every line end before it is written as "\n".
        self._context = b"\n"
        # The beginning of a goodbye at the end of the context.
        self._word = b""
        # True if the last segment was "bye" as a whole.
        self._alone = False
        self._afterFullRead = False
        # True if silence followed the last byte, and that was "\r".
        self._silent = False
        # True if the last bytes do not matter, except that they may end a line.
        self._ordinary = True

    @property
    def undecided(self) -> bool:
        """
        True if silence after the last byte makes a difference.
        """
        return bool(self.withheld) or (self._context.endswith(b"\r") and not self._silent)

    def passes(self, segment: bytes) -> bool:
        """
        Take an ordinary segment: this is the quick way, for nearly all messages.

        @param segment: At least one byte.

        @return: True if the whole segment is to be returned now, and neither it nor
            the bytes before it may become a goodbye.  If False, nothing was taken:
            call L{receive}.
        """
        last = segment[-1]
        if (
            self._ordinary
            and (last > CARRIAGE_RETURN or last not in b"\r\0")
            and len(segment) < FULL_READ
            # A number is looked for in a tenth of the time that a string takes.
            and (B not in segment or (last not in b"by" and not contains(segment, b"bye")))
            and (IAC not in segment or not self._mayBeCommand(segment))
        ):
            self._context = b"\n" if last == NEWLINE else b""
            return True
        return False

    def _mayBeCommand(self, segment: bytes) -> bool:
        """
        @return: True if a line that starts with a telnet command may continue in the next
            segment.
        """
        tail = segment[-COMMANDS_SIZE:]
        return (
            b"\n\xff" in tail
            or b"\0\xff" in tail
            or (segment[0] == IAC and self._context == b"\n")
        )

    def receive(self, segment: bytes) -> bytes:
        """
        Take what the transport delivered in one piece.

        @param segment: At least one byte.

        @return: The bytes to return now.
        """
        if self.over:
            return b""
        unreturned = self.withheld + segment
        context = self._continued(segment)
        place = _firstGoodbye(context, segment)
        if place is not None:
            self.stop()
            return unreturned[: max(0, len(unreturned) - len(segment) + place)]
        self._context, self._word = _lastLine(context, segment)
        self._alone = segment == b"bye" and not self._afterFullRead
        self._afterFullRead = len(segment) % FULL_READ == 0
        size = len(segment if self._alone else self._word)
        place = max(0, len(unreturned) - size)
        self.withheld = unreturned[place:]
        self._ordinary = self._context in (b"", b"\n") and not (size or self._afterFullRead)
        return unreturned[:place]

    def release(self) -> bytes:
        """
        Return what is withheld, without a decision: the first of these bytes came
        long ago, but more came since.

        @return: The bytes to return now.
        """
        released, self.withheld = self.withheld, b""
        return released

    def silence(self) -> bytes:
        """
        Nothing has arrived for as long as bytes may be withheld.

        @return: The bytes to return now.
        """
        self._silent = self._context.endswith(b"\r")
        return self._settle(self._alone or self._word == b"bye\r")

    def end(self) -> bytes:
        """
        The peer has closed its side: this was the end of the stream.

        @return: The bytes to return now.
        """
        return self._settle(self._alone or self._word in (b"bye", b"bye\r"))

    def stop(self) -> None:
        """
        Return nothing from now on.
        """
        self.over = True
        self.withheld = self._context = self._word = b""
        self._ordinary = False

    def _continued(self, segment: bytes) -> bytes:
        """
        @return: The context of a segment: what is put before it to be searched.
        """
        context = self._context
        if self._silent:
            self._silent = False
            if not segment.startswith(b"\0"):
                context = context[:-1] + b"\n"
        return context

    def _settle(self, goodbye: bool) -> bytes:
        """
        Decide about what is withheld, now that it will not become any longer.
        """
        settled = self.release()
        if goodbye:
            self.stop()
            return b""
        return settled


def _firstGoodbye(context: bytes, segment: bytes) -> int | None:
    """
    @return: Where the first line that is a goodbye starts in a segment; negative if it
        starts in the context.
    """
    place = _goodbye(context + segment[:_JOIN_SIZE])
    if place >= 0:
        return place - len(context)
    if len(segment) > _JOIN_SIZE:
        # A long segment is not copied.
        place = _goodbye(segment)
    return place if place >= 0 else None


def _goodbye(text: bytes) -> int:
    """
    @return: Where the first line that is a goodbye starts, or -1.
    """
    # In this order, most segments need one search; and those which are full of one
    # part of a goodbye, few.
    if (
        B not in text
        or not contains(text, b"bye")
        or not (contains(text, b"bye\n") or contains(text, b"bye\r"))
    ):
        return -1
    places = [
        find(text, start + goodbye) + len(start)
        for start in LINE_ENDS
        if contains(text, start + b"bye")
        for goodbye in GOODBYES
        # Only this search is paid for again and again: what it finds ends the session.
        if contains(text, start + goodbye)
    ]
    if IAC in text:
        places += _goodbyesAfterCommands(text)
    return min(places, default=-1)


def _goodbyesAfterCommands(text: bytes) -> Iterator[int]:
    for end in LINE_ENDS:
        place, size = -1, COMMANDS_SIZE
        for _ in range(LINES):
            place = find(text, end + b"\xff", place + 1)
            if place < 0:
                break
            start = place + len(end)
            if match := _COMMANDS.match(text, start, start + size):
                size -= len(match[0])
                if text.startswith(GOODBYES, match.end()):
                    yield match.end()


def _lastLine(context: bytes, segment: bytes) -> tuple[bytes, bytes]:
    """
    @return: The context that a segment leaves, and the beginning of a goodbye in it.
    """
    text = segment[-COMMANDS_SIZE:]
    if len(text) == len(segment):
        text = context + segment
    context = word = b""
    if text.endswith(_BEGINNINGS):
        word = text[-5:].replace(b"\0", b"\n").rpartition(b"\n")[2]
        context = b"\n" + word
    elif text.endswith(b"\r"):
        context = b"\r"
    if IAC in text[-_UNFINISHED_SIZE:] and (rest := _afterCommands(text)) is not None:
        context = b"\n" + rest
        if rest.startswith(b"b"):
            word = rest
    return context, word


def _afterCommands(text: bytes) -> bytes | None:
    """
    @return: The end of a text after a line end and finished telnet commands, if it is the
        beginning of a command or of a goodbye, or empty.
    """
    place = len(text)
    for _ in range(LINES):
        place = max(text.rfind(end + b"\xff", 0, place) for end in LINE_ENDS)
        if place < 0:
            break
        if match := _LAST_LINE_WITH_COMMANDS.match(text, place):
            return match[1]
    return None
