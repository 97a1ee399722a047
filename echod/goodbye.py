"""
The goodbye rule: which bytes of a TCP echo session are returned, and when the
session is over.

This is the part of the protocol that has to be thought about, so it stands
alone: bytes in, bytes to return out.  It knows no transport and no clock.

A goodbye is one of:

  - the line C{bye}: C{bye\\n} or C{bye\\r\\n} at the start of a line;
  - C{bye} as a whole segment, followed by silence or by the end of the stream.
    This is how the clients of the article say it: they send no line endings,
    so their C{bye} does not even stand at the start of a line;
  - C{bye} at the start of the last line of a stream that ends without a line
    ending.

The goodbye itself is not returned, nor is anything after it.  Everything
before it is.

Invariants, which C{tests/test_goodbye.py} checks against a slow and obvious
version of the same rule:

  - what is returned, with what is withheld appended, is what was received;
  - what is withheld is empty or one of C{b}, C{by}, C{bye}, C{bye\\r}, and could
    still become a goodbye.
"""

import re

_POSSIBLE_GOODBYE = re.compile(rb"(?<![^\n])(?:bye\r?\n|(?:bye\r?|by?)\Z)")
"""
At the start of a line: the line C{bye}, or what may become it with the next
segment.  Where both are there, the line comes first.
"""


class Goodbye:
    """
    The goodbye rule for one session.

    @ivar over: Whether a goodbye was received.  From then on nothing is
        returned.

    @ivar withheld: The bytes which were received, and are not returned yet
        because they may turn out to be a goodbye: at most four.
    """

    __slots__ = ("_alone", "_lineStart", "_unsuspecting", "over", "withheld")

    def __init__(self) -> None:
        self.over = False
        self.withheld = b""
        # Whether self.withheld is a segment of its own.
        self._alone = False
        # Whether what comes next, self.withheld included, starts a line.
        self._lineStart = True
        # Neither over nor withholding: both in one look, for the fast case.
        self._unsuspecting = True

    def receive(self, segment: bytes) -> bytes:
        """
        Take what the transport delivered in one piece.

        @param segment: At least one byte.

        @return: The bytes to return now.  The very C{segment}, the same
            object, if it passes whole and there is nothing else to know.
        """
        # Every message passes here.  A goodbye that is not at the very start
        # of a segment, even the beginning of one, has "\nb" in it.
        if self._unsuspecting and segment[0] != 0x62 and b"\nb" not in segment:
            self._lineStart = segment[-1] == 0x0A
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
        text = self.withheld + segment
        # The expression looks one byte back for the start of a line; where
        # there is no such byte, the search must not start before the second.
        match = _POSSIBLE_GOODBYE.search(text, 0 if self._lineStart else 1)
        self._alone = segment == b"bye"
        if match is not None:
            place, self._lineStart = match.start(), True
            self.over = match[0].endswith(b"\n")
        elif self._alone:
            place, self._lineStart = len(text) - len(segment), False
        else:
            place, self._lineStart = len(text), text.endswith(b"\n")
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
        if settled:
            self._lineStart = False
        self._alone = False
        self._unsuspecting = not self.over
        return settled
