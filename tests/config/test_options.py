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

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

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
        self.assertIn("Examples:\n  twistd -n echod ", said)
        for item in ITEMS:
            self.assertIn(f" {item}=", said)

    def test_helpSpaces(self) -> None:
        """
        The help of an option has single spaces, also where its docstring has a new line.
        """
        said = Options().getUsage(width=1000)
        self.assertRegex(said, "--deny= +Do not serve(?: [^ \n]+)+ Can be given again")

    def test_examples(self) -> None:
        """
        The examples in the help are valid command lines.
        """
        examples = re.findall("twistd -n echod(.*?)(?:  |$)", EXAMPLES, re.MULTILINE)
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
