"""
Standard output that never delays the probes.
"""

from __future__ import annotations

import os
import select
from contextlib import suppress
from dataclasses import dataclass
from io import TextIOBase
from queue import Empty, SimpleQueue
from threading import Event, Thread

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from echod.client.exitstatus import SOME, Outcome
from echod.client.run import Printer, Run, encode

MOST_WAITING = 1 << 22
"""
How many bytes wait for the reader at most: about a minute of lines at 1000 probes a second.
"""

PAUSE = 0.05
"""
The time between two writes, in seconds.  Each one takes the interpreter from the measuring
thread for a moment, so there are few, and people notice no delay.
"""

BATCH = 256
"""
How many lines are written at a time: joining them takes far less than a probe.
"""

PATIENCE = 10.0
"""
How long to wait at the end for a reader that reads nothing, in seconds.
"""

PATIENCE_INTERRUPTED = 0.5
"""
The same after Ctrl-C.
"""


@dataclass
class Count:
    """
    @ivar size: A number of bytes.

    @ivar lines: A number of lines.
    """

    size: int = 0
    lines: int = 0

    def add(self, data: bytes) -> None:
        """
        Count data.
        """
        self.size += len(data)
        self.lines += data.count(b"\n")


class BufferedPrinter(Printer):
    """
    Prints in a thread.  If the reader is slow, lines wait; if too many bytes wait, new lines
    are dropped.

    @ivar dropped: How many lines were dropped.
    """

    def __init__(self, run: Run, most: int = MOST_WAITING) -> None:
        """
        @param most: How many bytes may wait.
        """
        super().__init__(run)
        self.dropped = 0
        self._most = most
        self._patience = PATIENCE
        self._queue: SimpleQueue[bytes | None] = SimpleQueue()
        # Each count is changed by one thread only.
        self._given = Count()
        self._written = Count()
        self._ending = Event()
        self._isGivenUp = False
        self._seen = -1
        self._since = 0.0
        self._finished: Deferred[None] = Deferred()
        Thread(target=self._writeAll, name="output", daemon=True).start()

    @property
    def waiting(self) -> int:
        """
        How many bytes wait for the reader.
        """
        return self._given.size - self._written.size

    def write(self, data: bytes) -> bool:
        """
        Print a line, or other bytes, soon.

        @return: False if they were dropped.
        """
        if self.waiting > self._most:
            self.dropped += 1
            return False
        self._given.add(data)
        self._queue.put(data)
        return True

    def keepAll(self) -> None:
        """
        Drop no more lines: the run is over, and a few are still to come.
        """
        self._most += MOST_WAITING

    async def finish(self) -> None:
        """
        Wait until all is written.  If the reader reads nothing for some time, give up.
        """
        if self._run.isInterrupted:
            self.interrupt()
        self._run.interrupt = self.interrupt
        self._ending.set()
        self._queue.put(None)
        watching = LoopingCall(self._watch)
        watching.clock = self._run.reactor
        watching.start(PAUSE)
        await self._finished
        watching.stop()

    def interrupt(self) -> None:
        """
        Give up soon if the reader reads nothing.
        """
        self._patience = PATIENCE_INTERRUPTED

    def judge(self, outcome: Outcome) -> Outcome:
        """
        @param outcome: The outcome of the run.

        @return: The outcome of the run and of printing.
        """
        if self.outcome is not None or not self.dropped:
            return self.outcome or outcome
        return Outcome(
            outcome.status or SOME,
            f"standard output was read too slowly: {self.dropped} lines were not printed",
        )

    def _watch(self) -> None:
        now = self._run.reactor.seconds()
        if self._seen != self._written.size:
            self._seen, self._since = self._written.size, now
        if now - self._since >= self._patience and not self._finished.called:
            self._isGivenUp = True
            self.dropped += self._given.lines - self._written.lines
            self._finished.callback(None)

    def _writeAll(self) -> None:
        """
        Write until the end.  This is the thread.
        """
        error: OSError | None = None
        lines: list[bytes | None] = []
        try:
            while None not in lines and not self._isGivenUp:
                lines = [self._queue.get()]
                self._ending.wait(PAUSE)
                with suppress(Empty):
                    while len(lines) < BATCH:
                        lines.append(self._queue.get_nowait())
                self._writeSome(b"".join(filter(None, lines)))
        except OSError as problem:
            error = problem
        self._run.reactor.callFromThread(self._ended, error)

    def _writeSome(self, data: bytes) -> None:
        while data and not self._isGivenUp:
            try:
                # A large write to a pipe would end only when the reader has read nearly all.
                count = os.write(self._run.stdout, data[: select.PIPE_BUF])
            except BlockingIOError:
                # Another process has made the file non-blocking.
                select.select([], [self._run.stdout], [])
            else:
                self._written.add(data[:count])
                data = data[count:]

    def _ended(self, error: OSError | None) -> None:
        if error is not None:
            self.fail(error)
        if not self._finished.called:
            self._finished.callback(None)


class OutputFile(TextIOBase):
    """
    Standard output as a text file.
    """

    def __init__(self, printer: BufferedPrinter, descriptor: int) -> None:
        super().__init__()
        self._printer = printer
        self._descriptor = descriptor

    @property
    def isBehind(self) -> bool:
        """
        True if the reader has not read everything yet.
        """
        return self._printer.waiting > 0

    def isatty(self) -> bool:
        """
        @return: True if standard output is a terminal.
        """
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        """
        Print text soon.
        """
        self._printer.write(encode(text))
        return len(text)
