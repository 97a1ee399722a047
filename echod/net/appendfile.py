"""
Append-only files whose writes never block or raise.
"""

from __future__ import annotations

import errno
import os
import select
import stat

FLAGS = (
    os.O_WRONLY
    | os.O_APPEND
    | os.O_CREAT
    | getattr(os, "O_CLOEXEC", 0)
    # A terminal that is opened does not become the controlling terminal.
    | getattr(os, "O_NOCTTY", 0)
    # A write to a named pipe that is full fails instead of waiting for a reader.
    | getattr(os, "O_NONBLOCK", 0)
)

MODE = 0o640
"""
The permissions of a new file.  It names peers, so it is not for everyone.
"""

OPEN_AGAIN = "/proc/self/fd/{}"
"""
Linux opens the file of a descriptor once more under this name.
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
        @param descriptor: The file, if it is open already.  If its writes can block, use
            a L{SharedFile}.

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

    def write(self, line: bytes) -> bool:
        """
        Add a line, or count it as lost.

        @param line: The line without its end.

        @return: True if the whole line was written.
        """
        # A full disk may have cut the line before: end that line first.
        rest = (b"\n" if self._torn else b"") + line + b"\n"
        try:
            while rest:
                rest = rest[self._writeSome(rest) :]
                self._torn = bool(rest)
        except OSError as error:
            self.lost += 1
            self.why = error.strerror or str(error)
            return False
        return True

    def close(self) -> None:
        """
        Close the file.
        """
        os.close(self._descriptor)

    def _writeSome(self, data: bytes) -> int:
        """
        @return: How many bytes were written.

        @raise OSError: if none could be written now.
        """
        return os.write(self._descriptor, data)


class SharedFile(AppendFile):
    """
    An open file that other processes use as well, such as standard output.

    C{O_NONBLOCK} belongs to the open file, not to the descriptor: the shell and all other
    programs on a terminal would have it, too.  So this asks first whether there is room.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        """
        @param path: The name of the file in messages.
        """
        super().__init__(path, descriptor)
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)

    def _writeSome(self, data: bytes) -> int:
        if not self._poll.poll(0):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        # A pipe or a socket that has room takes so much without blocking (pipe(7)).
        return super()._writeSome(data[: select.PIPE_BUF])


def openShared(descriptor: int, again: str = OPEN_AGAIN) -> AppendFile:
    """
    Make an open file writable without blocking, and without a change for the other
    processes that use it.

    @param descriptor: A descriptor of the file.  It stays open.

    @param again: The path under which the system opens the file once more.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        # A pipe or a terminal that is opened again has flags of its own.
        try:
            return AppendFile(again.format(descriptor))
        except OSError:
            """Another user's, or not on Linux."""
    return SharedFile(f"descriptor {descriptor}", descriptor)
