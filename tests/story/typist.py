"""
Somebody at a terminal: types what a page says, and looks whether there appears what
it says.
"""

from __future__ import annotations

import fcntl
import os
import re
import select
import signal
import struct
import termios
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import Popen
from time import monotonic

from tests.story.pages import KEYS, Session

PATIENCE = 90.0
"""
How long to wait for what should happen at once, in seconds: much longer than the
busiest machine takes.
"""

INSISTENCE = 1.0
"""
How long to wait for a Ctrl-C to be obeyed, in seconds, before the next.
"""

PAUSE = 0.4
"""
The time between two keys of a slow typist, in seconds: longer than echod waits for the
rest of a goodbye.
"""

SHELL = ["setsid", "--ctty", "bash", "--norc", "--noprofile", "--noediting", "-i"]

PROMPT = re.compile(r"\x1d([0-9]+)\x1d$")
"""
The prompt of the shell, with the exit status of the last command.
"""

PROMPTS = ("> ", ">>> ", "... ")
"""
The prompts of programs that read input from the user.
"""

COLUMNS, ROWS = 80, 24

ANYTHING = "..."

MEASURED = re.compile(
    r"""
    (?P<anything> \.\.\. )
    | (?P<time> \b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d (?: [.]\d+ )? (?: [+-]\d\d:?\d\d )? )
    | (?P<port> (?<=:) [3-6]\d{4}\b )
    | (?P<fraction> (?<![\d.]) \d+\.\d+ (?! \.?\d ) )
    """,
    re.VERBOSE,
)
"""
The parts of an output that differ each time.
"""

LIKEWISE = {
    "anything": r"[^\n]*",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[\d.:+-]*",
    "port": r"\d{4,5}",
    "fraction": r"\d+\.\d+(?:e-\d+)?",
}


class Mismatch(Exception):
    """
    The terminal does not show what the page says.
    """


class Screen:
    """
    The screen of a terminal, where programs redraw at most one line.

    @ivar lines: The finished ones.

    @ivar current: The one that the cursor is in.
    """

    _PART = re.compile(r"\x1b\[[0-9;?]*[^0-9;?]|\x1b.|.", re.DOTALL)
    _UNSEEN = ("\x1b", "\x03", "\x04", "\x07")

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.current = ""
        self._column = 0

    def write(self, text: str) -> None:
        """
        Show something.
        """
        for part in self._PART.findall(text):
            if part == "\n":
                self.lines.append(self.current.rstrip())
                self.current, self._column = "", 0
            elif part == "\r":
                self._column = 0
            elif part == "\x1b[K":
                self.current = self.current[: self._column]
            elif not part.startswith(self._UNSEEN):
                before, after = self.current[: self._column], self.current[self._column + 1 :]
                self.current = before + part + after
                self._column += 1


class Terminal:
    """
    A shell, and the commands in it, at a terminal of their own.
    """

    def __init__(
        self, folder: Path, environment: Mapping[str, str], patience: float = PATIENCE
    ) -> None:
        """
        @param folder: The working directory of the shell.

        @param patience: How long to wait for what should happen at once, in seconds.
        """
        self._patience = patience
        self._screen = Screen()
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._seen = 0
        self._descriptor, terminal = os.openpty()
        self._process = Popen(
            SHELL,
            cwd=folder,
            env={**environment, "PS1": "\x1d$?\x1d", "PS2": ""},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        size = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, size)
        # A Ctrl-C is not shown in front of whatever comes next.
        attributes = termios.tcgetattr(self._descriptor)
        attributes[3] &= ~termios.ECHOCTL
        termios.tcsetattr(self._descriptor, termios.TCSANOW, attributes)
        self._interrupted = False
        self._wait(self._prompted, "no shell")

    @property
    def busy(self) -> bool:
        """
        True if a command is running.
        """
        return not self._prompted()

    def act(self, session: Session) -> None:
        """
        Do what a page says.

        @raise Mismatch: if the terminal shows something else.
        """
        shown = [ANYTHING] if session.continues else []
        for kind, text in session.events:
            if kind == "shown":
                shown.append(text)
            elif kind == "command":
                self._finish(shown, "$?" in text)
                self._enter(text)
                shown = []
            elif kind == "key":
                self._meet(shown)
                self._interrupted = text == "^C"
                self._type(KEYS[text])
                shown = _open(shown)
            else:
                prompt = next(filter(text.startswith, PROMPTS), "")
                self._meet(shown, prompt)
                self._type(text.removeprefix(prompt) + "\n")
                # The terminal shows what is typed at it.
                shown = [*_open(shown), text]
        if session.goesOn:
            self._meet(shown)
        else:
            self._finish(shown, False)

    def start(self, command: str) -> None:
        """
        Start a command that does not end by itself.
        """
        self._enter(command)

    def press(self, key: str) -> None:
        """
        Press one key.
        """
        self._type(key)

    def pause(self) -> None:
        """
        Wait until nothing has appeared for L{PAUSE} seconds.
        """
        while self._read(PAUSE):
            pass

    def waitFor(self, text: str) -> None:
        """
        Wait until the command has shown a text.

        @raise Mismatch: if it does not.
        """
        self._wait(lambda: text in self._unseen(), f"{text!r} is not shown")

    def close(self) -> None:
        """
        End the shell, with Ctrl-C if a command is still running.

        @raise Mismatch: if that does not end it.
        """
        try:
            deadline = monotonic() + self._patience
            # A shell whose command dies while it is being started may have lost
            # the terminal, and ends as well.
            while self.busy and self._process.poll() is None:
                # A program that has just started may have missed the first.
                self._type(KEYS["^C"])
                if not self._appears(self._prompted, INSISTENCE) and monotonic() > deadline:
                    raise Mismatch(self._difference("Ctrl-C does not end it"))
        finally:
            with suppress(OSError):
                # None is 0, and that would be our own.
                if group := os.tcgetpgrp(self._descriptor):
                    os.killpg(group, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
            os.close(self._descriptor)

    def _enter(self, command: str) -> None:
        self._seen = len(self._screen.lines) + command.count("\n") + 1
        self._interrupted = False
        self._type(command + "\n")
        # The prompt has to go before the next can come.
        self._wait(lambda: len(self._screen.lines) >= self._seen, "the shell does not read")

    def _type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def _finish(self, shown: Sequence[str], told: bool) -> None:
        """
        Check that the command ends and has shown nothing else.
        """
        self._wait(
            self._prompted, "it has not ended; a block that leaves it ends with ...", shown
        )
        prompt = PROMPT.search(self._screen.current)
        assert prompt is not None
        status = int(prompt[1])
        if not re.fullmatch(self._pattern(shown), self._unseen()):
            raise Mismatch(self._difference("something else appears", shown))
        if status and not told and not self._interrupted:
            raise Mismatch(self._difference(f"its status is {status}", shown))
        self._seen = len(self._screen.lines)

    def _meet(self, shown: Sequence[str], prompt: str = "") -> None:
        """
        Check that the command shows a text and goes on.
        """
        pattern = re.compile(self._pattern(shown) + re.escape(prompt))
        self._wait(
            lambda: pattern.match(self._unseen()) or self._prompted(), "it is not shown", shown
        )
        match = pattern.match(self._unseen())
        if match is None:
            raise Mismatch(self._difference("it has ended", shown))
        self._seen += match[0].count("\n")

    def _pattern(self, shown: Sequence[str]) -> str:
        # Behind what a Ctrl-C has killed the shell begins a new line.
        return "".join(map(_linePattern, shown)) + (r"\n?" if self._interrupted else "")

    def _prompted(self) -> bool:
        return PROMPT.search(self._screen.current) is not None

    def _unseen(self) -> str:
        lines = self._screen.lines[self._seen :]
        last = PROMPT.sub("", self._screen.current)
        # Show output without a line ending as if it had one.
        ending = "\n" if last and self._prompted() else ""
        return "".join(f"{line}\n" for line in lines) + last + ending

    def _wait(
        self, condition: Callable[[], object], problem: str, shown: Sequence[str] = ()
    ) -> None:
        if not self._appears(condition, self._patience):
            raise Mismatch(self._difference(problem, shown))

    def _appears(self, condition: Callable[[], object], seconds: float) -> bool:
        deadline = monotonic() + seconds
        while not condition():
            if not self._read(deadline - monotonic()):
                return False
        return True

    def _read(self, seconds: float) -> bool:
        """
        @return: True if something came in time.
        """
        readable, _, _ = select.select([self._descriptor], [], [], max(seconds, 0))
        data = b""
        if readable:
            # An error is its end, on Linux.
            with suppress(OSError):
                data = os.read(self._descriptor, 1 << 16)
        self._screen.write(self._decode(data))
        return bool(data)

    def _difference(self, problem: str, shown: Sequence[str] = ()) -> str:
        expected = "\n".join(shown)
        return f"{problem}.\n-- on the page:\n{expected}\n-- at the terminal:\n{self._unseen()}"


def _open(shown: Sequence[str]) -> list[str]:
    """
    @return: The last of the expected lines, if it stands for any further output.
    """
    return [ANYTHING] if shown[-1:] == [ANYTHING] else []


def _linePattern(line: str) -> str:
    if line == ANYTHING:
        return r"(?:[^\n]*\n)*?"
    pattern, end = "", 0
    for match in MEASURED.finditer(line):
        assert match.lastgroup is not None
        pattern += re.escape(line[end : match.start()]) + LIKEWISE[match.lastgroup]
        end = match.end()
    return pattern + re.escape(line[end:].rstrip()) + r"\n"
