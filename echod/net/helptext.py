"""
The text of C{--help}.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill

WIDEST = 100
"""
The most columns of the help.  Longer lines are hard to read.
"""

COLUMN = 26
"""
The column at which the description of an option starts.
"""

NARROW = 64
"""
In a terminal with less columns than this, the description starts below the option.
"""

AGAIN = "Can be given again."
"""
The text of each option that can be given several times.
"""


@dataclass(frozen=True)
class Option:
    """
    One option in the help.

    @ivar flags: C{-W} and C{--timeout}.

    @ivar argument: The word for its argument, C{DURATION}; empty if it has none.

    @ivar text: The description.

    @ivar default: The default of its argument; empty if there is none.

    @ivar choices: Words that a shell offers for its argument.
    """

    flags: tuple[str, ...]
    argument: str
    text: str
    default: str
    choices: tuple[str, ...] = ()

    @property
    def repeats(self) -> bool:
        """
        True if it can be given several times.
        """
        return AGAIN in self.text

    @property
    def usage(self) -> str:
        """
        The flags with the argument: C{-W, --timeout DURATION}.
        """
        return f"{', '.join(self.flags)} {self.argument}".rstrip()

    @property
    def description(self) -> str:
        """
        The text with the default.
        """
        return f"{self.text} [default: {self.default}]" if self.default else self.text


def table(title: str, entries: Mapping[str, str], width: int) -> str:
    """
    @return: A title, and names with their descriptions.
    """
    return "\n".join([f"{title}:", *(_entry(*entry, width) for entry in entries.items())])


def _entry(name: str, about: str, width: int) -> str:
    column = COLUMN if width >= NARROW else 6
    indent = " " * column
    text = fill(
        about,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    name = f"  {name}  "
    # In two columns if the name is short.
    return f"{name:{column}}{text[column:]}" if len(name) <= column else f"{name[:-2]}\n{text}"
