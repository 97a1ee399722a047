"""
The goodbye rule: which bytes of a TCP echo session are returned, and when the
session is over.

This is the part of the protocol that has to be thought about, so it stands
alone: bytes in, bytes to return out.  It knows no transport and no clock.

A goodbye is one of:

  - the line C{bye}: C{bye\\n} or C{bye\\r\\n} at the start of a line;
  - C{bye} as a whole segment, followed by silence or by the end of the stream.
    This is how the clients of the article say it: they send no line endings,
    so their C{bye} does not even stand at the start of a line.  The rest of a
    message that was too long for one read is no whole segment;
  - C{bye} at the start of the last line of a stream that ends without a line
    ending.

The goodbye itself is not returned, nor is anything after it.  Everything
before it is.

Invariants, which C{tests/tcp/test_goodbye.py} checks against a slow and obvious
version of the same rule:

  - what is returned, with what is withheld appended, is what was received;
  - what is withheld is empty or one of C{b}, C{by}, C{bye}, C{bye\\r}, and could
    still become a goodbye.
"""

import re

_POSSIBLE_GOODBYE = re.compile(rb"\n(bye\r?\n|(?:bye\r?|by?)\Z)")
"""
At the start of a line: the line C{bye}, or what may become it with the next
segment.  Where both are there, the line comes first.
"""

B = ord("b")
NEWLINE = ord("\n")

FULL_READ = 1 << 14
"""
A segment of a multiple of this size has filled what carried it: a TLS record
has this size, and Twisted reads four times as much at once.  What comes next
is more of the same message, not a message of its own.
"""

FILLED = 1 << 8
"""
More than any byte.
"""

LONG = 2048
"""
From about this size on a segment is searched faster by the expression than for
two bytes together.
"""


class Goodbye:
    """
    The goodbye rule for one session.

    @ivar over: Whether a goodbye was received.  From then on nothing is
        returned.

    @ivar withheld: The bytes which were received, and are not returned yet
        because they may turn out to be a goodbye: at most four.
    """

    __slots__ = (
        "_alone",
        "_last",
        "_lineStart",
        "_unsuspecting",
        "over",
        "withheld",
    )

    def __init__(self) -> None:
        self.over = False
        self.withheld = b""
        # Whether self.withheld is a segment of its own.
        self._alone = False
        # Whether self.withheld starts a line.
        self._lineStart = False
        # The last byte of the last segment; FILLED is added if that filled a read.
        self._last = NEWLINE
        # Neither over nor withholding: both in one look, for the fast case.
        self._unsuspecting = True

    def receive(self, segment: bytes) -> bytes:
        """
        Take what the transport delivered in one piece.

        @param segment: At least one byte.

        @return: The bytes to return now.  The very C{segment}, the same
            object, if it passes whole and there is nothing else to know.
        """
        # Every message passes here, most of them no further.  A number is looked
        # for in a tenth of the time that a string of one byte takes.
        if self._unsuspecting and B not in segment and len(segment) < LONG:
            self._last = segment[-1]
            return segment
        return self._suspect(segment)

    def silence(self) -> bytes:
        """
        Nothing has arrived for as long as bytes may be withheld.

        @return: The bytes to return now.
        """
        return self._settle(self._alone)

    def end(self) -> bytes:
        """
        The peer has closed its side: this was the end of the stream.

        @return: The bytes to return now.
        """
        return self._settle(self.withheld == b"bye")

    def _suspect(self, segment: bytes) -> bytes:
        if self.over:
            return b""
        last = self._last
        self._last = segment[-1]
        if len(segment) < LONG:
            suspicious = segment.find(b"\nb") >= 0
        else:
            suspicious = B in segment and NEWLINE in segment
            if len(segment) % FULL_READ == 0:
                self._last += FILLED
        # A goodbye that is not at the very start of a segment, even the beginning
        # of one, has "\nb" in it.
        if self._unsuspecting and segment[0] != B and not suspicious:
            return segment
        if not self.withheld:
            self._lineStart = last % FILLED == NEWLINE
        text = self.withheld + segment
        # All lines look alike when the first one, too, has a line before it.
        match = _POSSIBLE_GOODBYE.search(b"\n" + text if self._lineStart else text)
        self._alone = segment == b"bye" and last < FILLED
        place = len(text)
        if match is not None:
            place = match.start(1) - self._lineStart
            self._lineStart = True
            self.over = match[1].endswith(b"\n")
        elif self._alone:
            place -= len(segment)
            self._lineStart = False
        self.withheld = b"" if self.over else text[place:]
        self._unsuspecting = not self.over and not self.withheld
        return text[:place]

    def _settle(self, goodbye: bool) -> bytes:
        """
        Decide on what is withheld, now that it will not become any longer.
        """
        settled, self.withheld = self.withheld, b""
        if goodbye:
            self.over, settled = True, b""
        self._alone = False
        self._unsuspecting = not self.over
        return settled
