"""
Tests for L{echod.tcp.goodbye}.
"""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.goodbye import FULL_READ, Goodbye, isOrdinary
from echod.tcp.telnet import COMMANDS_SIZE
from tests.support import lacking
from tests.support.properties import EXAMPLES, given, settings, st

SILENCE = "silence"
RELEASE = "release"
END = "end"

History = list["bytes | str"]
"""
Segments, and what happens between them.
"""


class Reference:
    """
    The rule once more: slow, and straight from its description.
    """

    def __init__(self) -> None:
        self.stream = b""
        # How much of the stream was returned.
        self.returned = 0
        self.over = False
        # The places of silence.
        self._silences: set[int] = set()
        # Where "bye" as a whole segment starts, and at least one byte before it did
        # not fill a read.
        self._alone: set[int] = set()
        self._full = False

    def meet(self, event: bytes | str) -> None:
        """
        Take the next event.
        """
        if isinstance(event, bytes):
            if event == b"bye" and not self._full:
                self._alone.add(len(self.stream))
            self._full = len(event) % FULL_READ == 0
            self.stream += event
        elif event == SILENCE:
            self._silences.add(len(self.stream))
        ended = event == END
        places = [place for place, byte in enumerate(self.stream) if byte == ord("b")]
        for start in places:
            if self._isGoodbye(start, ended):
                self.over = True
                self.returned = max(self.returned, start)
                return
        if isinstance(event, bytes):
            held = min(filter(self._mayBecome, places), default=len(self.stream))
            self.returned = max(self.returned, held)
        else:
            self.returned = len(self.stream)

    def _isGoodbye(self, start: int, ended: bool) -> bool:
        rest = self.stream[start:]
        stops = {*self._silences, *([len(self.stream)] if ended else [])}
        if start in self._alone and start + 3 in stops:
            return True
        return self._startsLine(start) and (
            rest.startswith((b"bye\n", b"bye\r\n", b"bye\r\0"))
            or (rest.startswith(b"bye\r") and start + 4 in stops)
            or (rest == b"bye" and ended)
        )

    def _mayBecome(self, start: int) -> bool:
        rest = self.stream[start:]
        return (start in self._alone and rest == b"bye") or (
            rest in (b"b", b"by", b"bye", b"bye\r") and self._startsLine(start)
        )

    def _startsLine(self, place: int) -> bool:
        before = self.stream[:place]
        recent = range(max(0, place - 2 * 64), place)
        return (
            not before
            or before.endswith((b"\n", b"\r\0"))
            or (before.endswith(b"\r") and place in self._silences)
            or any(
                before[at] == 255 and isCommand(before[at:]) and self._startsLine(at)
                for at in recent
            )
        )


def isCommand(text: bytes) -> bool:
    """
    @return: True if this is one telnet command of RFC 854 or RFC 855.
    """
    if len(text) == 2:
        return text[0] == 255 and 240 <= text[1] <= 249
    if len(text) == 3:
        return text[0] == 255 and 251 <= text[1] <= 254
    parameters = text[2:-2].replace(b"\xff\xff", b".")
    return (
        text.startswith(b"\xff\xfa")
        and text.endswith(b"\xff\xf0")
        and len(parameters) <= 60
        and (b"\xff" not in text[2:-2].replace(b"\xff\xff", b""))
    )


class GoodbyeTests(SynchronousTestCase):
    """
    Tests for L{Goodbye}.
    """

    def assertFollowed(self, history: History, quick: bool = True) -> Goodbye:
        """
        Check that at each event of a history the rule decides as its description
        says.

        @param quick: True to have no rule while segments are ordinary, as a session does.
        """
        rule = Goodbye()
        reference = Reference()
        returned = b""
        full = False
        for event in history:
            if isinstance(event, bytes):
                full = len(event) % FULL_READ == 0
                if quick and rule.ordinary and isOrdinary(event, rule.startsLine):
                    returned += event
                    rule = Goodbye(event.endswith(b"\n"), full)
                else:
                    returned += rule.receive(event)
            else:
                returned += getattr(rule, event)()
            reference.meet(event)
            stream, place = reference.stream, reference.returned
            self.assertEqual((returned, rule.over), (stream[:place], reference.over), history)
            if rule.over:
                break
            self.assertEqual(rule.withheld, stream[place:], history)
            self.assertLessEqual(len(rule.withheld), 4)
            if quick and rule.ordinary:
                rule = Goodbye(rule.startsLine, full)
        return rule

    def test_ordinary(self) -> None:
        """
        A segment is ordinary if it contains no goodbye and does not end with the beginning
        of one.
        """
        for segment in (b"hello\n", b"hello", b"banana", b"\xff" + b"x" * 64, b"\n"):
            self.assertTrue(isOrdinary(segment, False), segment)
            self.assertTrue(isOrdinary(segment * FULL_READ, False), segment)
        for segment in (b"x bye", b"xb", b"x\r", b"x\0", b"\n\xff"):
            self.assertFalse(isOrdinary(segment, False), segment)
        self.assertFalse(isOrdinary(b"\xff" + b"x" * 64, True))
        self.assertFalse(isOrdinary(b"x\n" + b"\xff\xf1" * (COMMANDS_SIZE // 2), False))

    def test_over(self) -> None:
        """
        After a goodbye nothing is returned any more.
        """
        rule = Goodbye()
        self.assertEqual(rule.receive(b"a\nbye\nmore\n"), b"a\n")
        self.assertFalse(rule.ordinary)
        self.assertEqual((rule.receive(b"again"), rule.silence(), rule.end()), (b"", b"", b""))

    def test_undecided(self) -> None:
        """
        Silence matters if bytes are withheld, or after half of a line ending.
        """
        for segment, undecided in ((b"x\n", False), (b"b", True), (b"x\r", True)):
            rule = Goodbye()
            rule.receive(segment)
            self.assertEqual((segment, rule.undecided), (segment, undecided))
            rule.silence()
            self.assertFalse(rule.undecided)

    def test_restOfALongMessage(self) -> None:
        """
        C{bye} after a segment that has filled a read is the rest of the same message.
        """
        for size in (FULL_READ, FULL_READ * 4):
            for last in (b"x", b"\n", b"b", b"bye "):
                full = b"x" * (size - len(last)) + last
                self.assertFollowed([full, b"bye", SILENCE])
                self.assertFollowed([full, b"bye", SILENCE, b"bye", SILENCE])
                self.assertFollowed([full, b"and", b"bye", SILENCE])

    def test_commands(self) -> None:
        """
        The line starts after a telnet command, also one that comes in several segments.
        """
        for history in (
            [b"\xff\xf0bye\n"],
            [b"\xff\xff.bye\n"],
            [b"\xff\xf1b", b"ye\n"],
            [b"\xff\xfa\x1f\0P", b"\0\x18\xff\xf0bye\n"],
            [b"\xff\xfa\x1f" + b"x" * 59, b"\xff\xf0bye\n"],
            [b"\xff\xfa\x1f" + b"x" * 60, b"\xff\xf0bye\n"],
            [b"x\n\xff\xfd", b"\x03bye\n"],
            [b"x\r\0\xff\xfa\x1f" + b"x" * 59, b"\xff\xf0bye\n"],
            # The byte for the option may also be half of a line end.
            [b"\xff\xfd\r", b"\0bye\n"],
            [b"\xff\xfd\r", b"bye\n"],
        ):
            self.assertFollowed([*history])

    def test_lastLineOfCommands(self) -> None:
        """
        The last line of a segment may continue if it consists of telnet commands, also if
        these contain line ends.
        """
        # A line end and IAC IAC are two bytes of the sixty of a subnegotiation.
        for number, over in ((30, True), (31, False)):
            rule = Goodbye()
            rule.receive(b"\xff\xfa" + b"\n\xff\xff" * number + b"\xff\xf0b")
            rule.receive(b"ye\n")
            self.assertEqual((number, rule.over), (number, over))

    def test_acrossALongSegment(self) -> None:
        """
        A goodbye or a command may begin in one segment and end in a long one.
        """
        rest = b"x" * FULL_READ
        for before, start, returned in (
            (b"x\nb", b"ye\n", b""),
            (b"x\nbye\r", b"\0", b""),
            (b"x\r", b"\0bye\n", b"\0"),
            (b"x\n", b"\xff\xf1" * (COMMANDS_SIZE // 2) + b"bye\r\n", b"\xff\xf1" * 128),
            (b"x\n\xff", b"\xf1bye\n", b"\xf1"),
        ):
            rule = Goodbye()
            rule.receive(before)
            self.assertEqual((rule.receive(start + rest), rule.over), (returned, True))

    def test_everyCut(self) -> None:
        """
        However a stream is cut into segments and silences, the rule decides as its
        description says.
        """
        for stream in (
            b"bye\r\nx",
            b"xbye\r",
            b"b\nbye",
            b"\nbye\r",
            b"x\r\0bye",
            b"\xff\xfd\nbye",
            b"bye-bye",
        ):
            for cuts in product(("", "cut", SILENCE), repeat=len(stream) - 1):
                history: History = [b""]
                for byte, cut in zip(stream, [*cuts, ""], strict=True):
                    assert isinstance(history[-1], bytes)
                    history[-1] += bytes([byte])
                    if cut == SILENCE:
                        history.append(SILENCE)
                    if cut:
                        history.append(b"")
                self.assertFollowed([*history, END])
                self.assertFollowed([*history, SILENCE])

    def test_property(self) -> None:
        """
        Any history is decided as the description of the rule says.
        """
        if given is None:
            lacking("hypothesis")
        piece = st.one_of(
            st.sampled_from(
                [
                    *(b"b", b"y", b"e", b"x", b"bye", b"\r", b"\n", b"\0", b"\r\0"),
                    *(b"\nbye", b"bye\n", b"bye\r", b"\xff", b"\xff\xf1", b"\xff\xfd\x03"),
                    *(b"\xff\xfd", b"\xff\xfa", b"\xff\xf0", b"\n\xff\xfa", b"x" * 59),
                ]
            ),
            st.binary(min_size=1, max_size=2),
        )
        segment = st.one_of(
            st.lists(piece, min_size=1, max_size=6).map(b"".join),
            st.just(b"bye"),
        )
        event = st.one_of(segment, segment, st.sampled_from([SILENCE, RELEASE]))

        # A history is short, and there are many.
        @settings(max_examples=5 * EXAMPLES)
        @given(st.lists(event), st.booleans())
        def check(history: History, quick: bool) -> None:
            self.assertFollowed([*history, END], quick)

        check()
