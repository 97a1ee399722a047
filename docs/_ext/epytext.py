"""
Docstrings are written in epytext, as Twisted's are: here they become what Sphinx
reads.  A C{L{name}} that names nothing is a warning.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from twisted.python.reflect import namedAny

import echod

TWISTED = "https://docs.twisted.org/en/stable/api/{name}.html"

OURS = ("echod", "pytest_echod")

PUBLIC = {getattr(echod, name): f"echod.{name}" for name in echod.__all__ if name[0] != "_"}
"""
The names by which people know our classes.
"""

FIELD = re.compile(r"^( *)@(\w+)( [\w*]+)?:")
FIELDS = {"raise": "raises"}

MARKUP = re.compile(r"([CLIB])\{((?:[^{}]|\{[^}]*\})*)\}|([\\`*|]|_\b)")

log = logging.getLogger(__name__)


def rest(lines: list[str], module: str) -> list[str]:
    """
    @param module: Where names are looked up.

    @return: The same in reStructuredText.
    """
    literal: int | None = None
    result = []
    for line in _joined(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and line and indent <= literal:
            literal = None
        if literal is None:
            if line.endswith("::"):
                literal = indent
            line = FIELD.sub(_field, MARKUP.sub(lambda match: _markup(match, module), line))
        result.append(line)
    return result


def _joined(lines: list[str]) -> list[str]:
    """
    @return: The lines, where none ends in the middle of a markup.
    """
    text = "\n".join(lines)
    return re.sub(r"[CLIB]\{[^{}]*\}", lambda match: " ".join(match[0].split()), text).split(
        "\n"
    )


def _field(match: re.Match[str]) -> str:
    name = FIELDS.get(match[2], match[2])
    return f"{match[1]}:{name}{match[3] or ''}:"


def _markup(match: re.Match[str], module: str) -> str:
    kind, text, special = match.groups()
    if special:
        return f"\\{special}"
    if kind == "L":
        return _link(text, module)
    return {"C": "``{}``", "I": "*{}*", "B": "**{}**"}[kind].format(text)


def _link(text: str, module: str) -> str:
    shown, _, target = text.rstrip(">").rpartition("<")
    found = _named(target, module)
    if found is None:
        log.warning("%s: L{%s} names nothing", module, text)
    name = PUBLIC.get(found, target) if _hashable(found) else target
    return f":py:obj:`{shown or target} <{name}>`"


def _hashable(thing: object) -> bool:
    return type(thing).__hash__ is not None


def _named(name: str, module: str) -> Any:
    try:
        thing: Any = sys.modules[module]
        for part in name.split("."):
            thing = getattr(thing, part)
    except AttributeError:
        try:
            return namedAny(name)
        except (AttributeError, ValueError, ImportError):
            return {"None": type(None)}.get(name)
    return name if thing is None else thing


def _process(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    module = _module(getattr(thing, "fget", thing), name)
    # Twisted's are not ours to mend.
    if module.startswith(OURS):
        lines[:] = rest(lines, module)


def _module(thing: Any, name: str) -> str:
    """
    @return: Where a docstring stands.
    """
    module = getattr(thing, "__module__", None)
    while not module:
        module = name if name in sys.modules else None
        name = name.rpartition(".")[0]
    return str(module)


def _resolve(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """
    Link to Twisted's own pages, without a network.  What is somebody else's, or not
    public, exists but has no page.
    """
    target = node["reftarget"]
    if node.get("refdomain") != "py":
        return None
    if target.startswith(("twisted.", "zope.")):
        url = TWISTED.format(name=target)
        return nodes.reference("", "", content, refuri=url) if "zope" not in target else content
    module = target.rpartition(".")[0]
    return content if _named(target, module if module in sys.modules else "builtins") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """
    Tell Sphinx.
    """
    app.connect("autodoc-process-docstring", _process)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True}
