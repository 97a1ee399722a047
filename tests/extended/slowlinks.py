"""
Peers that receive for longer than a web server would wait for them.
"""

from __future__ import annotations

from tests.tcp import test_closing


class LongTests(test_closing.SlowLinkTests):
    """
    Two peers with 200 kB each at 100 kbit/s, which send a line every half second.
    """

    size = 200_000
    pause = 0.5
