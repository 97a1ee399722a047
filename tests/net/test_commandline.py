"""
Tests for L{echod.net.commandline}.
"""

from __future__ import annotations

import os
from contextlib import redirect_stdout

from twisted.python import usage
from twisted.trial.unittest import SynchronousTestCase

from echod.net.commandline import CommandLine, hasOption


class Command(CommandLine):
    """
    A command with one option of each kind.
    """

    synopsis = "Usage: command [options]"
    longdesc = "A command."
    groups = {"Sound": ("volume", "mute")}
    argumentHelp = {"NUMBER": "A whole number."}
    examples = "\nExamples:\n  command --mute\n"

    optFlags = [["mute", None, "Play nothing."]]
    optParameters = [["volume", "V", 5.0, "Play at NUMBER percent."]]

    def opt_play_also(self, value: str) -> None:
        """
        Play FILE, which may have
        any format. [default: none]
        """

    opt_p = opt_play_also


class HelpTests(SynchronousTestCase):
    """
    Tests for the help.
    """

    def test_help(self) -> None:
        """
        The help has the description, the groups of options, the kinds of arguments, and the
        examples.
        """
        self.assertEqual(
            Command().getUsage(80),
            """
A command.

Sound:
  -V, --volume NUMBER     Play at NUMBER percent. [default: 5]
  --mute                  Play nothing.

Other options:
  -h, --help              Display this help and exit.
  -p, --play-also FILE    Play FILE, which may have any format. [default: none]
  --version               Display the version and exit.

Values:
  NUMBER                  A whole number.

Examples:
  command --mute
""",
        )

    def test_width(self) -> None:
        """
        The help is as wide as the terminal, but not too wide to read.  In a narrow terminal,
        each description is below its option.
        """

        class Talkative(Command):
            longdesc = "word " * 100

        for width, widest in ((40, 40), (70, 70), (500, 100)):
            lines = Talkative().getUsage(width).splitlines()
            self.assertLessEqual(max(map(len, lines)), widest)
            self.assertGreater(max(map(len, lines)), widest - 5)
        said = Command().getUsage(40)
        self.assertIn("  --mute\n      Play nothing.\n", said)

    def test_longName(self) -> None:
        """
        The description of an option with a long name is below it.
        """

        class Long(CommandLine):
            optFlags = [["a-name-that-is-long-enough", None, "Do it."]]

        self.assertIn(
            f"\n  --a-name-that-is-long-enough\n{' ' * 26}Do it.\n", Long().getUsage(80)
        )

    def test_cannotPrint(self) -> None:
        """
        If nobody reads the help or the version, the program ends without an error.  If the
        disk is full, one line says so.
        """
        full = "echod: standard output: No space left on device"
        for option in ("--help", "--version"):
            reader, writer = os.pipe()
            os.close(reader)
            for descriptor, code in ((writer, 0), (os.open("/dev/full", os.O_WRONLY), full)):
                with os.fdopen(descriptor, "w") as file, redirect_stdout(file):
                    error = self.assertRaises(SystemExit, Command().parseOptions, [option])
                self.assertEqual(error.code, code)

    def test_commands(self) -> None:
        """
        The help lists the commands.
        """

        class Main(CommandLine):
            subCommands = [["play", None, Command, "Play it."]]

        self.assertIn("\nCommands:\n  play                    Play it.\n", Main().getUsage(80))

    def test_option(self) -> None:
        """
        An option has the words that a shell offers, and tells whether it can be given again.
        """

        class Choosing(CommandLine):
            choices = {"colour": ("red", "blue")}
            optParameters = [["colour", "c", None, "Use NAME. Can be given again."]]

        option = Choosing().option("colour")
        self.assertEqual(option.choices, ("red", "blue"))
        self.assertTrue(option.repeats)
        self.assertFalse(Command().option("mute").repeats)

    def test_noArgument(self) -> None:
        """
        The description of an option must name its argument.
        """

        class Wrong(CommandLine):
            optParameters = [["wait", None, 5, "How long to wait."]]

        error = self.assertRaises(ValueError, Wrong().sections)
        self.assertIn("--wait names no argument", str(error))


class HintTests(SynchronousTestCase):
    """
    Tests for the hints.
    """

    def test_unknownOption(self) -> None:
        """
        An unknown option gets the option with a similar name as a suggestion.
        """
        for option, hint in (
            ("--volme=5", "unknown option --volme: did you mean --volume?"),
            ("--MUTE", "unknown option --MUTE: did you mean --mute?"),
            ("-x", "unknown option -x: --help lists the options"),
        ):
            error = self.assertRaises(usage.UsageError, Command().parseOptions, [option])
            self.assertEqual(str(error), hint)

    def test_otherMistakes(self) -> None:
        """
        The other messages of the parser stay as they are.
        """
        error = self.assertRaises(usage.UsageError, Command().parseOptions, ["--volume"])
        self.assertEqual(str(error), "option --volume requires argument")

    def test_hasOption(self) -> None:
        """
        Long and short options are found, with and without an argument.
        """
        options = Command()
        for option in ("--mute", "--volume", "-V", "--play-also", "-p", "-h"):
            self.assertTrue(hasOption(options, option), option)
        for option in ("--m", "--loud", "-v", "-:"):
            self.assertFalse(hasOption(options, option), option)
