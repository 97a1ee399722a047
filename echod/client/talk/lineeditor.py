"""
A line editor: keys in; finished lines and the text to draw out.

It knows no terminal.  It draws on one row, also if the line is longer.  So the row
can be cleared and drawn again at any time, below lines that have come meanwhile.

Why this is not a library: readline blocks; Twisted's C{conch.recvline} drops every
character that is not ASCII; prompt_toolkit needs an asyncio loop, 42,000 lines and
another line reader for an installation without it.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from unicodedata import category, east_asian_width

HISTORY = 1000
"""
The number of lines that the arrow keys can recall.
"""

CLEAR = "\r\x1b[K"
"""
Clears the row.
"""

_KEY = re.compile(r"\x1b(?:\[[0-9;]*[^0-9;]|O.|[^\[O])|[^\x1b]", re.DOTALL)
"""
One character, or the escape sequence of a key.
"""

CONTROL = "Cc"
"""
The Unicode category of control characters.  All others are text, for example the
joiners in Persian words and in emoji, or the wide space.
"""

ZERO_WIDTH = ("Mn", "Me", "Cf")
"""
The Unicode categories of characters that take no column: marks and format characters.
"""


class LineEditor:
    """
    @ivar before: The text before the cursor.

    @ivar after: The text after the cursor.
    """

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt
        self.before = ""
        self.after = ""
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._history = [""]
        self._place = 0

    def type(self, data: bytes) -> Iterator[str | None]:
        """
        Handle keys.

        @param data: The bytes from the terminal.

        @return: Each finished line, and L{None} for Ctrl-D on an empty line.
        """
        self._rest += self._decode(data)
        while match := _KEY.match(self._rest):
            self._rest = self._rest[match.end() :]
            key = match[0]
            if key in "\r\n":
                yield self._take()
            elif key == "\x04" and not self.before + self.after:
                yield None
            elif key in KEYS:
                KEYS[key](self)
            elif category(key[0]) != CONTROL:
                self.before += key

    def draw(self, width: int) -> str:
        """
        @param width: The number of columns of the terminal.

        @return: The text that draws the line on the row.  If the line is too long, it
            draws the part around the cursor.
        """
        room = max(width - 1 - _columns(self.prompt), 1)
        before, after = self.before, self.after
        while _columns(before) > room:
            before = before[1:]
        while _columns(before + after) > room:
            after = after[:-1]
        back = _columns(after)
        return f"{CLEAR}{self.prompt}{before}{after}" + (f"\x1b[{back}D" if back else "")

    def _take(self) -> str:
        line, self.before, self.after = self.before + self.after, "", ""
        if line and self._history[-2:-1] != [line]:
            self._history[-1:] = [line, ""]
            del self._history[:-HISTORY]
        self._place = len(self._history) - 1
        return line

    def _left(self) -> None:
        self.before, self.after = self.before[:-1], self.before[-1:] + self.after

    def _right(self) -> None:
        self.before, self.after = self.before + self.after[:1], self.after[1:]

    def _home(self) -> None:
        self.before, self.after = "", self.before + self.after

    def _end(self) -> None:
        self.before, self.after = self.before + self.after, ""

    def _backspace(self) -> None:
        self.before = self.before[:-1]

    def _delete(self) -> None:
        self.after = self.after[1:]

    def _killBefore(self) -> None:
        self.before = ""

    def _killAfter(self) -> None:
        self.after = ""

    def _killWord(self) -> None:
        self.before = re.sub(r"\S*\s*$", "", self.before)

    def _earlier(self) -> None:
        self._recall(self._place - 1)

    def _later(self) -> None:
        self._recall(self._place + 1)

    def _recall(self, place: int) -> None:
        if 0 <= place < len(self._history):
            # Keep the changes to this line.
            self._history[self._place] = self.before + self.after
            self._place = place
            self.before, self.after = self._history[place], ""


KEYS: dict[str, Callable[[LineEditor], None]] = {
    key: action
    for keys, action in {
        ("\x1b[D", "\x1bOD", "\x02"): LineEditor._left,
        ("\x1b[C", "\x1bOC", "\x06"): LineEditor._right,
        ("\x1b[A", "\x1bOA", "\x10"): LineEditor._earlier,
        ("\x1b[B", "\x1bOB", "\x0e"): LineEditor._later,
        ("\x1b[H", "\x1bOH", "\x1b[1~", "\x01"): LineEditor._home,
        ("\x1b[F", "\x1bOF", "\x1b[4~", "\x05"): LineEditor._end,
        ("\x7f", "\x08"): LineEditor._backspace,
        ("\x1b[3~", "\x04"): LineEditor._delete,
        ("\x15",): LineEditor._killBefore,
        ("\x0b",): LineEditor._killAfter,
        ("\x17",): LineEditor._killWord,
    }.items()
    for key in keys
}
"""
The action of each key, as in a shell.
"""


def _columns(text: str) -> int:
    return sum(
        0 if category(character) in ZERO_WIDTH else 1 + (east_asian_width(character) in "WF")
        for character in text
    )
