"""
The comparison of the answer with the sent bytes.
"""

from __future__ import annotations

import re
from collections import deque

CONTEXT = 5
"""
How many of the last returned bytes to keep: the longest goodbye is C{bye\\r\\n}.
"""

PROBE = 32
"""
How many bytes after a gap must be found again in the sent bytes.
"""

_GOODBYE = re.compile(rb"(?:\A|(?<=[\r\n\0]))bye(?:\r?\n|\r\0|\r|\Z)")


class Comparison:
    """
    Compares two streams while they flow.  It keeps the bytes that have not come back.

    @ivar sent: How many bytes were sent.

    @ivar received: How many bytes have come back.

    @ivar difference: How many bytes came back unchanged before the first difference;
        L{None} if there is none so far.

    @ivar wrong: True if bytes came back that were not sent.  If bytes are only missing,
        this is false.
    """

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0
        self.difference: int | None = None
        self.wrong = False
        self._pending: deque[bytes] = deque()
        # How many bytes of the first chunk have come back.
        self._offset = 0
        self._context = b""

    @property
    def outstanding(self) -> int:
        """
        How many bytes have not come back.
        """
        return max(self.sent - self.received, 0)

    def send(self, data: bytes) -> None:
        """
        Take bytes that are sent.
        """
        self.sent += len(data)
        if not self.wrong:
            self._pending.append(data)

    def receive(self, data: bytes) -> None:
        """
        Take bytes that have come back.
        """
        position = 0
        while position < len(data) and not self.wrong:
            if not self._pending:
                self._differ(position)
                self._giveUp()
                break
            chunk = self._pending[0]
            part = data[position : position + len(chunk) - self._offset]
            if not chunk.startswith(part, self._offset):
                part = part[: _common(part, chunk, self._offset)]
                self._differ(position + len(part))
                self._skipTo(data[position + len(part) :][:PROBE], self._offset + len(part))
            else:
                self._skip(len(part))
            position += len(part)
        self.received += len(data)
        self._context = (self._context + data[-CONTEXT:])[-CONTEXT:]

    def cutByGoodbye(self) -> int | None:
        """
        @return: How many bytes follow the line C{bye} (with its line ending), if this
            line is the first thing that has not come back; else L{None}.
        """
        rest = self._rest(CONTEXT)
        match = _GOODBYE.search(self._context + rest)
        boundary = len(self._context)
        if self.difference is not None or not rest or match is None:
            return None
        if not match.start() <= boundary < match.end():
            return None
        return self.outstanding - (match.end() - boundary)

    def _differ(self, position: int) -> None:
        if self.difference is None:
            self.difference = self.received + position

    def _skip(self, count: int) -> None:
        self._offset += count
        if self._offset == len(self._pending[0]):
            self._pending.popleft()
            self._offset = 0

    def _skipTo(self, probe: bytes, start: int) -> None:
        """
        Leave out sent bytes up to those that came back next.
        """
        while self._pending:
            found = self._pending[0].find(probe, start)
            if found >= 0:
                self._offset = found
                return
            self._pending.popleft()
            start = 0
        self._giveUp()

    def _giveUp(self) -> None:
        self.wrong = True
        self._pending.clear()

    def _rest(self, count: int) -> bytes:
        rest = b""
        for chunk in self._pending:
            start = 0 if rest else self._offset
            rest += chunk[start : start + count]
            if len(rest) >= count:
                break
        return rest[:count]


def _common(part: bytes, chunk: bytes, offset: int) -> int:
    """
    @return: How many bytes are equal before the first that differs.
    """
    # Halve the part, because a loop over its bytes would hold up the client.
    equal, different = 0, len(part)
    while different - equal > 1:
        middle = (equal + different) // 2
        if chunk.startswith(part[equal:middle], offset + equal):
            equal = middle
        else:
            different = middle
    return equal
