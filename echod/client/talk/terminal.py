"""
A person at a terminal: a line that can be edited, and above it what comes.
"""

from __future__ import annotations

import os
import signal
import termios
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IConsumer
from zope.interface import implementer

from echod.client.talk.lineeditor import CLEAR, LineEditor
from echod.client.talk.stdio import Input
from echod.net.format import SHOWN_BYTES, escaped

PROMPT = "> "

HEARD = "From Server : "
"""
What stands before the server's words; the article's.
"""

PAUSE = 0.2
"""
How long the rest of a line may take, in seconds, before what there is of it is
shown: longer than a network cuts a line apart, shorter than a person minds.
"""


class Terminal:
    """
    Reads lines from a terminal, and shows lines on it.
    """

    def __init__(self, reactor: Any, descriptors: tuple[int, int]) -> None:
        """
        @param descriptors: What to read from and what to write to.
        """
        self._in, self._out = descriptors
        self._reactor = reactor
        self._editor = LineEditor(PROMPT)
        self._saved = termios.tcgetattr(self._in)
        self._input: Input | None = None
        self._stopped: Any = None

    def open(self, said: Callable[[str], object], ended: Callable[[], object]) -> None:
        """
        Prompt for lines.

        @param said: Is called with each of them.

        @param ended: Is called when there are no more: at Ctrl-D, or when the
            terminal is gone.
        """
        self._said, self._ended = said, ended
        self._input = Input(self._reactor, self._in, self._typed, ended)
        self._input.resumeProducing()
        self._stopped = signal.signal(
            signal.SIGTSTP, lambda *_: self._reactor.callFromThread(self._stop)
        )
        self._take()

    def show(self, line: str) -> None:
        """
        Show a line above the one that is being typed.
        """
        self._write(f"{CLEAR}{line}\n{self._draw()}")

    def close(self) -> None:
        """
        Leave the terminal as it was.
        """
        if self._input is not None:
            self._input.stopProducing()
            self._input = None
            signal.signal(signal.SIGTSTP, self._stopped)
            self._give()

    def _take(self) -> None:
        # Keys come one by one and unseen; Ctrl-C is still Ctrl-C.
        attributes = termios.tcgetattr(self._in)
        attributes[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self._in, termios.TCSADRAIN, attributes)
        self._write(self._draw())

    def _give(self) -> None:
        self._write(CLEAR)
        termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)

    def _stop(self) -> None:
        # Ctrl-Z: the shell has the terminal, until it says go on.
        if self._input is not None:
            self._give()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._take()

    def _typed(self, data: bytes) -> None:
        for line in self._editor.type(data):
            if self._input is None:
                return
            if line is None:
                self._ended()
            else:
                self._write(f"{CLEAR}{PROMPT}{line}\n")
                self._said(line)
        self._write(self._draw())

    def _draw(self) -> str:
        if self._input is None:
            return ""
        # Some terminals do not know.
        return self._editor.draw(os.get_terminal_size(self._out).columns or 80)

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._out, data) :]


@implementer(IConsumer)
class Words:
    """
    Shows what a server says, line by line, whatever the segments it comes in.
    """

    def __init__(self, reactor: Any, show: Callable[[str], object]) -> None:
        self._reactor = reactor
        self._show = show
        self._begun = b""
        self._pause: Any = None

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """
        A terminal takes everything.
        """

    def unregisterProducer(self) -> None:
        """
        Nothing more comes.
        """

    def write(self, data: bytes) -> None:
        """
        The server says something, of which the last line may not be whole.
        """
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._begun) > SHOWN_BYTES:
            self.flush()
        self._wait()

    def flush(self) -> None:
        """
        What there is, is shown.
        """
        begun, self._begun = self._begun, b""
        if begun:
            self._line(begun)
        self._wait()

    def _line(self, line: bytes) -> None:
        self._show(HEARD + escaped(line.removesuffix(b"\r")))

    def _wait(self) -> None:
        if self._pause is not None and self._pause.active():
            self._pause.cancel()
        if self._begun:
            self._pause = self._reactor.callLater(PAUSE, self.flush)
