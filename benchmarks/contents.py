"""
The contents for which the goodbye rule is measured.
"""

from __future__ import annotations

SIZE = 1 << 16
"""
The most bytes that a session receives at once.
"""


def _filled(part: bytes, start: bytes = b"") -> bytes:
    return (start + part * (SIZE // len(part) + 1))[:SIZE]


CONTENTS = {
    "text without b": _filled(b"the quick fox jumps over the lazy dog\n"),
    "text": _filled(b"the quick brown fox jumps over the lazy dog\n"),
    "by-lines": _filled(b"by\n"),
    "goodbye-lines": _filled(b"goodbye\n"),
    # Telnet commands with line ends in them, and a line that ends like a goodbye.
    "telnet commands": _filled(b"\n" + b"\xff\xfb\n" * 170, b"\nxbye\n"),
    # The text before each goodbye is nearly a line of telnet commands.
    "commands before bye": _filled(b"\n" + b"\xff\xf1" * 120 + b"x\xff\xf1bye\n"),
    # All parts of two kinds of goodbyes, again and again.
    "near goodbyes": _filled(b"ye\ne\r\nbye\r"),
}
"""
By name.  Of the many thousand contents that we have tried, the last one costs most.
"""
