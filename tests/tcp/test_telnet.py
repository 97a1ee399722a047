"""
Tests for L{echod.tcp.telnet}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.telnet import COMMANDS_SIZE, afterCommands, isUnfinished


class TelnetTests(SynchronousTestCase):
    """
    Tests for L{afterCommands} and L{isUnfinished}.
    """

    def test_afterCommands(self) -> None:
        """
        The commands of the last line that starts with one are skipped.
        """
        for text, rest in (
            (b"no commands\n", None),
            (b"x\xff\xf1in a line", None),
            (b"\n\xff\xfftwice is the byte 255", None),
            (b"\n\xff\xf1", b""),
            (b"\r\0\xff\xf9\xff\xf0rest", b"rest"),
            (b"\n\xff\xf1\xff\xff.bye", b"\xff\xff.bye"),
            (b"\n\xff\xf1x\n\xff\xf1rest", b"rest"),
            (b"\n\xff\xf1x\r\0\xff\xf1rest", b"rest"),
            (b"\n\xff\xefno command", b"\xff\xefno command"),
            (b"\n\xff\xfb\n\xff\xfe\xff\xff\xf1rest", b"rest"),
            (b"\n\xff\xfa\n\xff\xff\xff\xf0rest", b"rest"),
            (b"\n\xff\xf1\xff\xfa\nmore", b"\xff\xfa\nmore"),
            (b"\n\xff\xfa" + b"\xff\xff" * 60 + b"\xff\xf0", b""),
            (
                b"\n\xff\xf1\xff\xfa" + b"x" * 61 + b"\xff\xf0",
                b"\xff\xfa" + b"x" * 61 + b"\xff\xf0",
            ),
        ):
            self.assertEqual((text, afterCommands(text)), (text, rest))

    def test_size(self) -> None:
        """
        The commands have a limited size.
        """
        commands = b"\xff\xf1" * (COMMANDS_SIZE // 2)
        self.assertEqual(afterCommands(b"\r\0" + commands), b"")
        self.assertIsNone(afterCommands(b"\r\0" + commands + b"\xff\xf1"))

    def test_unfinished(self) -> None:
        """
        A command is unfinished until its last byte; if this is C{\\r}, half of a line end
        may be, too.
        """
        parameters = b"x" * 58 + b"\xff\xff" * 2
        for command, unfinished in (
            (b"\xff", True),
            (b"\xff\xf1", False),
            (b"\xff\xfd", True),
            (b"\xff\xfd\n", False),
            (b"\xff\xfd\r", True),
            (b"\xff\xfa" + parameters, True),
            (b"\xff\xfa" + parameters + b"\xff", True),
            (b"\xff\xfa" + parameters + b"x", False),
            (b"\xff\xfa\xff\xf1", False),
        ):
            self.assertEqual((command, isUnfinished(command)), (command, unfinished))
