"""
The goodbye rule: which bytes of a TCP echo session are returned, and when the
session is over.

This is a pure object: bytes in, bytes to return out.  It knows no transport and
no clock.  C{docs/explanation/goodbye.rst} states the rule and its corner cases.

Invariants, which C{tests/tcp/test_goodbye.py} checks against a slow and obvious
version of the same rule:

  - the returned and the withheld bytes together are the received bytes;
  - the withheld bytes may still become a goodbye, and are four at most.
"""

from __future__ import annotations

from echod.tcp.goodbyesearch import B, contains, firstGoodbye, lastLine
from echod.tcp.telnet import IAC, LINE_SIZE

NEWLINE = ord("\n")
CARRIAGE_RETURN = ord("\r")

FULL_READ = 1 << 14
"""
A segment of a multiple of this size has filled a read: a TLS record has this size,
and Twisted reads four times as much at once.  The next segment is the rest of the
same message.
"""


class Goodbye:
    """
    The goodbye rule for one session.

    @param startsLine: False if the first segment continues a line.

    @param afterFullRead: True if the segment before the first one has filled a read.

    @ivar over: True after a goodbye or L{stop}.  From then on nothing is returned.

    @ivar withheld: The bytes which were received, and are not returned yet
        because they may turn out to be a goodbye: at most four.
    """

    __slots__ = (
        "_afterFullRead",
        "_alone",
        "_context",
        "_silent",
        "_word",
        "over",
        "withheld",
    )

    def __init__(self, startsLine: bool = True, afterFullRead: bool = False) -> None:
        self.over = False
        self.withheld = b""
        # The last bytes, from the first line end after which a line is unfinished
        # that may become a goodbye; every line end before it is written as "\n".
        self._context = b"\n" if startsLine else b""
        # The beginning of a goodbye at the end of the context.
        self._word = b""
        # True if the last segment was "bye" as a whole.
        self._alone = False
        self._afterFullRead = afterFullRead
        # True if silence followed the last byte, and that was "\r".
        self._silent = False

    @property
    def undecided(self) -> bool:
        """
        True if silence after the last byte makes a difference.
        """
        return bool(self.withheld) or (self._context.endswith(b"\r") and not self._silent)

    @property
    def ordinary(self) -> bool:
        """
        True if the last bytes do not matter, except that they may end a line or fill a read.
        """
        return self._context in (b"", b"\n") and not (self.over or self._alone)

    @property
    def startsLine(self) -> bool:
        """
        True if the next byte starts a line.
        """
        return self._context == b"\n"

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
        place = firstGoodbye(context, segment)
        if place is not None:
            self.stop()
            return unreturned[: max(0, len(unreturned) - len(segment) + place)]
        self._context, self._word = lastLine(context, segment)
        self._alone = segment == b"bye" and not self._afterFullRead
        self._afterFullRead = len(segment) % FULL_READ == 0
        size = len(segment if self._alone else self._word)
        place = max(0, len(unreturned) - size)
        self.withheld = unreturned[place:]
        return unreturned[:place]

    def release(self) -> bytes:
        """
        Return the withheld bytes, without a decision: the first of these bytes came
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
        Decide about the withheld bytes, because no more bytes will follow them.
        """
        settled = self.release()
        if goodbye:
            self.stop()
            return b""
        return settled


def isOrdinary(segment: bytes, startsLine: bool) -> bool:
    """
    Most segments need no L{Goodbye}.

    @param segment: At least one byte.

    @param startsLine: True if the segment starts a line.

    @return: True if the segment contains no goodbye, and does not end with something that
        the next segment may make a goodbye.
    """
    last = segment[-1]
    return (
        (last > CARRIAGE_RETURN or last not in b"\r\0")
        # A number is looked for in a tenth of the time that a string takes.
        and (B not in segment or (last not in b"by" and not contains(segment, b"bye")))
        and (IAC not in (tail := segment[-LINE_SIZE:]) or not _mayBeCommand(tail, startsLine))
    )


def _mayBeCommand(tail: bytes, startsLine: bool) -> bool:
    """
    @return: True if a line that starts with a telnet command may continue in the next
        segment.
    """
    return b"\n\xff" in tail or b"\0\xff" in tail or (startsLine and tail[0] == IAC)
