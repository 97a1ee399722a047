"""
Tests for L{echod.tcp.goodbye}.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp import goodbye
from echod.tcp.goodbye import FULL_READ, Goodbye
from tests.support import EXAMPLES, lacking

try:
    from hypothesis import given, settings
    from hypothesis import strategies as st
except ImportError:
    given = None  # type: ignore[assignment]

PAUSE = None
"""
In a history, among the segments: silence for as long as bytes are withheld.
"""

History = list["bytes | None"]


def reference(history: History, ended: bool) -> tuple[bytes, bytes, bool]:
    """
    The rule once more: slow, and straight from its description.

    @return: What has been returned at the end of the history, what is
        withheld, and whether it is over.
    """
    stream = b""
    pauses = []
    whole = []
    previous = 0
    for event in history:
        if event is None:
            pauses.append(len(stream))
        else:
            if event == b"bye" and not (previous and previous % goodbye.FULL_READ == 0):
                whole.append(len(stream))
            previous = len(event)
            stream += event

    def startsLine(at: int) -> bool:
        return at == 0 or stream[at - 1 : at] == b"\n"

    def cameTogether(at: int, end: int) -> bool:
        return not any(at < pause < end for pause in pauses)

    for at in range(len(stream)):
        goodbyes = []
        for line in (b"bye\n", b"bye\r\n"):
            if stream[at:].startswith(line):
                goodbyes.append(startsLine(at) and cameTogether(at, at + len(line)))
        if at in whole:
            goodbyes.append(at + 3 in pauses or (ended and at + 3 == len(stream)))
        if ended and stream[at:] == b"bye":
            goodbyes.append(startsLine(at) and cameTogether(at, at + 4))
        if any(goodbyes):
            return stream[:at], b"", True

    if not ended:
        for at in range(len(stream)):
            starts = startsLine(at) and cameTogether(at, len(stream) + 1)
            possible = stream[at:] in (b"b", b"by", b"bye", b"bye\r") and starts
            alone = whole and whole[-1] == at == len(stream) - 3 and history[-1]
            if possible or alone:
                return stream[:at], stream[at:], False
    return stream, b"", False


def play(history: Iterable[bytes | None], ended: bool) -> tuple[bytes, bytes, bool]:
    """
    Let a L{Goodbye} see a history.

    @return: As from L{reference}.
    """
    rule = Goodbye()
    returned = b""
    for event in history:
        returned += rule.silence() if event is None else rule.receive(event)
    if ended:
        returned += rule.end()
    return returned, rule.withheld, rule.over


def everyWayToCut(stream: bytes) -> Iterable[History]:
    """
    Every history of a stream: between two bytes, and at the end, there is
    nothing, or a new segment begins, or there is a pause first.
    """
    for cuts in product(("", "cut", "pause"), repeat=len(stream) - 1):
        for pauses in (0, 1):
            history: History = [stream[:1]]
            for byte, cut in zip(stream[1:], cuts, strict=True):
                if cut == "pause":
                    history.append(PAUSE)
                if cut or not isinstance(history[-1], bytes):
                    history.append(bytes([byte]))
                else:
                    history[-1] += bytes([byte])
            yield history + [PAUSE] * pauses


class GoodbyeTests(SynchronousTestCase):
    """
    Tests for L{Goodbye}.
    """

    def assertReturns(self, history: History, returned: bytes, **state: object) -> None:
        """
        Check what is returned of a history, and how it leaves the rule.
        """
        rule = Goodbye()
        got = b"".join(
            rule.silence() if event is None else rule.receive(event) for event in history
        )
        self.assertEqual(got, returned)
        expected = {"over": False, "withheld": b"", **state}
        self.assertEqual({name: getattr(rule, name) for name in expected}, expected)

    def test_ordinarySegmentIsItself(self) -> None:
        """
        A segment without a goodbye is returned as the same object, not copied.
        """
        rule = Goodbye()
        for segment in (b"hello\n", b"hello", b"x bye\n", b"x" * 70000, b"x" * 2000):
            self.assertIs(rule.receive(segment), segment)

    def test_line(self) -> None:
        """
        The line C{bye} ends the session and is not returned, nor what follows.
        """
        self.assertReturns([b"a\nbye\nmore\n", b"again"], b"a\n", over=True)
        self.assertReturns([b"a\r\nbye\r\nmore"], b"a\r\n", over=True)
        self.assertReturns([b"bye\n"], b"", over=True)

    def test_wholeSegment(self) -> None:
        """
        C{bye} as a segment of its own ends the session after silence, also in
        the middle of a line.
        """
        self.assertReturns(
            [b"This is from Client", b"bye"], b"This is from Client", withheld=b"bye"
        )
        self.assertReturns(
            [b"This is from Client", b"bye", PAUSE], b"This is from Client", over=True
        )

    def test_wholeSegmentThatGoesOn(self) -> None:
        """
        C{bye} as a segment of its own is returned when more follows at once.
        """
        self.assertReturns([b"x", b"bye", b"-bye"], b"xbye-bye")
        self.assertReturns([b"x", b"bye", b"bye"], b"xbye", withheld=b"bye")
        self.assertReturns([b"x", b"bye", b"\n"], b"xbye\n")

    def test_restOfALongMessage(self) -> None:
        """
        C{bye} as what was left over of a read is not a whole message.
        """
        for size in (FULL_READ, FULL_READ * 4):
            self.assertReturns([b"x" * size, b"bye"], b"x" * size + b"bye")
            self.assertReturns([b"b" * size, b"bye"], b"b" * size + b"bye")

    def test_notAtTheStartOfALine(self) -> None:
        """
        C{bye} at the end of a line is text like any other.
        """
        self.assertReturns([b"good bye\n", b"goodbye\n"], b"good bye\ngoodbye\n")

    def test_withheld(self) -> None:
        """
        Only what may become a goodbye is withheld; silence sets it free.
        """
        self.assertReturns([b"b"], b"", withheld=b"b")
        self.assertReturns([b"x\nby"], b"x\n", withheld=b"by")
        self.assertReturns([b"x\nbye\r"], b"x\n", withheld=b"bye\r")
        self.assertReturns([b"b", PAUSE], b"b")
        self.assertReturns([b"x\nbye", PAUSE, b"\n"], b"x\nbye\n")
        self.assertReturns([b"banana"], b"banana")

    def test_endOfStream(self) -> None:
        """
        At the end of the stream C{bye} is a goodbye when it is the last line or
        came alone; anything else that was withheld is returned.
        """
        self.assertEqual(play([b"a\nbye"], True), (b"a\n", b"", True))
        self.assertEqual(play([b"a", b"bye"], True), (b"a", b"", True))
        self.assertEqual(play([b"abye"], True), (b"abye", b"", False))
        self.assertEqual(play([b"a", b"b", b"ye"], True), (b"abye", b"", False))
        self.assertEqual(play([b"a\nby"], True), (b"a\nby", b"", False))
        self.assertEqual(play([b"a\nbye\r"], True), (b"a\nbye\r", b"", False))

    def test_everyCut(self) -> None:
        """
        However a stream is cut into segments and pauses, the rule decides as
        its description says.
        """
        for stream in (
            b"\nbye\n",
            b"bye\r\nx",
            b"xbye",
            b"bye-bye",
            b"bbye\n",
            b"b\nbye",
            b"byebye\n",
            b"\nb\nby\n",
            b"bye\rbye",
        ):
            for history in everyWayToCut(stream):
                for ended in (False, True):
                    self.assertEqual(
                        play(history, ended), reference(history, ended), (history, ended)
                    )

    def test_property(self) -> None:
        """
        Any history at all is decided as the description of the rule says.
        """
        if given is None:
            lacking("hypothesis")
        # Sizes which such segments do reach.
        self.patch(goodbye, "FULL_READ", 4)
        self.patch(goodbye, "LONG", 4)
        segment = st.one_of(
            st.lists(
                st.sampled_from(
                    [b"b", b"y", b"e", b"\r", b"\n", b"x", b"bye", b"bye\n", b"\nbye"]
                ),
                min_size=1,
                max_size=6,
            ).map(b"".join),
            st.binary(min_size=1),
        )

        # A history is short, and there are many.
        @settings(max_examples=10 * EXAMPLES)
        @given(st.lists(st.one_of(segment, st.none())), st.booleans())
        def check(history: History, ended: bool) -> None:
            self.assertEqual(play(history, ended), reference(history, ended))

        check()
