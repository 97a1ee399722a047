"""
A line that is being typed: keys in, lines out, and how to draw it.

It knows no terminal.  It is drawn on one row whatever its length, so that it can
be cleared from there and drawn again at any time, below what has come meanwhile.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from unicodedata import combining, east_asian_width

HISTORY = 1000
"""
How many lines are remembered.
"""

CLEAR = "\r\x1b[K"
"""
Empties the row.
"""

_KEY = re.compile(r"\x1b(?:\[[0-9;]*[^0-9;]|O.|[^\[O])|[^\x1b]", re.DOTALL)
"""
A character, or what a key sends that has none.
"""


class LineEditor:
    """
    @ivar before: What was typed, up to the cursor.

    @ivar after: What stands after the cursor.
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
        @param data: What the terminal sends.

        @return: The lines that were finished, and L{None} for the end (Ctrl-D on
            an empty line).
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
            elif key.isprintable():
                self.before += key

    def draw(self, width: int) -> str:
        """
        @param width: How many columns the terminal has.

        @return: What to write for the line to be seen, with as much of it around
            the cursor as there is room for.
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
            # What was typed here is not forgotten on the way.
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
What a key does: those of every shell.
"""


def _columns(text: str) -> int:
    return sum(
        0 if combining(character) else 1 + (east_asian_width(character) in "WF")
        for character in text
    )
