"""
Tests for L{echod.client.talk.terminal}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.client.talk.terminal import PAUSE, LineDisplay
from tests.support import clock


class LineDisplayTests(SynchronousTestCase):
    """
    Tests for L{LineDisplay}.
    """

    def setUp(self) -> None:
        self.clock = clock()
        self.shown: list[str] = []
        self.words = LineDisplay(self.clock, self.shown.append)
        self.words.registerProducer(None, True)
        self.addCleanup(self.words.unregisterProducer)

    def test_lines(self) -> None:
        """
        A line is shown when it is complete.  Bytes that could harm the terminal are escaped.
        """
        for data in (b"he", b"llo\r\nwor", b"ld\x1b[2J\n"):
            self.words.write(data)
        self.assertEqual(self.shown, ["From Server : hello", "From Server : world\\x1b[2J"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_unfinished(self) -> None:
        """
        An incomplete line is shown if nothing follows, or if it gets long.
        """
        self.words.write(b"login: ")
        self.assertEqual(self.shown, [])
        self.clock.advance(PAUSE)
        self.assertEqual(self.shown, ["From Server : login: "])
        self.words.write(b"x" * 2000)
        self.assertEqual(len(self.shown), 2)
        self.words.flush()
        self.assertEqual(len(self.shown), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])
