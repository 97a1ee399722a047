"""
Tests for L{echod.client.talk.stdio}.
"""

from __future__ import annotations

import errno
import fcntl
import os

from twisted.internet.main import CONNECTION_LOST

from echod.client.talk.stdio import CHUNK, Input, Output
from tests.support import temporaryDirectory
from tests.support.clients import ClientTestCase, reactor


class StandardInputAndOutputTests(ClientTestCase):
    """
    Tests for L{Input} and L{Output}.
    """

    def test_nothingToRead(self) -> None:
        """
        If another process has read the input, nothing is delivered.  After the end, nothing
        more is read.
        """
        source, sink = self.pipe()
        os.set_blocking(source, False)
        ended: list[bytes | None] = []
        reader = Input(reactor, source, ended.append, lambda: ended.append(None))
        self.assertEqual(reader.logPrefix(), "input")
        reader.doRead()
        self.close(sink)
        reader.doRead()
        reader.connectionLost()
        reader.resumeProducing()
        self.assertEqual(ended, [None])
        self.assertNotIn(reader, reactor.getReaders())

    def test_pipeSize(self) -> None:
        """
        On Linux, a pipe to read from is made large, and a larger one stays as it is.
        """
        for size, expected in ((CHUNK // 4, CHUNK), (CHUNK * 2, CHUNK * 2)):
            source, _ = self.pipe()
            fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, size)
            Input(reactor, source, list, list)
            self.assertEqual(fcntl.fcntl(source, fcntl.F_GETPIPE_SZ), expected)

    def test_full(self) -> None:
        """
        A full pipe takes nothing more for now.  A pipe that nobody reads takes nothing more at
        all.
        """
        source, sink = self.pipe()
        output = Output(reactor, sink)
        while output.writeSomeData(bytes(1 << 16)):
            pass
        self.close(source)
        self.assertIs(output.writeSomeData(b"x"), CONNECTION_LOST)
        output.abort()
        self.assertTrue(os.get_blocking(sink))

    def test_file(self) -> None:
        """
        Data for a file is written at once.  A full disk is an error.
        """
        path = temporaryDirectory(self) / "file"
        with path.open("wb") as file, open("/dev/full", "wb") as full:
            Output(reactor, file.fileno()).write(b"data")
            self.assertEqual(path.read_bytes(), b"data")
            output = Output(reactor, full.fileno())
            output.write(b"data")
        self.assertEqual(
            self.failureResultOf(output.finished, OSError).value.errno, errno.ENOSPC
        )
