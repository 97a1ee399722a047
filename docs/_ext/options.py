"""
The options of a command line, from the C{usage.Options} that reads it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from twisted.python.reflect import namedAny

from echod.net.commandline import CommandLine
from echod.net.helptext import Option

CODE = re.compile(r"'[^']+'|--[a-z-]+|(?<= )/[a-z]\S*\b")
"""
What is to be taken to the letter in a description.
"""

OWN = ("--help", "--version")
"""
Everybody knows what these do.
"""


class OptionsDirective(SphinxDirective):
    """
    C{.. options:: echod.tap.Options}: the options in the groups of C{--help}, each with its
    argument, its default and its description, and then the kinds of arguments.
    """

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """
        @return: The descriptions.
        """
        return self.parse_text_to_nodes("\n".join(lines(namedAny(self.arguments[0])())))


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


def lines(options: CommandLine) -> Iterator[str]:
    """
    @return: The reStructuredText of the options.
    """
    for title, section in options.sections().items():
        shown = [option for option in section if option.flags[-1] not in OWN]
        if shown:
            yield from (f".. rubric:: {title}", "")
        for option in shown:
            yield from _option(option)
    for name, about in options.argumentHelp.items():
        yield from (name, "   " + CODE.sub(_code, about), "")


def _option(option: Option) -> Iterator[str]:
    names = ", ".join(f"{flag} {option.argument}".strip() for flag in option.flags)
    yield from (f".. option:: {names}", "", "   " + CODE.sub(_code, option.text))
    if option.default:
        yield f"   Default: {option.default}."
    yield ""


def _code(match: re.Match[str]) -> str:
    text = match[0].strip("'")
    return f"``{text}``"


def setup(app: Sphinx) -> dict[str, bool]:
    """
    Tell Sphinx.
    """
    app.add_directive("options", OptionsDirective)
    app.add_directive("constant", ConstantDirective)
    return {"parallel_read_safe": True}
