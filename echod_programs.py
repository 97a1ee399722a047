"""
Start the programs C{echod} and C{echoc}.

This module is outside of the package, because the import of C{echod} takes half a second.
If the user presses Ctrl-C in this time, the program ends without a traceback.
"""

from __future__ import annotations

import signal
from typing import Any


def echod() -> None:
    """
    Run the server until it stops.
    """
    before = _endAtInterrupt()
    from twisted.scripts.twistd import runApp

    from echod.__main__ import main

    def run(options: Any) -> None:
        # Twisted stops the server at Ctrl-C only if it finds the handler of Python.
        signal.signal(signal.SIGINT, before)
        runApp(options)

    main(run=run)


def echoc() -> None:
    """
    Run one client.
    """
    _endAtInterrupt()
    from echod.client.main import main

    main()


def _endAtInterrupt() -> Any:
    before = signal.getsignal(signal.SIGINT)
    # A script that starts a command in the background ignores the signal.
    if before == signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return before
