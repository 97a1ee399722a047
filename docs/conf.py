"""
How Sphinx makes the documentation; see C{make docs}.
"""

import re
import sys
from pathlib import Path

from docutils import nodes
from pygments.lexers.shell import BashSessionLexer
from sphinx.application import Sphinx

DOCS = Path(__file__).parent

sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]

from echod import __version__  # noqa: E402 (found by the line above)

project = "echod"
author = "The echod authors"
copyright = author
version = release = __version__

extensions = ["sphinx.ext.autodoc", "sphinx_design", "epytext", "options"]

# Warn about links to unknown names. "make docs" takes each warning as an error.
nitpicky = True

html_theme = "furo"
html_title = f"echod {release}"
html_copy_source = False
# Options begin with two hyphens: do not make a dash of them.
smartquotes = False

# Do not copy the docstrings of Twisted's methods.
autodoc_inherit_docstrings = False
# The table of contents beside a page is narrow.
toc_object_entries_show_parents = "hide"
# Show the parameters of a class with the class.
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_default_options = {"show-inheritance": True}

man_pages = [
    ("echod", "echod", "echo servers for TCP and UDP, and a greeting", author, 8),
    ("echoc", "echoc", "clients of an echo server, and one that measures", author, 1),
]


class ConsoleLexer(BashSessionLexer):
    """
    Highlights commands only.  Pygments takes the C{#} in the log lines of Twisted for a
    prompt.
    """

    _ps1rgx = re.compile(r"^([$#] )(.*\n?)")


def unlink(app: Sphinx, page: nodes.document, _: str) -> None:
    """
    Replace links by their text in manual pages, which would show the targets in brackets.
    """
    if app.builder.name == "man":
        for link in list(page.findall(nodes.reference)):
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    """
    Use L{ConsoleLexer} for the terminals on the pages.
    """
    app.add_lexer("console", ConsoleLexer)
    app.connect("doctree-resolved", unlink)
