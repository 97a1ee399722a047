"""
Tests for L{echod.tcp.goodbyesearch}.
"""

from __future__ import annotations

import sys
from itertools import product
from subprocess import run

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.goodbyesearch import CANDIDATES, GOODBYES, SHORT, firstGoodbye, lastLine
from echod.tcp.telnet import COMMANDS_SIZE, LINE_ENDS
from tests.support import CHECKOUT, MEASURED

LONG = b"x" * 1000


class FirstGoodbyeTests(SynchronousTestCase):
    """
    Tests for L{firstGoodbye}.
    """

    def test_longSegment(self) -> None:
        """
        The first goodbye is found, whatever surrounds it.
        """
        commands = b"\xff\xfa\x1f\x00P\x00\x18\xff\xf0\xff\xfd\x03"
        starts = (b"\n", b"\r\0", b"\n" + commands, b"\r\0\xff\xf1")
        parts = (b"x", b"bye bye\n", b"\nbyex\xff", b"\n\xff\xf1x\xff\xf1bye ")
        for start, part, goodbye in product(starts, parts, GOODBYES):
            before = LONG + part * CANDIDATES + start
            place = firstGoodbye(b"", before + goodbye + b"x\nbye\n" + LONG)
            self.assertEqual((before, place), (before, len(before)))

    def test_nearGoodbyes(self) -> None:
        """
        Each goodbye directly after a line end is found in a segment full of the parts of
        all goodbyes.
        """
        parts = b"\nbyex\0byexbye\nxbye\r\nxbye\r\0x" * CANDIDATES + LONG
        for start, goodbye in product(LINE_ENDS, GOODBYES):
            place = firstGoodbye(b"", parts + start + goodbye + parts)
            self.assertEqual((start, goodbye, place), (start, goodbye, len(parts + start)))

    def test_manyCandidates(self) -> None:
        """
        In a long segment that is full of C{bye}, a goodbye after telnet commands must be
        among the last ones; another goodbye may be anywhere.
        """
        short, long = SHORT // len(b"bye "), b" " * SHORT
        for start, rest, place in (
            (b"\xff\xf1", b"bye " * (CANDIDATES - 1) + long, 2),
            (b"\xff\xf1", b"bye " * CANDIDATES + long, None),
            (b"\xff\xf1", b"bye " * (short - 2), 2),
            (b"\xff\xf1", b"bye " * short, None),
            (b"x\n", b"bye " * short, 2),
            (b"x\r\0", b"bye " * short, 3),
        ):
            found = firstGoodbye(b"\n", start + b"bye\r\n" + rest)
            self.assertEqual((start, rest, found), (start, rest, place))

    def test_longCommands(self) -> None:
        """
        The number of bytes of telnet commands is limited.
        """
        most = b"\xff\xf1" * (COMMANDS_SIZE // 2)
        for start in (b"\n", b"\r\0"):
            segment = LONG + start + most + b"bye\n"
            self.assertEqual(firstGoodbye(b"", segment), len(segment) - 4)
            self.assertIsNone(firstGoodbye(b"", segment.replace(b"bye", b"\xff\xf1bye")))

    def test_withoutStringzilla(self) -> None:
        """
        The search needs no package besides Python's own.
        """
        script = (
            "import sys\n"
            "sys.modules['stringzilla'] = None\n"
            "from echod.tcp.goodbyesearch import firstGoodbye\n"
            "print(firstGoodbye(b'', b'\\nbyexbye\\n' * 1000 + b'bye\\nmore'))\n"
        )
        done = run(
            [sys.executable, "-c", script],
            cwd=CHECKOUT,
            env=MEASURED,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.assertEqual((done.stdout, done.stderr), ("9000\n", ""))


class LastLineTests(SynchronousTestCase):
    """
    Tests for L{lastLine}.
    """

    def test_rows(self) -> None:
        """
        The context starts with the line end after which a goodbye may follow or end.
        """
        unfinished = b"\xff\xfa" + b"\xff\xff" * 53 + b"x" * 7
        for context, segment, left, word in (
            (b"", b"x", b"", b""),
            (b"", b"bye", b"", b""),
            (b"\n", b"by", b"\nby", b"by"),
            (b"\n", LONG + b"\n", b"\n", b""),
            (b"", LONG + b"\r\0bye\r", b"\nbye\r", b"bye\r"),
            (b"", LONG + b"\r", b"\r", b""),
            (b"\n", b"\xff\xf1", b"\n", b""),
            (b"\n", b"\xff\xf1bye", b"\nbye", b"bye"),
            (b"\n", b"\xff\xfd\x03bye\r", b"\nbye\r", b"bye\r"),
            (b"\n", b"\xff\xf1\xff\xfd", b"\n\xff\xfd", b""),
            (b"\n", b"\xff\xfa\nb", b"\n\xff\xfa\nb", b"b"),
            (b"\n", b"\xff\xfa" + b"\xff" * 121, b"\n\xff\xfa" + b"\xff" * 121, b""),
            (b"\n", unfinished, b"\n" + unfinished, b""),
            (b"\n", b"\xff\xfd\r", b"\n\xff\xfd\r", b""),
            (b"\n", b"\xff\xf1 ", b"", b""),
        ):
            self.assertEqual((segment, lastLine(context, segment)), (segment, (left, word)))
