"""
The reactor of the process.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from time import monotonic
from typing import Any

from twisted.python.reflect import namedAny


def processReactor(ownsProcess: bool) -> Any:
    """
    Get the installed reactor.

    @param ownsProcess: Whether echod is the whole program.  Then the fastest reactor is
        installed if there is none yet, and it gets a steady clock.
    """
    if ownsProcess and "twisted.internet.reactor" not in sys.modules:
        with suppress(ImportError):
            namedAny("echod.uvloopreactor.install")()
    from twisted.internet import reactor

    if ownsProcess:
        # Twisted sets its timers by the time of day.  After that is set back, timers
        # would wait until it is the same again.
        reactor.seconds = monotonic  # type: ignore[method-assign]
    return reactor
