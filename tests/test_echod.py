"""
Tests for the package as a whole: what it offers, and what it imports.
"""

from __future__ import annotations

import sys
from subprocess import run
from textwrap import dedent

from twisted.application.service import IServiceMaker
from twisted.plugin import IPlugin, getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

import echod
import echod.tap
from tests.support import ENVIRONMENT


class PackageTests(SynchronousTestCase):
    """
    Tests for L{echod}.
    """

    def test_names(self) -> None:
        """
        All public names are there.
        """
        for name in echod.__all__:
            self.assertTrue(hasattr(echod, name), name)

    def python(self, code: str) -> str:
        """
        @return: The output of a new Python that runs some code.
        """
        done = run(
            [sys.executable, "-c", dedent(code)],
            env=ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def test_noReactor(self) -> None:
        """
        Importing all of echod imports no reactor.
        """
        said = self.python(
            """
            import pkgutil, sys, echod
            for module in pkgutil.walk_packages(echod.__path__, "echod."):
                try:
                    __import__(module.name)
                except ModuleNotFoundError as error:
                    optional = ("OpenSSL", "prometheus_client", "rich", "uvloop")
                    assert error.name in optional, error
            print("twisted.internet.reactor" in sys.modules)
            """
        )
        self.assertEqual(said, "False")

    def test_embedded(self) -> None:
        """
        A service that runs on a reactor of somebody's own needs no other, and takes
        no signal.
        """
        said = self.python(
            """
            import signal, sys
            from twisted.internet.testing import MemoryReactorClock
            from echod.tap import Options, makeService
            def taken():
                return [signal.getsignal(number) for number in signal.valid_signals()]
            before = taken()
            options = Options(MemoryReactorClock())
            options.parseOptions(
                ["--tcp=0", "--udp=0", "--greeting=0", "--session-log=/dev/null"]
            )
            makeService(options).startService()
            options.reactor.advance(1)
            print(taken() == before, "twisted.internet.reactor" in sys.modules)
            """
        )
        self.assertEqual(said, "True False")

    def test_pluginImportsNothing(self) -> None:
        """
        Listing plugins imports neither a reactor nor echod.
        """
        said = self.python(
            """
            import sys
            from twisted.application.service import IServiceMaker
            from twisted.plugin import getPlugins
            print(sorted(
                plugin.tapname for plugin in getPlugins(IServiceMaker)
                if plugin.tapname == "echod"
            ))
            print({"echod", "twisted.internet.reactor"} & set(sys.modules) or None)
            """
        )
        self.assertEqual(said, "['echod']\nNone")


class PluginTests(SynchronousTestCase):
    """
    Tests for the twistd plugin.
    """

    def test_serviceMaker(self) -> None:
        """
        twistd finds a service maker which leads to L{echod.tap}.
        """
        (maker,) = (plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname == "echod")
        self.assertTrue(verifyObject(IServiceMaker, maker))
        self.assertTrue(verifyObject(IPlugin, maker))
        self.assertIs(maker.options, echod.tap.Options)
        self.assertIs(maker.makeService, echod.tap.makeService)
