"""
Tests for L{echod.status.appendfile}.
"""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from echod.status.appendfile import AppendFile
from tests.support import temporaryDirectory

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
