"""
The bytes that the server sends on one impaired connection: which piece it may send,
and when.

The stream is a pure object: it has no timers and no transport, and its methods take
the time as an argument.
"""

from __future__ import annotations

from collections import Counter

from echod.impair.model import DelayLine, Pieces, generator
from echod.impair.spec import ConnectionImpairments

PIECE_GAP = 0.001
"""
The time between two pieces, in seconds.  It is long enough for the client to read the
first piece before the second arrives, and the timers of all reactors can measure it.
"""

OVERHEAD = 256
"""
The memory that waiting bytes need besides their number, for the objects around them.
"""

MESSAGE = 2048
"""
The pieces keep this gap only if no more than this is left to send, in bytes: then it
is a message that a client waits for.  The pieces of a long stream follow each other
turn by turn, as its reader cannot keep up anyway.
"""

RATE_TICK = 0.01
"""
With a rate, the server sends the bytes of this time at once, in seconds.
So small exchanges are slow, too, and the reactor has time for other connections.
"""


class ImpairedStream:
    """
    The bytes that wait to be sent, with delay, pieces, rate and end.

    @ivar delayed: The bytes that are still delayed.

    @ivar end: After how many bytes the stream ends, and how; L{None} if it does not.

    @ivar unsent: The number of bytes that were added and not taken.
    """

    def __init__(
        self, impairments: ConnectionImpairments, number: int, counts: Counter[str]
    ) -> None:
        """
        @param number: The number of the connection.  Random decisions depend on it.

        @param counts: How often each kind of impairment happened.
        """
        self.end = impairments.end
        self.delayed: DelayLine[bytes] = DelayLine(
            impairments, generator(impairments, number, "jitter")
        )
        self.unsent = 0
        self._counts = counts
        self._rate = impairments.rate
        self._pieces = None
        if impairments.pieces is not None:
            self._pieces = Pieces(*impairments.pieces, generator(impairments, number, "pieces"))
        # The oldest bytes: their delay is over.  Those before the place are sent.
        self._segment = b""
        self._place = 0
        self._sent = 0
        # The next piece must not be sent earlier than this.
        self._free = 0.0

    def __bool__(self) -> bool:
        """
        @return: True if bytes wait.
        """
        return bool(self._segment or self.delayed)

    @property
    def ended(self) -> bool:
        """
        True if all bytes before the end are sent.
        """
        return self.end is not None and self._sent == self.end[0]

    def add(self, data: bytes, now: float) -> None:
        """
        Add bytes behind those that wait.
        """
        self.unsent += len(data)
        if self.delayed.delays:
            self._counts["delay"] += 1
        self.delayed.add(data, len(data) + OVERHEAD, now)

    def wait(self, now: float) -> float:
        """
        @return: How long to wait until the next piece, in seconds.
        """
        due = now if self._segment else self.delayed.due
        return max(0.0, due - now, self._free - now)

    def take(self, now: float) -> bytes:
        """
        @return: The next piece.
        """
        if not self._segment:
            self._segment = self.delayed.take()
        start = self._place
        self._place += self._cut(len(self._segment) - start)
        piece = self._segment[start : self._place]
        self._sent += len(piece)
        self.unsent -= len(piece)
        if self._place == len(self._segment):
            self._segment, self._place = b"", 0
        if not self.ended:
            self._pace(len(piece), now)
        return piece

    def clear(self) -> None:
        """
        Drop the bytes that wait.
        """
        self.delayed.clear()
        self._segment, self._place = b"", 0

    def _cut(self, number: int) -> int:
        """
        @return: How many of the available bytes the next piece has.
        """
        if self._rate:
            number = min(number, max(1, int(self._rate * RATE_TICK)))
        if self.end is not None:
            number = min(number, self.end[0] - self._sent)
        if self._pieces is not None:
            number = self._pieces.cut(number)
            self._counts["pieces"] += 1
        return number

    def _pace(self, number: int, now: float) -> None:
        if self._rate:
            # A late timer does not make the stream slower.
            self._free = max(self._free, now - RATE_TICK) + number / self._rate
            self._counts["rate"] += 1
        left = self.delayed.size + len(self._segment) - self._place
        if self._pieces is not None and left <= MESSAGE:
            self._free = max(self._free, now + PIECE_GAP)
