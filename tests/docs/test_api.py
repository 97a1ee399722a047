"""
Tests for the page that lists the public names, C{docs/api.rst}.
"""

from __future__ import annotations

import re
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import echod.testing
from tests.support import CHECKOUT, lacking

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
