"""
A terminal: a line that the user edits, with received lines above it.
"""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable
from types import FrameType

from twisted.internet.interfaces import IConsumer, IDelayedCall, IReactorTime
from zope.interface import implementer

from echod.client.reactor import IClientReactor
from echod.client.talk.lineeditor import CLEAR, LineEditor
from echod.client.talk.stdio import Input
from echod.net.format import SHOWN_BYTES, escaped

PROMPT = "> "

RECEIVED = "From Server : "
"""
The prefix of each received line, as in the article.
"""

PAUSE = 0.2
"""
How long to wait for the rest of a received line, in seconds, before showing its
beginning: longer than the pauses between the segments of one line, too short to annoy
the user.
"""

DEFAULT_COLUMNS = 80
"""
The width of a terminal that does not know it.
"""


def stopProcess() -> None:
    """
    Stop this process, as the default action of Ctrl-Z does.
    """
    os.kill(os.getpid(), signal.SIGSTOP)


class Terminal:
    """
    Reads lines from a terminal, and shows lines on it.
    """

    def __init__(
        self,
        reactor: IClientReactor,
        descriptors: tuple[int, int],
        stop: Callable[[], object] = stopProcess,
    ) -> None:
        """
        @param descriptors: The descriptors to read from and to write to.

        @param stop: Called at Ctrl-Z, when the terminal is as it was before.
        """
        self._in, self._out = descriptors
        self._reactor = reactor
        self._stop = stop
        self._editor = LineEditor(PROMPT)
        self._saved = termios.tcgetattr(self._in)
        self._input: Input | None = None
        self._stopHandler: (
            Callable[[int, FrameType | None], object] | int | signal.Handlers | None
        ) = None

    def open(self, typed: Callable[[str], object], ended: Callable[[], object]) -> None:
        """
        Prompt for lines.

        @param typed: Called with each line.

        @param ended: Called at Ctrl-D, or when the terminal is gone.
        """
        self._lineTyped, self._ended = typed, ended
        self._input = Input(self._reactor, self._in, self._read, ended)
        self._input.resumeProducing()
        self._stopHandler = signal.signal(
            signal.SIGTSTP, lambda *_: self._reactor.callFromThread(self._suspend)
        )
        self._enterRawMode()

    def show(self, line: str) -> None:
        """
        Show a line above the one that the user is typing.
        """
        self._write(f"{CLEAR}{line}\n{self._draw()}")

    def close(self) -> None:
        """
        Restore the terminal.
        """
        if self._input is not None:
            self._input.stopProducing()
            self._input = None
            signal.signal(signal.SIGTSTP, self._stopHandler)
            self._restoreMode()

    def _enterRawMode(self) -> None:
        # Each key arrives at once and is not echoed.  Ctrl-C and Ctrl-Z still send
        # signals.
        attributes = termios.tcgetattr(self._in)
        attributes[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._in, termios.TCSADRAIN, attributes)
        self._write(self._draw())

    def _restoreMode(self) -> None:
        self._write(CLEAR)
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)

    def _suspend(self) -> None:
        if self._input is not None:
            self._restoreMode()
            self._stop()
            self._enterRawMode()

    def _read(self, data: bytes) -> None:
        for line in self._editor.type(data):
            if self._input is None:
                return
            if line is None:
                self._ended()
            else:
                self._write(f"{CLEAR}{PROMPT}{line}\n")
                self._lineTyped(line)
        self._write(self._draw())

    def _draw(self) -> str:
        if self._input is None:
            return ""
        return self._editor.draw(os.get_terminal_size(self._out).columns or DEFAULT_COLUMNS)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._out, data) :]


@implementer(IConsumer)
class LineDisplay:
    """
    Shows received bytes line by line, for any split into segments.
    """

    def __init__(self, reactor: IReactorTime, show: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._show = show
        self._begun = b""
        self._pause: IDelayedCall | None = None

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        Do nothing: a terminal is never full.
        """

    def unregisterProducer(self) -> None:
        """
        Do nothing.
        """

    def write(self, data: bytes) -> None:
        """
        Show all complete lines; the rest follows later.
        """
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._begun) > SHOWN_BYTES:
            self.flush()
        self._wait()

    def flush(self) -> None:
        """
        Show an incomplete line now.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._line(begun)
        self._wait()

    def _line(self, line: bytes) -> None:
        self._show(RECEIVED + escaped(line.removesuffix(b"\r")))

    def _wait(self) -> None:
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
        if self._begun:
            self._pause = self._reactor.callLater(PAUSE, self.flush)
