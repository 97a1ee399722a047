"""
Does what a page of the documentation says, as its reader would: C{python -m
tests.story.tell docs/tutorial.rst}.

How a page is written:

A page is one story.  It is done from top to bottom in an empty folder.  It needs the
programs that its commands begin with, and is not begun where one is missing.  Where
L{ALONE} is possible, the tests give it a network of its own, so that the ports it
names are free.

C{.. code-block:: console} is a terminal of its own, really there.  Lines that begin
with C{$ } are typed to bash; the next lines must appear, and nothing else.  C{...}
stands for anything in a line, and alone for any lines.  Times of day, numbers with a
fraction and ports from 30000 on differ each time, and match others of their kind.
Lines typed to a program are those of C{:emphasize-lines:}; C{> } at their beginning
is its prompt.  C{^C} and C{^D} on a line are those keys.  A command must end with
status 0, unless the next one shows C{$?}; or the block ends with C{...}: then it goes
on, and the next block that does not begin with C{$ } goes on with it.  (C{$} alone at
the end says that it does not.)  At the end of the page it gets a Ctrl-C, and must end.

C{.. code-block:: python}, or whatever language, with C{:caption: NAME} is a file that
the reader makes, as is a C{literalinclude}.  Without a caption Python is run, C{>>>}
as doctest.  The languages C{text} and C{none} are pictures.

A comment C{.. not run: REASON} right before a block exempts it.  Where Sphinx is not
at hand, as for the README, C{.. file: NAME} and C{.. typed: 2,4} stand for the
options, and C{::} alone for the directive; it is a terminal if it begins with C{$ }.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import PIPE, STDOUT, run
from tempfile import TemporaryDirectory

from tests.story.pages import BadPage, Exempt, File, Program, Session, Step, commands, steps
from tests.story.programs import missing
from tests.story.typist import PATIENCE, SHELL, Mismatch, Terminal

ALONE = [
    *("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *([] if os.geteuid() == 0 else ["--map-root-user"]),
    *("sh", "-c", 'ip link set lo up && exec "$@"', "sh"),
]
"""
Runs a command with a network of its own, and ends with it whatever it has started.
"""

LACKING = 77
"""
The exit status where a program that a page needs is not there; as for automake.
"""

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

BUILT_IN = ["bash", "-c", "compgen -b -k"]
"""
Prints the commands that bash has in itself.
"""


class NotFound(Exception):
    """
    Programs that a page needs are not installed.
    """


class Story:
    """
    Runs one page.
    """

    def __init__(self, folder: Path, programs: Path, patience: float = PATIENCE) -> None:
        """
        @param folder: The working directory of the reader.

        @param programs: The directory of C{python}, C{twistd} and C{echoc}.

        @param patience: How long to wait for what should happen at once, in seconds.
        """
        self._patience = patience
        self._programs = programs
        self._folder = folder
        self._environment = {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PATH": f"{programs}:{PATH}",
            "TERM": "xterm",
            "TZ": "UTC",
        }
        self._terminals: list[Terminal] = []

    def __enter__(self) -> Story:
        return self

    def __exit__(self, *_: object) -> None:
        while self._terminals:
            self._terminals.pop().close()

    def do(self, step: Step) -> None:
        """
        Do one step.

        @raise Mismatch: if the result differs from the page.
        """
        doing: Mapping[type, Callable[..., None]] = {
            File: self._make,
            Program: self._run,
            Session: self._talk,
            Exempt: lambda _: None,
        }
        doing[type(step)](step)

    def _make(self, file: File) -> None:
        path = self._folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.content)

    def _run(self, program: Program) -> None:
        name, how = (
            ("example.txt", ["-m", "doctest"]) if program.doctest else ("example.py", [])
        )
        self._make(File(program.line, name, program.content))
        done = run(
            [str(self._programs / "python"), *how, name],
            cwd=self._folder,
            env=self._environment,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=self._patience,
        )
        if done.returncode:
            raise Mismatch(done.stdout)

    def _talk(self, session: Session) -> None:
        if session.continues:
            busy = [terminal for terminal in self._terminals if terminal.busy]
            if not busy:
                raise Mismatch("nothing is running any more")
            terminal = busy[-1]
        else:
            terminal = Terminal(self._folder, self._environment, self._patience)
            self._terminals.append(terminal)
        terminal.act(session)


def tell(page: Path, programs: Path, patience: float = PATIENCE) -> None:
    """
    Do everything that a page says, and print what is not run.  The programs that the page needs
    are its commands.

    @raise BadPage: if the page does not say what to do.

    @raise Mismatch: if the result differs from the page.

    @raise NotFound: if a program is not installed; nothing was done then.
    """
    todo = steps(page)
    if names := _missing(commands(todo), f"{programs}:{PATH}"):
        raise NotFound(", ".join(names))
    with TemporaryDirectory() as folder, Story(Path(folder), programs, patience) as story:
        for step in todo:
            if isinstance(step, Exempt):
                print(f"{page.name}:{step.line}: not run: {step.reason}")
            try:
                story.do(step)
            except Mismatch as problem:
                raise Mismatch(f"{page.name}:{step.line}: {problem}") from None


def _missing(commands: set[str], path: str) -> list[str]:
    """
    @return: The programs of these commands that are not on this path.
    """
    names = missing(SHELL[0], "bash", path=path)
    if not names:
        inBash = run(BUILT_IN, stdout=PIPE, text=True, check=True).stdout.split()
        names = missing(*sorted(commands.difference(inBash)), path=path)
    return names


def main() -> int:
    """
    @return: An exit status.
    """
    parser = ArgumentParser(description="Do what a page of the documentation says.")
    parser.add_argument("page", type=Path)
    parser.add_argument(
        "--programs",
        type=Path,
        default=Path(sys.executable).parent,
        help="where python, twistd and echoc are",
    )
    arguments = parser.parse_args()
    try:
        tell(arguments.page, arguments.programs.resolve())
    except NotFound as missing:
        print(missing)
        return LACKING
    except (BadPage, Mismatch) as problem:
        print(problem)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
