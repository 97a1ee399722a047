"""
Tests for L{echod.net.appendfile}.
"""

from __future__ import annotations

import errno
import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from echod.net.appendfile import OPEN_AGAIN, AppendFile, openShared
from tests.support import deadline, lacking, temporaryDirectory

TOO_LONG = b"x" * (1 << 20)
"""
A line that is longer than the buffer of a pipe: only a part of it can be written.
"""


class AppendFileTests(SynchronousTestCase):
    """
    Tests for L{AppendFile}.
    """

    def setUp(self) -> None:
        self.path = temporaryDirectory(self) / "log"

    def open(self, descriptor: int | None = None) -> AppendFile:
        """
        @return: A file at the path, or at an open descriptor.
        """
        file = AppendFile(str(self.path), descriptor)
        self.addCleanup(file.close)
        return file

    def pipe(self) -> tuple[int, AppendFile]:
        """
        @return: The descriptor to read a pipe from, and a file that writes to the pipe.
        """
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        for descriptor in (reading, writing):
            os.set_blocking(descriptor, False)
        return reading, self.open(writing)

    def test_write(self) -> None:
        """
        A line is in the file as soon as it is written.
        """
        file = self.open()
        for expected in (b"1\n", b"1\n2\n"):
            file.write(expected[-2:-1])
            self.assertEqual(self.path.read_bytes(), expected)

    def test_append(self) -> None:
        """
        An existing file is continued, and a new file is not for everyone.
        """
        for line in (b"1", b"2"):
            self.open().write(line)
        self.assertEqual(self.path.read_bytes(), b"1\n2\n")
        self.assertEqual(self.path.stat().st_mode & 0o007, 0)

    def test_reopen(self) -> None:
        """
        After a file was renamed and opened again, lines go to a new file.
        """
        file = self.open()
        file.write(b"1")
        old = self.path.rename(self.path.with_suffix(".1"))
        file.write(b"2")
        file.reopen()
        file.write(b"3")
        self.assertEqual(old.read_bytes(), b"1\n2\n")
        self.assertEqual(self.path.read_bytes(), b"3\n")

    def test_reopenFails(self) -> None:
        """
        If the file cannot be opened again, the old file is kept.
        """
        file = self.open()
        old = self.path.rename(self.path.with_suffix(".1"))
        self.path.mkdir()
        self.assertRaises(OSError, file.reopen)
        file.write(b"1")
        self.assertEqual(old.read_bytes(), b"1\n")

    def test_full(self) -> None:
        """
        A line without enough room is lost and counted; the next line that has room is
        whole, on a line of its own.
        """
        reading, file = self.pipe()
        for line in (b"1", TOO_LONG, b"2"):
            file.write(line)
        self.assertEqual((file.lost, file.why), (2, "Resource temporarily unavailable"))
        torn = os.read(reading, len(TOO_LONG))
        self.assertEqual(torn.strip(b"x"), b"1\n")
        for line in (b"3", b"4"):
            file.write(line)
        self.assertEqual(os.read(reading, 100), b"\n3\n4\n")
        self.assertEqual(file.lost, 2)

    def test_fullThenReopened(self) -> None:
        """
        A file that is opened after a line was lost starts with a whole line.
        """
        _, file = self.pipe()
        file.write(TOO_LONG)
        file.reopen()
        file.write(b"1")
        self.assertEqual(self.path.read_bytes(), b"1\n")

    def test_namedPipe(self) -> None:
        """
        A named pipe without a reader cannot be opened, and a full one does not block.
        """
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        file = self.open()
        # Otherwise the rest of this test would hang.
        self.assertFalse(os.get_blocking(file.fileno()))
        file.write(TOO_LONG)
        self.assertEqual(file.lost, 1)
        os.close(reader)
        self.assertRaises(OSError, AppendFile, str(self.path))


class SharedTests(SynchronousTestCase):
    """
    Tests for L{openShared}, with files whose writes block.
    """

    again = OPEN_AGAIN

    def share(self, descriptor: int) -> AppendFile:
        """
        @return: A file that shares this one.
        """
        file = openShared(descriptor, self.again)
        if file.fileno() != descriptor:
            self.addCleanup(file.close)
        return file

    def fill(self, reading: int, writing: int) -> int:
        """
        Write to a file that nobody reads until a line is lost, then read everything.

        @return: How many lines were written.
        """
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        file = self.share(writing)
        # Longer than what a pipe takes at once.
        line = b"x" * 4999
        written = 0
        with deadline():
            while file.write(line):
                written += 1
        self.assertEqual((file.lost, file.why), (1, os.strerror(errno.EAGAIN)))
        self.assertTrue(os.get_blocking(writing))
        os.set_blocking(reading, False)
        data = b""
        with self.assertRaises(BlockingIOError):
            while True:
                data += os.read(reading, 1 << 20)
        # A terminal adds carriage returns.  A part of the lost line may be there.
        data = data.replace(b"\r\n", b"\n")
        self.assertEqual(data[: 5000 * written], (line + b"\n") * written)
        self.assertTrue(file.write(b"next"))
        self.assertEqual(os.read(reading, 100).splitlines()[-1], b"next")
        return written

    def test_stalled(self) -> None:
        """
        A pipe, a terminal or a socket that nobody reads loses lines instead of blocking, also
        if it cannot be opened again.  Other processes still block on it.
        """
        for again, (reading, writing) in (
            (OPEN_AGAIN, os.pipe()),
            ("/nonexistent/{}", os.pipe()),
            (OPEN_AGAIN, os.openpty()),
            (OPEN_AGAIN, [each.detach() for each in socket.socketpair()]),
        ):
            self.again = again
            self.assertGreater(self.fill(reading, writing), 0)

    def test_readerGone(self) -> None:
        """
        When the reader of a pipe has gone, lines are lost, with the reason.
        """
        reading, writing = os.pipe()
        self.addCleanup(os.close, writing)
        file = self.share(writing)
        os.close(reading)
        self.assertFalse(file.write(b"1"))
        self.assertEqual(file.why, os.strerror(errno.EPIPE))

    def test_regularFile(self) -> None:
        """
        A regular file is not opened again: other processes continue after each line.
        """
        path = temporaryDirectory(self) / "file"
        with path.open("wb", buffering=0) as file:
            self.share(file.fileno()).write(b"1")
            file.write(b"2\n")
        self.assertEqual(path.read_bytes(), b"1\n2\n")

    def test_fullDisk(self) -> None:
        """
        A full disk loses lines, with the reason.
        """
        if not os.path.exists("/dev/full"):
            lacking("/dev/full")
        full = os.open("/dev/full", os.O_WRONLY)
        self.addCleanup(os.close, full)
        file = self.share(full)
        self.assertFalse(file.write(b"1"))
        self.assertEqual((file.lost, file.why), (1, os.strerror(errno.ENOSPC)))
