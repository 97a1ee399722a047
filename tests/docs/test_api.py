"""
Tests for the page that lists the public names, C{docs/api.rst}.
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import echod.testing
from tests.docs.test_docs import PAGES
from tests.support import CHECKOUT, lacking

try:
    from tests.story.pages import File, Program, steps
except ImportError:
    steps = None  # type: ignore[assignment]

DIRECTIVE = re.compile(r"^ *\.\. auto(\w+):: (\S+)\n((?: +:.*\n)*)", re.MULTILINE)


def documented(module: ModuleType) -> set[str]:
    """
    @return: The names of a module that the page documents.
    """
    names: set[str] = set()
    page = (CHECKOUT / "docs" / "api.rst").read_text("utf-8")
    for kind, name, options in DIRECTIVE.findall(page):
        parent, _, child = name.rpartition(".")
        if name == module.__name__ and ":members:" in options:
            # Sphinx leaves out a name without a docstring, and __version__.
            names |= {name for name in module.__all__ if getattr(module, name).__doc__}
            names.discard("__version__")
        elif parent == module.__name__ and kind != "module":
            names.add(child)
    return names


def listed() -> set[str]:
    """
    @return: All names that the page documents.
    """
    names: set[str] = set()
    for kind, name, options in DIRECTIVE.findall((CHECKOUT / "docs" / "api.rst").read_text()):
        members = re.search(r":members:(.*)", options)
        if kind != "module":
            names.add(name.rpartition(".")[2])
        elif members and members[1].strip():
            names |= set(re.findall(r"\w+", members[1]))
        elif members:
            names |= documented(importlib.import_module(name))
    return names


def classes(module: ModuleType, home: str) -> set[str]:
    """
    @return: The names of the classes in a module that are public and come from C{home}.
    """
    return {
        name
        for name, thing in vars(module).items()
        if isinstance(thing, type) and thing.__module__.startswith(home) and name[0] != "_"
    }


class PublicNamesTests(SynchronousTestCase):
    """
    The page documents the public names of a module, and no others.
    """

    def test_echod(self) -> None:
        """
        The public names of C{echod} are all classes that can be imported from it.
        """
        public = classes(echod, "echod.")
        self.assertEqual(public | {"__version__"}, {*echod.__all__})
        self.assertEqual(documented(echod), public)

    def test_testing(self) -> None:
        """
        The public names of C{echod.testing} are its classes and the address of a client.
        """
        public = classes(echod.testing, "echod.testing") | {"PEER"}
        self.assertEqual(public, {*echod.testing.__all__})
        self.assertEqual(documented(echod.testing), public)

    def test_plugin(self) -> None:
        """
        The public name of C{pytest_echod} is the class of its fixture.
        """
        try:
            import pytest_echod
        except ImportError:
            lacking("pytest")
        self.assertEqual(pytest_echod.__all__, ["Daemon"])
        self.assertEqual(documented(pytest_echod), {"Daemon"})


class ExampleTests(SynchronousTestCase):
    """
    The pages have an example of each public name.
    """

    def test_examples(self) -> None:
        """
        Each public name is in a program that the pages show, so the tests run it.
        """
        if steps is None:
            lacking("docutils")
        programs = [
            step.content
            for page in PAGES
            for step in steps(page)
            if isinstance(step, File | Program)
        ]
        used = set(re.findall(r"\w+", "\n".join(programs)))
        self.assertEqual(listed() - used, set())
