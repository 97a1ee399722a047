"""
The options of a command line, from the C{usage.Options} that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from twisted.python.reflect import namedAny

ARGUMENT = re.compile(
    r"\b(ADDRESS|BYTES|DURATION|FILE|LIST|NAME|NETWORK|NUMBER|PERCENT|SOURCE|SPEC|TEXT|TOS)\b"
)
"""
What stands for the argument in the description of an option.
"""

CODE = re.compile(r"'[^']+'|--[a-z-]+|(?<= )/[a-z]\S*\b")
"""
What is to be taken to the letter in a description.
"""

DEFAULT = re.compile(r"(.*) \[default: (.*)\]")
"""
What a description says of the default where it is not a plain value.
"""

OWN = ("help", "version")
"""
Everybody knows what these do.
"""


class OptionsDirective(SphinxDirective):
    """
    C{.. options:: echod.tap.Options}: each of them, with its argument, its default,
    and what C{--help} says of it.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """
        @return: The descriptions.
        """
        options = namedAny(self.arguments[0])()
        lines = (line for name in sorted(options.docs) for line in _option(options, name))
        return self.parse_text_to_nodes("\n".join(lines))


class ConstantDirective(SphinxDirective):
    """
    C{.. constant:: echod.config.options.EXAMPLES}: its text, as a paragraph or line for line.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """
        @return: A paragraph, or a literal block.
        """
        text = namedAny(self.arguments[0]).strip()
        if "\n" not in text:
            return self.parse_text_to_nodes(CODE.sub(_code, text))
        return [nodes.literal_block(text, text, language="none")]


def _option(options: Any, name: str) -> Iterator[str]:
    if len(name) == 1 or name in OWN:
        return
    said = " ".join(options.docs[name].split())
    argument = ""
    if f"{name}=" in options.longOpt:
        match = ARGUMENT.search(said)
        if match is None:
            raise ValueError(f"the description of --{name} names no argument: {said}")
        argument = f" {match[0]}"
    names = [f"-{short}{argument}" for short in _short(options, name)]
    names.append(f"--{name}{argument}")
    default = options.defaults.get(name)
    if default is None and (match := DEFAULT.fullmatch(said)):
        said, default = match.groups()
    yield f".. option:: {', '.join(names)}"
    yield ""
    yield "   " + CODE.sub(_code, said)
    if argument and default is not None:
        shown = f"{default:g}" if isinstance(default, float) else default
        yield f"   Default: {shown}."
    yield ""


def _code(match: re.Match[str]) -> str:
    text = match[0].strip("'")
    return f"``{text}``"


def _short(options: Any, name: str) -> list[str]:
    return [
        synonym
        for synonym, meant in options.synonyms.items()
        if len(synonym) == 1 and meant == name
    ]


def setup(app: Sphinx) -> dict[str, bool]:
    """
    Tell Sphinx.
    """
    app.add_directive("options", OptionsDirective)
    app.add_directive("constant", ConstantDirective)
    return {"parallel_read_safe": True}
