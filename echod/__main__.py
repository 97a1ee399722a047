"""
The program C{echod}, and C{python -m echod}: C{twistd -n --pidfile= echod}.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from twisted.scripts.twistd import ServerOptions, runApp  # type: ignore[attr-defined]

TWISTD = ("--nodaemon", "--pidfile=", "echod")


class Runner(ServerOptions):
    """
    The options of twistd; the user gives only the options of echod.
    """

    def getSynopsis(self) -> str:
        """
        @return: The beginning of the first line of C{--help}; echod's options add the rest.
        """
        return "Usage:"


def main(
    arguments: Sequence[str] | None = None, run: Callable[[Runner], object] = runApp
) -> None:
    """
    Run twistd with echod, and exit with its status.

    @param run: Runs the application that the options ask for.
    """
    runner = Runner()
    runner.parseOptions([*TWISTD, *(sys.argv[1:] if arguments is None else arguments)])
    run(runner)


if __name__ == "__main__":
    main()
