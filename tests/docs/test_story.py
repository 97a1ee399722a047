"""
Tests for what does what a page says: a page that is wrong fails.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking, needs, temporaryDirectory

try:
    from tests.story.pages import (
        BadPage,
        Exempt,
        File,
        Program,
        Session,
        Step,
        commands,
        steps,
    )
    from tests.story.tell import NotFound, tell
    from tests.story.typist import Mismatch, Screen
except ImportError:
    Screen = None  # type: ignore[assignment,misc]

SOON = 0.3
"""
How long to wait for what never happens, in seconds.
"""


class PageTestCase(SynchronousTestCase):
    """
    A test with a page.
    """

    def setUp(self) -> None:
        if Screen is None:
            lacking("docutils")
        self.folder = temporaryDirectory(self)

    def page(self, text: str) -> Path:
        """
        @return: A page.
        """
        path = self.folder / "page.rst"
        path.write_text(text)
        return path

    def console(self, *lines: str, options: str = "") -> str:
        """
        @return: A terminal on a page.
        """
        return _block("code-block:: console", *lines, options=options)


def _block(directive: str, *lines: str, options: str = "") -> str:
    block = [*options.split("\n"), "", *lines]
    return f".. {directive}\n" + "".join(f"   {line}\n" for line in block) + "\n"


class StepsTests(PageTestCase):
    """
    Tests for the steps that are read from a page.
    """

    def steps(self, text: str) -> list[Step]:
        """
        @return: The steps of a page.
        """
        return steps(self.page(text))

    def bad(self, text: str, problem: str) -> None:
        """
        A page makes no sense.
        """
        with self.assertRaises(BadPage) as caught:
            self.steps(text)
        self.assertIn(problem, str(caught.exception))

    def test_session(self) -> None:
        """
        Commands begin with a prompt, lines to programs are emphasized, keys have a
        line of their own, and the rest is shown.
        """
        text = self.console(
            *("$ cat", "hello", "hello", "^D", "$ true \\", ">   or not", "$"),
            options=":emphasize-lines: 2",
        )
        (session,) = self.steps(text)
        assert isinstance(session, Session)
        self.assertEqual(
            session.events,
            [
                ("command", "cat"),
                ("typed", "hello"),
                ("shown", "hello"),
                ("key", "^D"),
                ("command", "true \\\n  or not"),
            ],
        )
        self.assertFalse(session.goesOn or session.continues)

    def test_goesOn(self) -> None:
        """
        A terminal that ends with three dots is left with its command running; one
        without a prompt goes on with that.
        """
        first, second = self.steps(self.console("$ cat", "...") + self.console("more"))
        assert isinstance(first, Session)
        assert isinstance(second, Session)
        self.assertTrue(first.goesOn)
        self.assertTrue(second.continues)

    def test_ends(self) -> None:
        """
        A prompt alone says that the command ends, whatever else it shows.
        """
        (session,) = self.steps(self.console("$ true", "...", "$"))
        assert isinstance(session, Session)
        self.assertFalse(session.goesOn)
        self.assertEqual(session.events[-1], ("shown", "..."))

    def test_plain(self) -> None:
        """
        Without Sphinx, comments take the place of its options.
        """
        text = ".. typed: 2\n\n::\n\n    $ cat\n    hello\n\n.. file: a.py\n\n::\n\n    1\n"
        session, file = self.steps(text)
        assert isinstance(session, Session)
        self.assertEqual(session.events, [("command", "cat"), ("typed", "hello")])
        self.assertEqual(file, File(file.line, "a.py", "1\n"))

    def test_files(self) -> None:
        """
        A block with a caption is a file, and so is an included one.
        """
        (self.folder / "b.py").write_text("2\n")
        text = _block("code-block:: ini", "1", options=":caption: a.ini")
        files = self.steps(text + _block("literalinclude:: b.py"))
        self.assertEqual(
            [(file.name, file.content) for file in files if isinstance(file, File)],
            [("a.ini", "1\n"), ("b.py", "2\n")],
        )

    def test_programs(self) -> None:
        """
        Python without a caption is a program, or a doctest; pictures are nothing.
        """
        text = _block("code-block:: python", "1") + ">>> 1\n1\n\n"
        programs = self.steps(text + _block("code-block:: text", "1"))
        self.assertEqual(
            [program.doctest for program in programs if isinstance(program, Program)],
            [False, True],
        )

    def test_commands(self) -> None:
        """
        The programs that a page needs are the first words of its commands.
        """
        text = self.console(
            "$ a -b 'c; d' | e 2>&1 && (f; g=h i < j) > t || k & l $(m)",
            *("$ n \\", ">    o", "p", "$ q", "r"),
            options=":emphasize-lines: 6",
        )
        self.assertEqual(commands(self.steps(text)), set("aefiklnqm"))
        self.assertEqual(
            commands(self.steps(".. not run: takes long\n\n" + self.console("$ a"))), set()
        )

    def test_exempt(self) -> None:
        """
        A block that is not run has a reason.
        """
        text = ".. not run: needs a\n   cluster\n\n" + self.console("$ kubectl")
        (exempt,) = self.steps(text)
        assert isinstance(exempt, Exempt)
        self.assertEqual(exempt.reason, "needs a cluster")
        self.bad(".. not run:\n\n" + self.console("$ true"), "why is this not run?")

    def test_unmarked(self) -> None:
        """
        A block that nobody can tell what to do with is an error.
        """
        self.bad("Do this::\n\n    make it so\n", "neither run nor exempt: 'make it so'")
        self.bad(_block("code-block:: ini", "a = b"), "neither run nor exempt")

    def test_hidden(self) -> None:
        """
        A block in a directive of which only Sphinx knows is an error.
        """
        self.bad(
            ".. tab:: Linux\n\n   .. code-block:: console\n\n      $ true\n",
            "only Sphinx knows",
        )


class TellTests(PageTestCase):
    """
    Tests for running the steps of a page.
    """

    def setUp(self) -> None:
        super().setUp()
        needs("bash", "setsid")

    def tell(self, *blocks: str) -> None:
        """
        Do what a page says.
        """
        with contextlib.redirect_stdout(io.StringIO()) as self.said:
            tell(self.page("".join(blocks)), Path(sys.executable).parent, SOON * 100)

    def wrong(self, problem: str, *blocks: str, patience: float = SOON * 100) -> None:
        """
        A page says what does not happen.
        """
        with self.assertRaises(Mismatch) as caught:
            tell(self.page("".join(blocks)), Path(sys.executable).parent, patience)
        self.assertIn(problem, str(caught.exception))

    def test_right(self) -> None:
        """
        A page that is right passes: commands, programs that are talked to, keys,
        and files, all in one folder.
        """
        self.tell(
            _block("code-block:: text", "a", options=":caption: d/a.txt"),
            self.console("$ cat d/a.txt", "a", "$ false", "$ echo $?", "1"),
            self.console(*("$ cat", "one", "one", "^D"), options=":emphasize-lines: 2"),
            self.console("$ printf 'no end'", "no end"),
            self.console("$ echo a \\", ">    b", "a b"),
        )

    def test_measured(self) -> None:
        """
        Times of day, ports and fractions may differ; other figures may not.
        """
        echo = "$ echo 2026-11-22T16:41:05+0000 127.0.0.1:{} {}, {}"
        shown = "2025-01-01T00:00:00+0000 127.0.0.1:40312 1.5, 3"
        self.tell(self.console(echo.format(51234, "22.75", 3), shown))
        self.wrong("3", self.console(echo.format(51234, "22.75", 4), shown))
        self.wrong("8080", self.console(echo.format(8080, "22", 3), shown))

    def test_dots(self) -> None:
        """
        Three dots are anything in a line, or any lines.
        """
        lines = "$ printf 'one\\ntwo\\nthree four\\n'"
        self.tell(self.console(lines, "...", "three ...", "$ true"))
        self.tell(self.console(lines, "one", "...", "three four", "$ true"))
        self.wrong("else", self.console(lines, "...", "three", "$ true"))

    def test_wrongOutput(self) -> None:
        """
        A page fails that shows something else, something less or something more
        than appears.
        """
        self.wrong("page.rst:1: something else appears", self.console("$ echo one", "two"))
        self.wrong("at the terminal:\none", self.console("$ echo one"))
        self.wrong("on the page:\none", self.console("$ true", "one"))

    def test_status(self) -> None:
        """
        A page fails on which a command fails and that is not shown.
        """
        self.wrong("its status is 1", self.console("$ false"))

    def test_notFound(self) -> None:
        """
        A page is not begun where programs are missing, and they are all named.
        """
        with self.assertRaises(NotFound) as caught:
            self.tell(
                self.console("$ false"),
                self.console("$ true | no-such-program; cd .; trap '' INT"),
                self.console("$ A=1 nor-this-one"),
            )
        self.assertEqual(str(caught.exception), "no-such-program, nor-this-one")

    def test_server(self) -> None:
        """
        A command that a block leaves runs until the end of the page, and other
        blocks can go on with it.
        """
        self.tell(
            self.console("$ echo up; cat", "up", "...", options=":emphasize-lines: 9"),
            self.console("$ echo meanwhile", "meanwhile"),
            self.console("hello", "hello", "^C", "", options=":emphasize-lines: 1"),
            self.console("$ cat", "..."),
        )

    def test_notUp(self) -> None:
        """
        A page fails when a command ends before it has shown what it should.
        """
        self.wrong("it has ended", self.console("$ echo down", "up", "..."))

    def test_nothingRuns(self) -> None:
        """
        A page fails that goes on with what has ended.
        """
        self.wrong("nothing is running", self.console("$ true"), self.console("more"))

    def test_notEnded(self) -> None:
        """
        A page fails when a command goes on and it does not say so, or cannot be
        ended.
        """
        self.wrong("it has not ended", self.console("$ cat"), patience=SOON)
        self.wrong(
            "Ctrl-C does not end it",
            self.console("$ trap '' INT; echo up; sleep 30", "up", "..."),
            patience=SOON,
        )

    def test_programs(self) -> None:
        """
        Programs have to succeed, and doctests to hold.
        """
        self.tell(_block("code-block:: python", "assert True"), ">>> 1 + 1\n2\n")
        self.wrong("AssertionError", _block("code-block:: python", "assert False"))
        self.wrong("Expected:\n    3", ">>> 1 + 1\n3\n")

    def test_exempt(self) -> None:
        """
        The result names the blocks that were not run.
        """
        self.tell(".. not run: takes long\n\n" + self.console("$ false"))
        self.assertEqual(self.said.getvalue(), "page.rst:3: not run: takes long\n")


class ScreenTests(SynchronousTestCase):
    """
    A line can be drawn again.
    """

    def setUp(self) -> None:
        if Screen is None:
            lacking("docutils")

    def test_drawnAgain(self) -> None:
        """
        The screen shows neither the text that was overwritten nor control sequences.
        """
        screen = Screen()
        screen.write("> hel\r\x1b[K> hello\r\n\x1b[1mbold\x1b[0m\x07\r\nlong\rso")
        self.assertEqual(screen.lines, ["> hello", "bold"])
        self.assertEqual(screen.current, "song")
