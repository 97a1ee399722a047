"""
The base of all command lines: options with a help in groups, and a hint for each mistake.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from shutil import get_terminal_size
from textwrap import fill
from typing import NoReturn

from twisted.python import usage

from echod._version import __version__
from echod.net.format import quoted
from echod.net.helptext import WIDEST, Option, table

ARGUMENT = re.compile(
    r"\b(ADDRESS|BYTES|DURATION|FILE|LIST|NAME|NETWORK|NUMBER|PERCENT|SOURCE|SPEC|TEXT|TOS)\b"
)
"""
The words that stand for the argument in the description of an option.
"""

_DEFAULT = re.compile(r"(.*) \[default: (.*)\]")

_UNKNOWN_OPTION = re.compile(r"option (-.*) not recognized", re.DOTALL)
"""
The message of getopt.
"""


class CommandLine(usage.Options):
    """
    The options of a command.

    @cvar program: The name of the program.

    @cvar groups: The long names of the options in each group of the help.

    @cvar argumentHelp: The description of each kind of argument.

    @cvar argumentTitle: The title of these descriptions.

    @cvar choices: Words that a shell offers for the argument of an option, by its long name.

    @cvar examples: The last lines of the help.
    """

    program = "echod"
    groups: Mapping[str, Sequence[str]] = {}
    argumentHelp: dict[str, str] = {}
    argumentTitle = "Values"
    choices: Mapping[str, tuple[str, ...]] = {}
    examples = ""
    longdesc = ""

    def __init__(self) -> None:
        super().__init__()
        # Before Python 3.13, the docstrings of methods contain their indentation.
        self.docs = {name: " ".join(words.split()) for name, words in self.docs.items()}

    def opt_help(self) -> None:
        """
        Display this help and exit.
        """
        self._show(str(self))

    opt_h = opt_help

    def opt_version(self) -> None:
        """
        Display the version and exit.
        """
        self._show(f"{self.program} {__version__}")

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """
        Parse the command line.

        @raise usage.UsageError: for a wrong command line.
        """
        try:
            super().parseOptions(self.inOrder(options))
        except usage.UsageError as error:
            match = _UNKNOWN_OPTION.fullmatch(str(error))
            if match is None:
                raise
            raise usage.UsageError(
                f"unknown option {quoted(match[1])}: {self.hint(match[1])}"
            ) from None

    def inOrder(self, options: Sequence[str] | None) -> Sequence[str] | None:
        """
        @return: The command line with its options before its arguments.

        @raise usage.UsageError: for a wrong option.
        """
        return options

    def hint(self, option: str) -> str:
        """
        @return: Advice about an unknown option.
        """
        near = self.nearest(option)
        return f"did you mean {near}?" if near else "--help lists the options"

    def nearest(self, word: str) -> str | None:
        """
        @return: The option whose name is similar to a word, if there is one.
        """
        near = get_close_matches(word.lstrip("-").lower(), self._names(), 1)
        return f"--{near[0]}" if near else None

    def commandsWith(self, option: str) -> list[str]:
        """
        @return: The names of the subcommands that have an option.
        """
        commands = getattr(self, "subCommands", ())
        return [name for name, _, kind, _ in commands if hasOption(kind(), option)]

    def sections(self) -> dict[str, list[Option]]:
        """
        @return: The options in groups.  The last group has the options that C{groups} lacks.
        """
        sections = {
            title: [self.option(name) for name in names] for title, names in self.groups.items()
        }
        grouped = {name for names in self.groups.values() for name in names}
        rest = [self.option(name) for name in self._names() if name not in grouped]
        return {**sections, "Other options": sorted(rest, key=lambda each: each.flags[-1])}

    def option(self, name: str) -> Option:
        """
        @param name: The long name of an option.

        @return: The option as its docstring describes it.

        @raise ValueError: if the docstring has no word for the argument.
        """
        text, default = self.docs[name], self.defaults.get(name)
        argument = ""
        if f"{name}=" in self.longOpt:
            match = ARGUMENT.search(text)
            if match is None:
                raise ValueError(f"the description of --{name} names no argument: {text}")
            argument = match[0]
        if match := _DEFAULT.fullmatch(text):
            text, default = match.groups()
        shown = f"{default:g}" if isinstance(default, float) else str(default)
        short = [
            f"-{each}"
            for each, meant in self.synonyms.items()
            if len(each) == 1 and meant == name
        ]
        return Option(
            (*short, f"--{name}"),
            argument,
            text,
            shown if argument and default is not None else "",
            self.choices.get(name, ()),
        )

    def getUsage(self, width: int | None = None) -> str:
        """
        @return: The text of C{--help} below its first line.
        """
        width = min(width or get_terminal_size().columns, WIDEST)
        commands = {name: about for name, _, _, about in getattr(self, "subCommands", ())}
        options = {
            title: {each.usage: each.description for each in section}
            for title, section in self.sections().items()
        }
        groups = {"Commands": commands, **options, self.argumentTitle: self.argumentHelp}
        paragraphs = [
            fill(self.longdesc, width),
            *(table(title, entries, width) for title, entries in groups.items() if entries),
        ]
        return "".join(f"\n{paragraph}\n" for paragraph in paragraphs) + self.examples

    def _show(self, text: str) -> NoReturn:
        try:
            print(text, flush=True)
        except OSError as error:
            # Python must not write the rest at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            # A closed pipe is no error: head(1) may have read enough.
            if not isinstance(error, BrokenPipeError):
                raise SystemExit(f"{self.program}: standard output: {error.strerror}") from None
        raise SystemExit(0)

    def _names(self) -> list[str]:
        return [name.rstrip("=") for name in self.longOpt]


def hasOption(options: usage.Options, option: str) -> bool:
    """
    @param option: With its dashes: C{-n} or C{--nodaemon}.
    """
    if option.startswith("--"):
        return not {option[2:], f"{option[2:]}="}.isdisjoint(options.longOpt)
    return option[1:] in options.shortOpt.replace(":", "")
