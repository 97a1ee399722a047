"""
An append-only file whose writes never block or raise.
"""

from __future__ import annotations

import os

FLAGS = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    # A write to a named pipe that is full fails instead of waiting for a reader.
    | getattr(os, "O_NONBLOCK", 0)
)

MODE = 0o640
"""
The permissions of a new file.  It names peers, so it is not for everyone.
"""


class AppendFile:
    """
    A file that grows by whole lines, each with one write.

    @ivar path: The path of the file.

    @ivar lost: How many lines could not be written.

    @ivar why: The system's message for the latest lost line.
    """

    def __init__(self, path: str, descriptor: int | None = None) -> None:
        """
        @param descriptor: The file, if it is open already.

        @raise OSError: if the file cannot be opened.
        """
        self.path = path
        self.lost = 0
        self.why = ""
        self._torn = False
        self._descriptor = os.open(path, FLAGS, MODE) if descriptor is None else descriptor

    def fileno(self) -> int:
        """
        @return: The descriptor of the open file.
        """
        return self._descriptor

    def reopen(self) -> None:
        """
        Open the path again, and write to the file that is there now.

        @raise OSError: if it cannot be opened; the old file is kept then.
        """
        descriptor = os.open(self.path, FLAGS, MODE)
        self.close()
        self._descriptor = descriptor
        self._torn = False

    def write(self, line: bytes) -> None:
        """
        Add a line, or count it as lost.

        @param line: The line without its end.
        """
        # A full disk may have cut the line before: end that line first.
        rest = (b"\n" if self._torn else b"") + line + b"\n"
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
                self._torn = bool(rest)
        except OSError as error:
            self.lost += 1
            self.why = error.strerror or str(error)

    def close(self) -> None:
        """
        Close the file.
        """
        os.close(self._descriptor)
