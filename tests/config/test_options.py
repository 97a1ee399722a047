"""
Tests for L{echod.config.options}.
"""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import redirect_stdout
from dataclasses import FrozenInstanceError
from io import StringIO

from twisted.application.twist._options import TwistOptions
from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from echod.__main__ import Runner
from echod._version import __version__
from echod.config.addresses import Address
from echod.config.options import EXAMPLES, Options
from echod.impair.items import ITEMS
from tests.support.config import options as parse


class OptionsTests(SynchronousTestCase):
    """
    Tests for L{Options}.
    """

    def test_config(self) -> None:
        """
        The parser returns values that cannot change, without a reactor.
        """
        options = Options()
        options.parseOptions(["--tcp=8000", "--tcp=haproxy:[::]:80", "--udp=systemd:index=0"])
        config = options.config
        self.assertEqual(
            dict(config.servers),
            {
                "greeting": (),
                "tcp": (
                    Address("127.0.0.1:8000", "127.0.0.1", 8000, thisMachine=True),
                    Address("haproxy:[::]:80", "::", 80),
                ),
                "udp": (Address("systemd:index=0"),),
            },
        )
        self.assertRaises(FrozenInstanceError, setattr, config, "workers", 2)

    def test_commandLine(self) -> None:
        """
        Without arguments, the command line is that of the process.
        """
        self.patch(sys, "argv", ["twistd", "--workers=1", "--tcp=0"])
        options = Options()
        options.parseOptions()
        self.assertEqual(options.arguments, ["--workers=1", "--tcp=0"])

    def test_belowTwistd(self) -> None:
        """
        An invalid command line of the subcommand is one line and exit status 1.
        """
        options = Options()
        options.parent = usage.Options()
        error = self.assertRaises(SystemExit, options.parseOptions, ["--tcp", "99999"])
        self.assertEqual(
            error.code, "echod: --tcp 99999: 99999 is not a port; ports are 0 to 65535"
        )

    def test_help(self) -> None:
        """
        The help has examples, and lists all items of C{--impair}.
        """
        said = Options().getUsage()
        self.assertIn("\nExamples:\n", said)
        for item in ITEMS:
            self.assertIn(f" {item}=", said)

    def test_helpGroups(self) -> None:
        """
        Each option is in a group of the help, but for those that all programs have.
        """
        others = Options().sections()["Other options"]
        self.assertEqual([each.flags[-1] for each in others], ["--help", "--version"])

    def test_helpArguments(self) -> None:
        """
        The help explains what an address, a duration, a network and a specification are.
        """
        options = Options()
        arguments = {each.argument for some in options.sections().values() for each in some}
        self.assertLessEqual({"ADDRESS", "DURATION", "NETWORK", "SPEC"}, arguments)
        self.assertLessEqual(options.argumentHelp.keys(), arguments)

    def test_synopsis(self) -> None:
        """
        The first line of the help is the command that the user has typed.
        """
        for runner, line in (
            (None, "Usage: echod [options]"),
            ("Usage: twistd [options]", "Usage: twistd [options] echod [options]"),
            (
                "Usage: twist [options] plugin [plugin_options]",
                "Usage: twist [options] echod [options]",
            ),
        ):
            options = Options()
            if runner is not None:
                options.parent = usage.Options()
                options.parent.synopsis = runner  # type: ignore[attr-defined]
            self.assertEqual(options.getSynopsis(), line)

    def test_optionsOfTheRunner(self) -> None:
        """
        An option of twistd or twist after the name of the plugin gets a hint where to put it.
        """
        for runner, option, hint in (
            (
                Runner(),
                "-n",
                "twistd and goes before echod, as in 'twistd -n echod'",
            ),
            (Runner(), "--pidfile", "as in 'twistd --pidfile echod'"),
            (TwistOptions(), "--log-format", "of twist and goes before echod, as in"),
        ):
            options = Options()
            options.parent = runner
            error = self.assertRaises(SystemExit, options.parseOptions, [option])
            self.assertIn(f"echod: unknown option {option}: it is an option of", str(error))
            self.assertIn(hint, str(error))

    def test_examples(self) -> None:
        """
        The examples in the help are valid command lines.
        """
        examples = re.findall("^    echod(.*)$", EXAMPLES, re.MULTILINE)
        # The one with TLS needs a key; docs/howto/tls.rst has it.
        examples = [example for example in examples if "ssl:" not in example]
        self.assertGreater(len(examples), 5)
        for example in examples:
            parse(*shlex.split(example))

    def test_version(self) -> None:
        """
        The version is echod's, not Twisted's.
        """
        with redirect_stdout(StringIO()) as said:
            error = self.assertRaises(SystemExit, Options().parseOptions, ["--version"])
        self.assertEqual(error.code, 0)
        self.assertEqual(said.getvalue(), f"echod {__version__}\n")
