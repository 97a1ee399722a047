"""
Finds private names of other packages in Python source.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

OURS = ("echod", "pytest_echod")

_PRIVATE = re.compile(r"_[A-Za-z]\w*")

PUBLIC = frozenset({"_asdict", "_fields", "_make", "_replace"})
"""
Names of C{NamedTuple}, which are documented; the underscore keeps them apart from fields.
"""


def isPrivate(name: str) -> bool:
    """
    @return: True if a name is private: it starts with one underscore.
    """
    return bool(_PRIVATE.fullmatch(name)) and name not in PUBLIC


def isOurs(module: str | None) -> bool:
    """
    @return: True if a module belongs to this project.
    """
    return (module or "").partition(".")[0] in OURS


def imported(tree: ast.AST) -> Iterator[str]:
    """
    @return: The private modules and names that are imported from other packages,
        with dots.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            private = [number for number, part in enumerate(parts) if isPrivate(part)]
            if private and not isOurs(name):
                yield ".".join(parts[: private[0] + 1])


@cache
def used(tree: ast.AST) -> set[str]:
    """
    @return: The private names that are used as attributes, also by way of
        C{getattr} and its like.
    """
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    texts = {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }
    return set(filter(isPrivate, attributes | texts))


@cache
def defined(tree: ast.AST) -> set[str]:
    """
    @return: The private names that source defines: functions, methods, variables of
        modules and classes, slots, and attributes that a method sets on C{self}.
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id == "self":
                names.add(node.attr)
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__slots__" for target in node.targets
        ):
            names.update(
                item.value
                for item in ast.walk(node.value)
                if isinstance(item, ast.Constant) and isinstance(item.value, str)
            )
    return set(filter(isPrivate, names))


def source(kind: type) -> ast.AST:
    """
    @return: The source of a class; empty where there is none, as in C.
    """
    return _sources(kind.__module__).get(kind.__qualname__, ast.Module([], []))


@cache
def _sources(module: str) -> dict[str, ast.ClassDef]:
    """
    @return: The source of each class of a module, by its qualified name.
    """
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    found: dict[str, ast.ClassDef] = {}
    todo: list[tuple[str, ast.AST]] = [("", tree)]
    for prefix, parent in todo:
        for node in ast.iter_child_nodes(parent):
            name = prefix
            if isinstance(node, ast.ClassDef):
                found[prefix + node.name] = node
                name = f"{prefix}{node.name}."
            if isinstance(node, ast.stmt | ast.excepthandler):
                todo.append((name, node))
    return found


def inherited(kind: type) -> dict[str, type]:
    """
    @return: The private names that a class has from those of its bases that belong
        to other packages, each with the base: methods, variables, and attributes that
        a method of the base sets.
    """
    names: dict[str, type] = {}
    for base in reversed(kind.__mro__):
        if not isOurs(base.__module__) and base is not object:
            names.update(dict.fromkeys(_own(base), base))
    return names


@cache
def _own(kind: type) -> set[str]:
    return {*filter(isPrivate, vars(kind)), *defined(source(kind))}


def classes(modules: Iterable[Any]) -> Iterator[type]:
    """
    @return: The classes that modules define.
    """
    for module in modules:
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value
