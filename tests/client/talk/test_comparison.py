"""
Tests for L{echod.client.talk.comparison}.
"""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from echod.client.talk.comparison import Comparison

LINES = b"".join(b"%d\n" % number for number in range(20_000))


def compared(sent: bytes, returned: bytes, seed: int = 1) -> Comparison:
    """
    @return: The comparison of two streams that flow in pieces of random sizes.
    """
    random = Random(seed)
    comparison = Comparison()
    for take, data in ((comparison.send, sent), (comparison.receive, returned)):
        while data:
            size = random.randrange(1, 20_000)
            take(data[:size])
            data = data[size:]
    return comparison


class ComparisonTests(SynchronousTestCase):
    """
    Tests for L{Comparison}.
    """

    def test_equal(self) -> None:
        """
        An echo has no difference, in whatever pieces it arrives.
        """
        for seed in range(20):
            comparison = compared(LINES, LINES, seed)
            self.assertEqual((comparison.difference, comparison.wrong), (None, False))
            self.assertEqual(comparison.outstanding, 0)

    def test_difference(self) -> None:
        """
        The first byte that differs is found at every place.
        """
        for place in (0, 1, 63, 64, 19_999, 65_536, len(LINES) - 1):
            returned = LINES[:place] + b"?" + LINES[place + 1 :]
            comparison = compared(LINES, returned)
            self.assertEqual((comparison.difference, comparison.wrong), (place, True))

    def test_tooMuch(self) -> None:
        """
        Bytes that come back twice are wrong bytes after the end of the sent ones.
        """
        comparison = compared(LINES, LINES * 2)
        self.assertEqual((comparison.difference, comparison.wrong), (len(LINES), True))
        comparison.send(LINES)
        self.assertEqual(comparison.outstanding, 0)

    def test_gaps(self) -> None:
        """
        Bytes that are missing in the middle do not count as wrong.
        """
        comparison = Comparison()
        for start in range(0, len(LINES), 10_000):
            piece = LINES[start : start + 10_000]
            comparison.send(piece)
            comparison.receive(piece[: len(piece) // 2])
        self.assertEqual((comparison.difference, comparison.wrong), (5_000, False))
        self.assertEqual(comparison.outstanding, len(LINES) - comparison.received)

    def test_bounded(self) -> None:
        """
        A comparison keeps only the bytes that have not come back, and none after a wrong
        byte.
        """
        comparison = Comparison()
        comparison.send(b"abc")
        comparison.receive(b"abd")
        comparison.send(b"more")
        comparison.receive(b"more")
        self.assertEqual((comparison.sent, comparison.received), (7, 7))
        self.assertEqual((comparison.difference, comparison.wrong), (2, True))

    def test_goodbye(self) -> None:
        """
        The line C{bye} is recognized at the place where the echo ends.
        """
        for sent, returned, after in (
            (b"hello\nbye\n", b"hello\n", 0),
            (b"bye\r\n", b"", 0),
            (b"bye", b"", 0),
            (b"hello\r\nbye\r\nmore\n", b"hello\r\n", 5),
            (b"a\0bye\r\0more", b"a\0", 4),
            # Its beginning was typed slowly, and has come back.
            (b"hello\nbye\nmore", b"hello\nby", 4),
            (b"hello\nbyes\n", b"hello\n", None),
            (b"hello bye\n", b"hello ", None),
            (b"hello\nbye\n", b"hello\nbye\n", None),
            (b"hello\nbye\n", b"hell", None),
            (b"one\nbye\n", b"two\n", None),
        ):
            comparison = Comparison()
            for byte in sent:
                comparison.send(bytes([byte]))
            comparison.receive(returned)
            self.assertEqual(comparison.cutByGoodbye(), after, (sent, returned))
