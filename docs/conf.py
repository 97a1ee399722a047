"""
How Sphinx makes the documentation; see C{make docs}.
"""

import re
import sys
from pathlib import Path

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

# A name that leads nowhere is an error, as is any other warning: "make docs" says so.
nitpicky = True

html_theme = "furo"
html_title = f"echod {release}"
html_copy_source = False
# A double hyphen is the beginning of an option.
smartquotes = False

# What Twisted's methods do is Twisted's to say.
autodoc_inherit_docstrings = False
# There is little room beside a page.
toc_object_entries_show_parents = "hide"
# What a class is made with is told where the class is.
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_default_options = {"show-inheritance": True}

man_pages = [
    ("echod", "echod", "echo servers for TCP and UDP, and a greeting", author, 8),
    ("echoc", "echoc", "clients of an echo server, and one that measures", author, 1),
]
man_show_urls = True


class ConsoleLexer(BashSessionLexer):
    """
    Highlights commands only.  Pygments takes the C{#} in the log lines of Twisted for a
    prompt.
    """

    _ps1rgx = re.compile(r"^([$#] )(.*\n?)")


def setup(app: Sphinx) -> None:
    """
    Use L{ConsoleLexer} for the terminals on the pages.
    """
    app.add_lexer("console", ConsoleLexer)
