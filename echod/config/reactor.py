"""
The reactor of the process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from contextlib import suppress
from time import monotonic
from typing import Any

from twisted.python.reflect import namedAny

from echod.net.extras import needed

FASTEST = "echod.uvloopreactor.install"


def install(find: Callable[[str], Any] = namedAny) -> None:
    """
    Install the fastest reactor: C{twistd} and C{twist} call this for C{--reactor=uvloop}.

    @param find: Imports an object by its name.

    @raise SystemExit: with one line, if uvloop is missing.  After another exception,
        C{twistd} prints its own help, and C{twist} a traceback.
    """
    try:
        installer = find(FASTEST)
    except ImportError:
        raise SystemExit(f"--reactor=uvloop {needed('fast')}") from None
    installer()


def processReactor(
    ownsProcess: bool,
    loaded: Container[str] = sys.modules,
    find: Callable[[str], Any] = namedAny,
) -> Any:
    """
    Get the installed reactor.

    @param ownsProcess: True if echod is the whole program.  Then the fastest reactor is
        installed if there is none yet, and the reactor gets a steady clock.

    @param loaded: The names of the modules that are loaded.

    @param find: Imports an object by its name.
    """
    if ownsProcess and "twisted.internet.reactor" not in loaded:
        with suppress(ImportError):
            find(FASTEST)()
    from twisted.internet import reactor

    if ownsProcess:
        # Twisted's timers use the time of day.  If somebody sets the clock back by an
        # hour, all timers would be an hour late.
        reactor.seconds = monotonic  # type: ignore[method-assign]
    return reactor
