"""
Tests for the extensions of Sphinx that make the reference pages.
"""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.net.commandline import CommandLine
from tests.support import CHECKOUT, lacking


class ExtensionTestCase(SynchronousTestCase):
    """
    A test of an extension of Sphinx.
    """

    name: str

    def setUp(self) -> None:
        file = CHECKOUT / "docs" / "_ext" / f"{self.name}.py"
        spec = spec_from_file_location(self.name, file)
        assert spec is not None
        assert spec.loader is not None
        self.extension: Any = module_from_spec(spec)
        try:
            spec.loader.exec_module(self.extension)
        except ImportError:
            lacking("sphinx")


class EpytextTests(ExtensionTestCase):
    """
    Tests for C{docs/_ext/epytext.py}.
    """

    name = "epytext"

    def rest(self, *lines: str) -> list[str]:
        """
        @return: A docstring of L{echod.tcp.echo} in reStructuredText.
        """
        import echod.tcp.echo

        result: list[str] = self.extension.rest(list(lines), [echod.tcp.echo])
        return result

    def test_markup(self) -> None:
        """
        Markup is converted, and characters that only Sphinx would interpret are escaped.
        """
        self.assertEqual(
            self.rest("C{a{b}} and I{c}, *args, a_", "B{d", "e}"),
            [r"``a{b}`` and *c*, \*args, a\_", "**d e**"],
        )

    def test_links(self) -> None:
        """
        A link leads to the public name.
        """
        self.assertEqual(
            self.rest("L{Limits}, L{SILENCE}, L{x<EchoProtocol.close>}, L{twisted.internet}"),
            [
                ":py:obj:`Limits <echod.Limits>`, :py:obj:`SILENCE <echod.tcp.echo.SILENCE>`, "
                ":py:obj:`x <echod.EchoProtocol.close>`, "
                ":py:obj:`twisted.internet <twisted.internet>`"
            ],
        )

    def test_nothing(self) -> None:
        """
        A link that leads nowhere is a warning, which fails the build.
        """
        with self.assertLogs("sphinx.epytext") as logs:
            self.rest("L{Nothing}")
        self.assertIn("L{Nothing} of echod.tcp.echo names nothing", logs.output[0])

    def test_fields(self) -> None:
        """
        Fields have Sphinx's names.
        """
        self.assertEqual(
            self.rest("@param a: One", "    more.", "@raise a.Error: for two.", "@return: 3."),
            [":param a: One", "    more.", ":raises a.Error: for two.", ":return: 3."],
        )

    def test_literal(self) -> None:
        """
        A literal block stays as it is.
        """
        lines = ["As in::", "", "    f(*a)  # C{b}", "", "and more."]
        self.assertEqual(self.rest(*lines), lines)


class OptionsTests(ExtensionTestCase):
    """
    Tests for C{docs/_ext/options.py}.
    """

    name = "options"

    def described(self, **attributes: object) -> list[str]:
        """
        @return: The page of some options, without empty lines.
        """
        options = type("Some", (CommandLine,), attributes)()
        return [line.strip() for line in self.extension.lines(options) if line]

    def test_parameter(self) -> None:
        """
        A parameter is shown with its argument and its default.
        """
        self.assertEqual(
            self.described(optParameters=[["wait", "w", 5.0, "Wait DURATION with --all."]]),
            [
                ".. rubric:: Other options",
                ".. option:: -w DURATION, --wait DURATION",
                "Wait DURATION with ``--all``.",
                "Default: 5.",
            ],
        )

    def test_defaultInWords(self) -> None:
        """
        A default in words is copied from C{--help}.
        """
        text = "Take NUMBER. [default: as many as there are]"
        self.assertEqual(
            self.described(optParameters=[["most", None, None, text]])[2:],
            ["Take NUMBER.", "Default: as many as there are."],
        )

    def test_flag(self) -> None:
        """
        A flag has no argument and no default.
        """
        self.assertEqual(
            self.described(optFlags=[["loud", None, "Say 'it' loudly."]]),
            [".. rubric:: Other options", ".. option:: --loud", "Say ``it`` loudly."],
        )

    def test_groups(self) -> None:
        """
        The groups and the kinds of arguments are those of C{--help}.
        """
        self.assertEqual(
            self.described(
                optFlags=[["loud", None, "Loud."], ["low", None, "Low."]],
                groups={"Sound": ["low"]},
                argumentHelp={"TEXT": "A 'text'."},
            ),
            [
                *(".. rubric:: Sound", ".. option:: --low", "Low."),
                *(".. rubric:: Other options", ".. option:: --loud", "Loud."),
                *("TEXT", "A ``text``."),
            ],
        )

    def test_noArgument(self) -> None:
        """
        A parameter whose argument has no name fails the build.
        """
        with self.assertRaises(ValueError) as caught:
            self.described(optParameters=[["wait", None, 5, "How long to wait."]])
        self.assertIn("--wait names no argument", str(caught.exception))
