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
    "text": _filled(b"the quick brown fox jumps over the lazy dog\n"),
    "by-lines": _filled(b"by\n"),
    # Telnet commands with line ends in them, and a line that ends like a goodbye.
    "telnet commands": _filled(b"\n" + b"\xff\xfb\n" * 170, b"\nxbye\n"),
}
"""
By name.  Of the contents that we have tried, the last one costs most.
"""
