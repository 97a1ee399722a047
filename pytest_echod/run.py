"""
Runs C{twistd -n echod} with the arguments given, for as long as there is somebody
who could end it: a test session that was killed leaves nothing behind.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread


def watch(descriptor: int, end: Callable[[], object]) -> None:
    """
    End it when the other end of a pipe is closed.
    """
    while os.read(descriptor, 1):
        """Nobody has anything to say."""
    end()


def main() -> None:
    """
    Run.
    """
    # Where this is echod is as well, but nothing there is to be found before what
    # Python has of the same name.
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != here]
    sys.path.append(str(here.parent))
    from twisted.scripts.twistd import run

    end = partial(os.kill, os.getpid(), signal.SIGTERM)
    Thread(target=watch, args=(sys.stdin.fileno(), end), daemon=True).start()
    sys.argv = ["twistd", "-n", "--pidfile=", "echod", *sys.argv[1:]]
    run()


if __name__ == "__main__":
    main()
