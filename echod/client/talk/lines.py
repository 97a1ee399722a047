"""
Lines that are sent as datagrams.
"""

from __future__ import annotations

from collections.abc import Callable

from echod.client.exitstatus import SOME, Outcome

Receiver = Callable[[bytes], object]

MAX_PAYLOAD = 65507
"""
The largest payload of a datagram over IPv4, in bytes.
"""


class LineSplitter:
    """
    Splits a stream of bytes into lines that fit into datagrams.
    """

    def __init__(self, receiver: Receiver, tooLong: Callable[[Outcome], object]) -> None:
        """
        @param receiver: Called with each line, without its line ending.

        @param tooLong: Called instead for a line that does not fit.
        """
        self._receiver = receiver
        self._tooLong = tooLong
        self._begun = b""
        self._count = 0

    def read(self, data: bytes) -> None:
        """
        Take more bytes.
        """
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._begun) > MAX_PAYLOAD:
            self.end()

    def end(self) -> None:
        """
        Emit the last line if it has no line ending.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._emit(begun)

    def _emit(self, line: bytes) -> None:
        self._count += 1
        if len(line) <= MAX_PAYLOAD:
            self._receiver(line)
        else:
            message = f"line {self._count} is too long: a datagram carries {MAX_PAYLOAD} bytes"
            self._tooLong(Outcome(SOME, message))
