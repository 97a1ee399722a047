"""
Tests for L{echod.service.logstream}.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.logger import Logger, globalLogPublisher, textFileLogObserver
from twisted.trial.unittest import SynchronousTestCase

from echod.net.appendfile import AppendFile
from echod.service.logstream import ROTATE_SIZE, LogFileStream, LogStream
from tests.support import logged, temporaryDirectory


class Disk(AppendFile):
    """
    A file in memory.

    @ivar lines: The lines that were written.

    @ivar room: How many more lines can be written.
    """

    def __init__(self, room: int) -> None:
        super().__init__("memory", 0)
        self.lines: list[str] = []
        self.room = room

    def write(self, line: bytes) -> bool:
        """
        Write a line, if there is room.
        """
        if self.room == 0:
            self.lost += 1
            self.why = "full"
            return False
        self.room -= 1
        self.lines.append(line.decode())
        return True


class LogStreamTests(SynchronousTestCase):
    """
    Tests for L{LogStream}, as the stream of a log observer.
    """

    def setUp(self) -> None:
        self.disk = Disk(1)
        self.stream = LogStream(self.disk)
        stream: Any = self.stream
        observer = textFileLogObserver(stream, timeFormat=None)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def log(self, *lines: str) -> list[str]:
        """
        @return: The output for these log lines.
        """
        self.disk.lines.clear()
        for line in lines:
            Logger("test").info(line)
        return [line.partition("] ")[2] for line in self.disk.lines]

    def test_lost(self) -> None:
        """
        When lines can be written again, the log says how many were lost, once.
        """
        self.assertEqual(self.log("1", "2", "3"), ["1"])
        self.disk.room = 9
        report = "log lines that could not be written: 2 (full)"
        self.assertEqual(self.log("4", "5"), ["4", report, "5"])

    def test_reportLost(self) -> None:
        """
        A report without room is made again, with the sum.
        """
        self.assertEqual(self.log("1", "2"), ["1"])
        self.disk.room = 1
        self.assertEqual(self.log("3"), ["3"])
        self.disk.room = 9
        report = "log lines that could not be written: 2 (full)"
        self.assertEqual(self.log("4"), ["4", report])

    def test_characters(self) -> None:
        """
        Every text can be written, also lone surrogates.
        """
        self.stream.write("h\xe9 \ud800\n")
        self.assertEqual(self.disk.lines, ["h\xe9 \\ud800"])

    def test_isatty(self) -> None:
        """
        The stream of a terminal is a terminal.
        """
        terminal = os.openpty()
        for descriptor in terminal:
            self.addCleanup(os.close, descriptor)
        self.assertTrue(LogStream(AppendFile("terminal", terminal[1])).isatty())
        self.assertFalse(LogFileStream(os.devnull).isatty())


class LogFileStreamTests(SynchronousTestCase):
    """
    Tests for L{LogFileStream}.
    """

    def setUp(self) -> None:
        self.path = temporaryDirectory(self) / "log"

    def open(self) -> LogFileStream:
        """
        @return: A log file at the path.
        """
        return LogFileStream(os.fspath(self.path))

    def numbered(self, number: int) -> Path:
        """
        @return: The path of a file that was rotated.
        """
        return self.path.with_suffix(f".{number}")

    def test_rotate(self) -> None:
        """
        A file that is large is rotated before the next line, as twistd does.
        """
        log = self.open()
        for letter in "123":
            log.write(letter * ROTATE_SIZE)
        self.assertEqual(self.numbered(2).read_text(), "1" * ROTATE_SIZE + "\n")
        self.assertEqual(self.numbered(1).read_text(), "2" * ROTATE_SIZE + "\n")
        self.assertEqual(self.path.read_text(), "3" * ROTATE_SIZE + "\n")

    def test_reopen(self) -> None:
        """
        A file that was not renamed is rotated when it is reopened.
        """
        log = self.open()
        log.write("1\n")
        log.reopen()
        log.write("2\n")
        self.assertEqual(self.numbered(1).read_text(), "1\n")
        self.assertEqual(self.path.read_text(), "2\n")

    def test_renamed(self) -> None:
        """
        After a file was renamed, a new one begins at its path, or the file that is there
        by then is continued.
        """
        log = self.open()
        for number in (2, 3):
            log.write(f"{number}\n")
            self.path.rename(self.numbered(number))
            log.write("more\n")
            if number == 3:
                self.path.write_text("new\n")
            log.reopen()
            self.assertEqual(self.numbered(number).read_text(), f"{number}\nmore\n")
        log.write("4\n")
        self.assertEqual(self.path.read_text(), "new\n4\n")
        self.assertFalse(self.numbered(1).exists())

    def test_cannotReopen(self) -> None:
        """
        If the file cannot be opened again, one line says so, and the old file is kept.
        """
        log = self.open()
        self.path.rename(self.numbered(1))
        self.path.mkdir()
        with logged() as lines:
            log.reopen()
        self.assertEqual(
            lines, [f"cannot reopen {self.path}: Is a directory; the old file is kept"]
        )
        log.write("1\n" * ROTATE_SIZE)
        with logged() as lines:
            log.write("2\n")
        self.assertEqual(lines, [])
        self.assertTrue(self.numbered(1).read_text().endswith("1\n2\n"))

    def test_namedPipe(self) -> None:
        """
        A named pipe is neither rotated nor renamed.
        """
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        log = self.open()
        log.write("1\n")
        with logged() as lines:
            log.reopen()
        self.assertEqual(lines, [])
        log.write("2\n")
        self.assertEqual(os.read(reader, 100), b"1\n2\n")
        self.assertEqual(os.listdir(self.path.parent), ["log"])

    def test_cannotOpen(self) -> None:
        """
        A path that cannot be opened raises.
        """
        self.path.mkdir()
        self.assertRaises(IsADirectoryError, self.open)
