"""
Tests for L{echod.config.reactor}.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from twisted.application.reactors import getReactorTypes
from twisted.internet import reactor as installed
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from echod.config.reactor import FASTEST, install, processReactor

CHOSEN = ["twisted.internet.reactor"]


class ProcessReactorTests(SynchronousTestCase):
    """
    Tests for L{processReactor}.
    """

    def setUp(self) -> None:
        self.patch(installed, "seconds", installed.seconds)
        self.loaded: list[str] = []

    def load(self, name: str) -> Callable[[], None]:
        """
        @return: A function that records the name.
        """
        return lambda: self.loaded.append(name)

    def loadNothing(self, name: str) -> Callable[[], None]:
        """
        Fail as without uvloop.
        """
        raise ImportError(name)

    def test_fastest(self) -> None:
        """
        Under twistd, the fastest installed reactor is used if none was chosen; a program
        that embeds echod keeps its own.
        """
        for ownsProcess, modules, expected in (
            (False, [], []),
            (True, CHOSEN, []),
            (True, [], [FASTEST]),
        ):
            self.loaded.clear()
            self.assertIs(processReactor(ownsProcess, modules, self.load), installed)
            self.assertEqual(self.loaded, expected)

    def test_noUvloop(self) -> None:
        """
        Without uvloop, Twisted's default reactor is used.
        """
        self.assertIs(processReactor(True, [], self.loadNothing), installed)

    def test_install(self) -> None:
        """
        C{--reactor=uvloop} installs the reactor, or ends with one line that says how to get
        uvloop.
        """
        plugin: Any
        (plugin,) = (each for each in getReactorTypes() if each.shortName == "uvloop")
        self.assertIs(namedAny(f"{plugin.moduleName}.install"), install)
        install(self.load)
        self.assertEqual(self.loaded, [FASTEST])
        error = self.assertRaises(SystemExit, install, self.loadNothing)
        self.assertRegex(
            str(error), r"^--reactor=uvloop needs uvloop: pip install '.*\[fast\]'$"
        )

    def test_steadyClock(self) -> None:
        """
        Under twistd, timers do not depend on the time of day; a program that embeds echod
        keeps its own clock.
        """
        for ownsProcess in (False, True):
            reactor = processReactor(ownsProcess, CHOSEN)
            self.assertEqual(reactor.seconds is monotonic, ownsProcess)
