"""
Run C{twistd -n echod} with the arguments of this program, until its standard input is
closed.  So echod ends with the test session, even if that is killed.
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
    Call C{end} when the other end of a pipe is closed.  Bytes in the pipe mean nothing.
    """
    while os.read(descriptor, 1):
        pass
    end()


def main() -> None:
    """
    Run twistd.
    """
    # Python has put the directory of this file first in its path.  Use the directory
    # above instead, where echod is, and last, so that it hides no other module.
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
