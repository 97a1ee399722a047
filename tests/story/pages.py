"""
A page of the documentation, and what its reader does: files to make, programs to run
and what happens at a terminal.

It knows reStructuredText, and runs nothing: for that see L{tests.story.tell}, which says
how a page is written.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives
from docutils.statemachine import StringList

FILE = re.compile(r"file: *(\S+)$")
TYPED = re.compile(r"typed: *([0-9, -]+)$")
NOT_RUN = re.compile(r"not run: *(.*)$", re.DOTALL)
MARKS = (FILE, TYPED, NOT_RUN)
"""
The comments that can stand before a block.
"""

SHOWN = ("text", "none")
"""
The languages of blocks that are only read.
"""

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
"""
The assignment of a variable, before a command.
"""

KEYS = {"^C": "\x03", "^D": "\x04"}

NOTHING = ("", "")
"""
A prompt without a command.
"""


class BadPage(Exception):
    """
    It is not clear what to do with a block of a page.
    """


@dataclass(frozen=True)
class File:
    """
    A file that the reader makes.
    """

    line: int
    name: str
    content: str


@dataclass(frozen=True)
class Program:
    """
    Python code that is run by itself.

    @ivar doctest: True if it is a doctest.
    """

    line: int
    content: str
    doctest: bool = False


@dataclass(frozen=True)
class Exempt:
    """
    A part of a page that is not run, with the reason.
    """

    line: int
    reason: str


@dataclass(frozen=True)
class Session:
    """
    The events at a terminal: (kind, text), where the kind is C{command}, C{typed},
    C{key} or C{shown}.

    @ivar goesOn: True if the last command is still running at the end.
    """

    line: int
    events: list[tuple[str, str]] = field(default_factory=list)
    goesOn: bool = False

    @property
    def continues(self) -> bool:
        """
        True if the session continues that of an earlier block.
        """
        return self.events[0][0] != "command"


Step = File | Program | Exempt | Session


class _Block(Directive):
    """
    The directives of Sphinx that matter here.
    """

    has_content = True
    optional_arguments = 1
    final_argument_whitespace = True
    option_spec = dict.fromkeys(
        ("caption", "emphasize-lines", "language", "name", "class", "lines"),
        directives.unchanged,
    ) | {"dedent": directives.unchanged, "linenos": directives.flag}

    def run(self) -> list[Any]:
        """
        @return: A literal block that knows its options.
        """
        text = "\n".join(self.content)
        block = nodes.literal_block(text, text)
        block.line = self.lineno
        block["language"] = self.arguments[0] if self.arguments else ""
        block["caption"] = self.options.get("caption", "")
        block["typed"] = self.options.get("emphasize-lines", "")
        return [block]


class _Included(_Block):
    """
    A file that is shown.
    """

    def run(self) -> list[Any]:
        """
        @return: Its content.
        """
        source = Path(str(self.state.document["source"])).parent / self.arguments[0]
        self.content = StringList(source.read_text().splitlines())
        self.options.setdefault("caption", source.name)
        return super().run()


directives.register_directive("code-block", _Block)
directives.register_directive("literalinclude", _Included)


def steps(page: Path) -> list[Step]:
    """
    @return: The steps of the reader of a page, in order.

    @raise BadPage: for a block that is neither run nor exempt.
    """
    document = publish_doctree(
        page.read_text(),
        source_path=str(page),
        # Ignore what only Sphinx knows.
        settings_overrides={"report_level": 5, "halt_level": 5},
    )
    try:
        return [step for block in _blocks(document) if (step := _step(block))]
    except BadPage as problem:
        raise BadPage(f"{page.name}: {problem}") from None


def commands(steps: Iterable[Step]) -> set[str]:
    """
    @return: The commands that are typed to the shell, without their arguments.
    """
    return {
        word
        for step in steps
        if isinstance(step, Session)
        for kind, line in step.events
        if kind == "command"
        for word in _firstWords(line)
    }


def _firstWords(line: str) -> Iterator[str]:
    """
    @return: The first word of each command of a line.
    """
    words = shlex.shlex(line, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    first = True
    for word in words:
        if word and not set(word) - set("();|&<>"):
            # Behind a redirection comes a file.
            first = not set(word) & set("<>")
        elif first and not ASSIGNMENT.match(word):
            yield word
            first = False


def _blocks(document: Any) -> Iterator[Any]:
    for block in document.findall(
        lambda node: isinstance(node, nodes.literal_block | nodes.doctest_block)
    ):
        if isinstance(block.parent, nodes.system_message):
            if "code-block::" in block.astext() or "literalinclude::" in block.astext():
                raise BadPage(f"line {block.parent['line']}: blocks in what only Sphinx knows")
        else:
            yield block


def _step(block: Any) -> Step | None:
    line, text = _line(block), block.astext()
    marks = _marks(block)
    if (reason := marks.get(NOT_RUN)) is not None:
        if not reason.strip():
            raise BadPage(f"line {line}: why is this not run?")
        return Exempt(line, " ".join(reason.split()))
    language = block.get("language") or _docutilsLanguage(block)
    name = marks.get(FILE) or block.get("caption")
    if language == "console" or (not language and text.startswith("$ ")):
        return _session(line, text, marks.get(TYPED) or block.get("typed", ""))
    if name:
        return File(line, name, text + "\n")
    if text.startswith(">>> "):
        return Program(line, text + "\n", doctest=True)
    if language == "python":
        return Program(line, text + "\n")
    if language in SHOWN:
        return None
    raise BadPage(
        f"line {line}: neither run nor exempt: {text.splitlines()[0]!r}; see "
        "tests/story/tell.py"
    )


def _line(block: Any) -> int:
    """
    @return: The number of the line, or of one near it: docutils does not know the line of every
        block.
    """
    while block.line is None and block.parent is not None:
        block = block.parent
    return block.line or 0


def _docutilsLanguage(block: Any) -> str:
    return next((name for name in block["classes"] if name != "code"), "")


def _marks(block: Any) -> dict[re.Pattern[str], str]:
    marks = {}
    place = block.parent.index(block)
    while place and isinstance(block.parent[place - 1], nodes.comment):
        place -= 1
        comment = block.parent[place].astext()
        for mark in MARKS:
            if match := mark.match(comment):
                marks[mark] = match[1]
    return marks


def _session(line: int, text: str, typed: str) -> Session:
    events = [
        _event(shown, number in _numbers(typed))
        for number, shown in enumerate(text.splitlines(), 1)
    ]
    for number, (kind, command) in enumerate(events):
        if kind == "command" and command.endswith("\\"):
            rest = events[number + 1][1].removeprefix("> ")
            events[number + 1] = ("command", f"{command}\n{rest}")
            events[number] = NOTHING
    goesOn = events[-1] == ("shown", "...")
    events = [event for event in events if event != NOTHING]
    return Session(line, events[:-1] if goesOn else events, goesOn)


def _event(line: str, typed: bool) -> tuple[str, str]:
    if typed:
        return "typed", line
    if line in KEYS:
        return "key", line
    if line.startswith(("$ ", "# ")):
        return "command", line[2:]
    return NOTHING if line == "$" else ("shown", line)


def _numbers(lines: str) -> set[int]:
    """
    @param lines: As C{:emphasize-lines:} has them: C{2,4-6}.
    """
    numbers: set[int] = set()
    for part in filter(None, lines.replace(" ", "").split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers
