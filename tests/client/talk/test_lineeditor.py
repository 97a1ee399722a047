"""
Tests for L{echod.client.talk.lineeditor}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.client.talk.lineeditor import HISTORY, LineEditor


class LineEditorTests(SynchronousTestCase):
    """
    Tests for L{LineEditor}.
    """

    def setUp(self) -> None:
        self.editor = LineEditor("> ")

    def typed(self, keys: str) -> list[str | None]:
        """
        @return: The lines that these keys complete.
        """
        return list(self.editor.type(keys.encode()))

    def test_line(self) -> None:
        """
        Enter completes the typed line.
        """
        self.assertEqual(self.typed("hel"), [])
        self.assertEqual(self.typed("lo\rwörld\n"), ["hello", "wörld"])

    def test_pieces(self) -> None:
        """
        Characters and keys may arrive byte by byte; unknown keys are ignored.
        """
        lines: list[str | None] = []
        for byte in "añ€\x1b[D\x1b[99~\x1bx\x1bO\x07!\r".encode():
            lines += self.editor.type(bytes([byte]))
        self.assertEqual(lines, ["añ!€"])

    def test_text(self) -> None:
        """
        Every character that is not a control character is kept: joiners, wide spaces and
        spaces that do not break.
        """
        for text in ("\u0645\u06cc\u200c\u062e", "\U0001f468\u200d\U0001f467", "a\u3000b\xa0c"):
            self.assertEqual(self.typed(text + "\x00\r"), [text])
        self.typed("\x01ab\u200d")
        self.assertTrue(self.editor.draw(80).endswith("> ab\u200d"))

    def test_keys(self) -> None:
        """
        Each key has the same effect as in a shell.
        """
        for keys, line in {
            "bc\x1b[D\x1b[Da\x1b[C\x1b[C\x1b[Cd": "abcd",
            "bc\x01a\x05d": "abcd",
            "bc\x1b[Ha\x1b[Fd": "abcd",
            "abx\x7fc": "abc",
            "xabc\x01\x1b[3~": "abc",
            "xabc\x01\x04": "abc",
            "abc\x02\x02\x0b": "a",
            "abc\x02\x15": "c",
            "one two  \x17three": "one three",
            "\x7f\x08\x02\x06\x0b\x15\x17ok": "ok",
        }.items():
            self.assertEqual(self.typed(keys + "\r"), [line], repr(keys))

    def test_history(self) -> None:
        """
        The arrow keys recall earlier lines, and then the line that was begun.
        """
        self.typed("one\rtwo\rtwo\r\rth")
        up, down = "\x1b[A", "\x1b[B"
        self.typed(up)
        self.assertEqual(self.editor.before, "two")
        self.typed(up + up + up)
        self.assertEqual(self.editor.before, "one")
        self.typed(down + down + down)
        self.assertEqual(self.editor.before, "th")
        self.assertEqual(self.typed(up + up + "!\r"), ["one!"])

    def test_historyEnds(self) -> None:
        """
        The editor forgets the oldest lines.
        """
        for number in range(HISTORY + 10):
            self.typed(f"{number}\r")
        self.typed("\x10" * 2 * HISTORY)
        self.assertEqual(self.editor.before, "11")

    def test_end(self) -> None:
        """
        Ctrl-D ends the input on an empty line only.
        """
        self.assertEqual(self.typed("a\x04\r\x04"), ["a", None])

    def test_draw(self) -> None:
        """
        The line is drawn on one row, with the cursor at its place.
        """
        self.typed("hello\x02\x02")
        self.assertEqual(self.editor.draw(80), "\r\x1b[K> hello\x1b[2D")
        self.typed("\x05")
        self.assertEqual(self.editor.draw(80), "\r\x1b[K> hello")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> ello")
        self.typed("\x01")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> hell\x1b[4D")
        self.typed("\x0b日本e\u0301")
        self.assertEqual(self.editor.draw(7), "\r\x1b[K> 本e\u0301")
