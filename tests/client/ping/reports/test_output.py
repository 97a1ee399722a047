"""
Tests for L{echod.client.ping.reports.output}.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.threads import deferToThread

from echod.client.exitstatus import CLOSED_PIPE, Outcome
from echod.client.ping.reports.output import (
    PATIENCE,
    PATIENCE_INTERRUPTED,
    PAUSE,
    BufferedPrinter,
    OutputFile,
)
from echod.client.run import Run
from tests.support import clock
from tests.support.clients import ClientTestCase, Steps, reactor

LINE = b"x" * 4095 + b"\n"
"""
As much as the smallest pipe holds.
"""


class BufferedPrinterTests(ClientTestCase):
    """
    Tests for L{BufferedPrinter}, which prints in a small pipe.
    """

    def setUp(self) -> None:
        super().setUp()
        self.source, self.sink = self.pipe()
        fcntl.fcntl(self.sink, fcntl.F_SETPIPE_SZ, len(LINE))
        self.run_ = Run(reactor)

    def printer(self, most: int = 2 * len(LINE)) -> BufferedPrinter:
        """
        @return: A printer.
        """
        self.run_.stdout = self.sink
        return BufferedPrinter(self.run_, most)

    def read(self) -> bytes:
        """
        @return: All that is written until the pipe is closed.
        """
        return b"".join(iter(lambda: os.read(self.source, 1 << 16), b""))

    @inlineCallbacks
    def test_readerStops(self) -> Steps:
        """
        A reader that stops does not block the program; lines that do not fit are dropped and
        counted, and the last ones are kept.
        """
        printer = self.printer()
        kept = 0
        while printer.write(LINE):
            kept += 1
        self.assertLessEqual(printer.waiting, 3 * len(LINE))
        printer.keepAll()
        self.assertTrue(printer.line("last"))
        reading = deferToThread(self.read)
        yield Deferred.fromCoroutine(printer.finish())
        self.close(self.sink)
        self.assertEqual((yield reading), LINE * kept + b"last\n")
        message = "standard output was read too slowly: 1 lines were not printed"
        self.assertEqual(printer.judge(Outcome(0)), (1, message))
        self.assertEqual(printer.judge(Outcome(5)), (5, message))

    @inlineCallbacks
    def test_nonBlocking(self) -> Steps:
        """
        If another process has made the file non-blocking, all is printed as well.
        """
        os.set_blocking(self.sink, False)
        printer = self.printer()
        printer.write(LINE + LINE)
        yield self.until(lambda: printer.waiting == len(LINE))
        reading = deferToThread(self.read)
        yield Deferred.fromCoroutine(printer.finish())
        self.close(self.sink)
        self.assertEqual((yield reading), LINE + LINE)
        self.assertEqual(printer.judge(Outcome(0)), (0, ""))

    @inlineCallbacks
    def stopped(self) -> Generator[Deferred[Any], Any, tuple[BufferedPrinter, Any]]:
        """
        @return: A printer whose second line does not fit into the pipe, and its clock.
        """
        time = clock()
        self.calls: list[tuple[Any, ...]] = []
        time.callFromThread = lambda *call: self.calls.append(call)
        self.run_ = Run(time)
        printer = self.printer()
        printer.write(LINE)
        printer.write(LINE)
        yield self.until(lambda: printer.waiting == len(LINE))
        return printer, time

    def checkGivenUp(self, printer: BufferedPrinter, time: Any, patience: float) -> None:
        """
        Check that the printer waits for the reader for some time, and no longer.
        """
        finished = Deferred.fromCoroutine(printer.finish())
        time.pump([PAUSE] * round(patience / PAUSE - 1))
        self.assertNoResult(finished)
        time.pump([PAUSE] * 2)
        self.successResultOf(finished)
        self.assertEqual(time.getDelayedCalls(), [])
        self.assertEqual(printer.dropped, 1)

    @inlineCallbacks
    def test_noReader(self) -> Steps:
        """
        At the end, a reader that reads nothing for some time is given up.
        """
        printer, time = yield self.stopped()
        self.checkGivenUp(printer, time, PATIENCE)

    @inlineCallbacks
    def test_interrupted(self) -> Steps:
        """
        After Ctrl-C, a reader that reads nothing is given up soon.
        """
        printer, time = yield self.stopped()
        self.run_.signalled()
        self.checkGivenUp(printer, time, PATIENCE_INTERRUPTED)

    @inlineCallbacks
    def test_interruptedAtTheEnd(self) -> Steps:
        """
        So it is if Ctrl-C comes while the printer waits for the reader.
        """
        printer, time = yield self.stopped()
        finished = Deferred.fromCoroutine(printer.finish())
        time.pump([PAUSE] * 20)
        self.assertNoResult(finished)
        self.run_.interrupt()
        time.advance(PAUSE)
        self.successResultOf(finished)
        self.close(self.source)
        yield self.until(lambda: bool(self.calls))
        # The thread has ended as well.
        ((function, *arguments),) = self.calls
        function(*arguments)
        self.assertEqual(printer.outcome, (CLOSED_PIPE, ""))

    @inlineCallbacks
    def test_file(self) -> Steps:
        """
        For rich, standard output is a text file that knows whether its reader is behind.
        """
        printer, _ = yield self.stopped()
        file = OutputFile(printer, self.sink)
        self.assertTrue(file.isBehind)
        self.assertFalse(file.isatty())
        self.assertEqual(file.write("é"), 1)
        for _ in range(2):
            yield deferToThread(os.read, self.source, 1 << 16)
        yield self.until(lambda: printer.waiting == 0)
        self.assertFalse(file.isBehind)

    @inlineCallbacks
    def test_readerGone(self) -> Steps:
        """
        A reader that has closed the pipe ends the run.
        """
        self.close(self.source)
        printer = self.printer()
        printer.line("first")
        yield self.until(lambda: printer.outcome is not None)
        yield Deferred.fromCoroutine(printer.finish())
        self.assertEqual(printer.judge(Outcome(0)), (CLOSED_PIPE, ""))
