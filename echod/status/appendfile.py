"""
A file of lines which no trouble with it ever holds up.
"""

from __future__ import annotations

import os

OPENING = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    # A named pipe takes what there is room for, and makes nobody wait.
    | getattr(os, "O_NONBLOCK", 0)
)

MODE = 0o640
"""
Whom a new file is for: it may say who was here.
"""


class LineFile:
    """
    A file to which whole lines are added, each with one write of its own.  Those
    that cannot be are counted.

    @ivar path: Where it is.

    @ivar lost: How many lines could not be written.

    @ivar why: What the system had to say about the last one of them.
    """

    def __init__(self, path: str, descriptor: int | None = None) -> None:
        """
        @param descriptor: Where it is open already, if it is.

        @raise OSError: if it cannot be written to.
        """
        self.path = path
        self.lost = 0
        self.why = ""
        self._torn = False
        self._descriptor = os.open(path, OPENING, MODE) if descriptor is None else descriptor

    def fileno(self) -> int:
        """
        @return: Where it is open.
        """
        return self._descriptor

    def reopen(self) -> None:
        """
        Go on with the file that has the name by now.

        @raise OSError: if it cannot be written to; the old one is kept then.
        """
        descriptor = os.open(self.path, OPENING, MODE)
        self.close()
        self._descriptor = descriptor
        self._torn = False

    def write(self, line: bytes) -> None:
        """
        Add a line.

        @param line: Without its end.
        """
        # Where a disk had room for a part of a line only, its end is made up for.
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
        Write no more.
        """
        os.close(self._descriptor)
