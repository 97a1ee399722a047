"""
Log files and streams that never block the reactor.

Twisted's log observers write to a blocking file: a terminal that is stopped, or a program
that no longer reads a pipe, would stop all sessions and signals.  These files lose the
lines that cannot be written at once, and report how many, as soon as a line can be
written again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from io import TextIOBase

from twisted.logger import Logger
from twisted.python.logfile import LogFile

from echod.net.appendfile import AppendFile

_log = Logger(namespace="echod.service")

ROTATE_SIZE = 1_000_000
"""
A log file begins anew at this size, in bytes, as with twistd alone.
"""


class LogStream(TextIOBase):
    """
    A text file for a log observer, which writes one log event at a time.
    """

    def __init__(self, file: AppendFile) -> None:
        super().__init__()
        self._file = file
        self._reporting = False

    def isatty(self) -> bool:
        """
        @return: True if the file is a terminal.
        """
        return os.isatty(self._file.fileno())

    def write(self, text: str) -> int:
        """
        Write the text of one log event, or count it as lost.
        """
        line = text.removesuffix("\n").encode("utf-8", "backslashreplace")
        if self._file.write(line) and self._file.lost and not self._reporting:
            self._report()
        return len(text)

    def _report(self) -> None:
        lost = self._file.lost
        self._reporting = True
        # This comes back to write.
        _log.error(
            "log lines that could not be written: {lost} ({why})",
            lost=lost,
            why=self._file.why,
        )
        self._reporting = False
        if self._file.lost == lost:
            self._file.lost = 0


class LogFileStream(LogStream):
    """
    A log file at a path: it is rotated when it is large, as by twistd alone.
    """

    def __init__(self, path: str) -> None:
        """
        @raise OSError: if the file cannot be opened.
        """
        super().__init__(AppendFile(os.path.abspath(path)))

    def write(self, text: str) -> int:
        """
        Write the text of one log event, or count it as lost.
        """
        status = os.fstat(self._file.fileno())
        if stat.S_ISREG(status.st_mode) and status.st_size >= ROTATE_SIZE:
            with suppress(OSError):
                self._renew()
        return super().write(text)

    def reopen(self) -> None:
        """
        Begin a new file: at the path if the file was renamed; otherwise after a rotation.
        """
        try:
            self._renew()
        except OSError as error:
            _log.error(
                "cannot reopen {path}: {why}; the old file is kept",
                path=self._file.path,
                why=error.strerror,
            )

    def _renew(self) -> None:
        path = self._file.path
        if self._isAtPath():
            rotated = LogFile.fromFullPath(path)
            rotated.rotate()
            rotated.close()
        self._file.reopen()

    def _isAtPath(self) -> bool:
        """
        @return: True if the file is a regular one that still has its name.
        """
        try:
            found = os.stat(self._file.path)
        except FileNotFoundError:
            return False
        own = os.fstat(self._file.fileno())
        return stat.S_ISREG(own.st_mode) and os.path.samestat(found, own)
