"""
Convert docstrings from epytext, in which Twisted's are written too, to
reStructuredText for Sphinx.  A C{L{name}} that names nothing is a warning.
"""

from __future__ import annotations

import builtins
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from types import FunctionType
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from twisted.python.reflect import namedAny

import echod

TWISTED = "https://docs.twisted.org/en/stable/api/{name}.html"

OURS = ("echod", "pytest_echod")

PUBLIC = {
    f"{thing.__module__}.{thing.__name__}": f"echod.{name}"
    for name, thing in vars(echod).items()
    if name in echod.__all__ and isinstance(thing, type)
}
"""
The names by which people know our classes.
"""

FIELD = re.compile(r"^( *)@(\w+)(?: ([\w.*]+))?:")

INTERFACE = re.compile(r"<InterfaceClass ([\w.]+)>")
"""
What Sphinx makes of a type that is an interface.
"""

MARKUP = re.compile(r"([CLIB])\{((?:[^{}]|\{[^}]*\})*)\}|([\\`*|]|_\b)")

log = logging.getLogger(__name__)


def rest(lines: list[str], scopes: Sequence[Any]) -> list[str]:
    """
    @param scopes: Look names up in these: a class, a module.

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
            line = MARKUP.sub(lambda match: _markup(match, scopes), line)
            line = FIELD.sub(lambda match: _field(match, scopes), line)
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


def _field(match: re.Match[str], scopes: Sequence[Any]) -> str:
    indent, kind, name = match.groups()
    if kind == "raise":
        kind, name = "raises", _fullName(name, scopes) or name
    return f"{indent}:{kind} {name}:" if name else f"{indent}:{kind}:"


def _markup(match: re.Match[str], scopes: Sequence[Any]) -> str:
    kind, text, special = match.groups()
    if special:
        return f"\\{special}"
    if kind == "L":
        return _link(text, scopes)
    return {"C": "``{}``", "I": "*{}*", "B": "**{}**"}[kind].format(text)


def _link(text: str, scopes: Sequence[Any]) -> str:
    shown, _, target = text.rstrip(">").rpartition("<")
    name = _fullName(target, scopes)
    if name is None:
        log.warning("L{%s} of %s names nothing", text, scopes[0].__name__)
    return f":py:obj:`{shown or target} <{name}>`"


def _fullName(name: str, scopes: Sequence[Any]) -> str | None:
    """
    @return: By what name a page can have it.
    """
    for scope in (*scopes, builtins):
        with suppress(AttributeError):
            found = reduce(getattr, name.split("."), scope)
            if isinstance(found, type | FunctionType):
                return _public(f"{found.__module__}.{found.__qualname__}")
            home = f"{scope.__module__}." if isinstance(scope, type) else ""
            return _public(f"{home}{scope.__name__}.{name}")
    return _public(name) if _exists(name) else None


def _public(name: str) -> str:
    for private, public in PUBLIC.items():
        if f"{name}.".startswith(f"{private}."):
            return public + name.removeprefix(private)
    return name


def _exists(name: str) -> bool:
    try:
        namedAny(name)
    except (AttributeError, ImportError, ValueError):
        return name.startswith("builtins.")
    return True


def _process(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    thing = getattr(thing, "fget", thing)
    while name not in sys.modules and not isinstance(namedAny(name), type):
        name = name.rpartition(".")[0]
    scope: Any = namedAny(name)
    module = str(getattr(thing, "__module__", None) or getattr(scope, "__module__", name))
    # Twisted's are not ours to mend.
    if module.startswith(OURS):
        lines[:] = rest(lines, [scope, sys.modules[module]])


def _plain(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, *parts: str | None
) -> tuple[str | None, ...]:
    """
    @param parts: A signature, and what is returned.

    @return: The same with nothing that Sphinx cannot read.
    """
    return tuple(
        part and INTERFACE.sub(r"\1", part).replace("<factory>", "...") for part in parts
    )


def _resolve(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """
    Link to Twisted's own pages, without a network.  Names that are private, or of other
    projects, have no page.
    """
    target = node["reftarget"]
    if node.get("refdomain") != "py" or not _exists(target):
        return None
    if target.startswith("twisted."):
        return nodes.reference("", "", content, refuri=TWISTED.format(name=target))
    return content


def setup(app: Sphinx) -> dict[str, bool]:
    """
    Tell Sphinx.
    """
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-process-signature", _plain)
    app.connect("missing-reference", _resolve)
    return {"parallel_read_safe": True}
