"""
How the parent starts a worker process: its command, environment and descriptors.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.protocol import ProcessProtocol

from echod.workers.pipes import LOG, REPORTS

FIRST_SOCKET = 3
"""
The lowest descriptor of an inherited socket (sd_listen_fds(3)).
"""

CHILD = (
    "import os, sys; sys.path[:] = os.environ['PYTHONPATH'].split(os.pathsep); "
    "from echod.workers.child import main; main()"
)
"""
The program of a worker.  With C{-m}, Python would look in the current directory first,
where the parent does not look.
"""

PRIVATE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
"""
The variables that systemd sets for the parent alone.
"""


class Spawner:
    """
    Starts worker processes.
    """

    def __init__(
        self,
        reactor: Any,
        arguments: Sequence[str],
        descriptors: Callable[[int], Mapping[str, int]],
    ) -> None:
        """
        @param arguments: The command line of echod.

        @param descriptors: Returns the descriptors that a worker inherits, by name.  It
            takes the worker's slot.
        """
        self._directory = os.getcwd()
        self._reactor = reactor
        self._arguments = arguments
        self._descriptors = descriptors

    def spawn(self, protocol: ProcessProtocol, slot: int) -> None:
        """
        Start a worker.  It gets the process id of its parent: call this in the final process
        of C{twistd}, which may fork at its start.

        @raise OSError: if the system cannot.
        """
        descriptors = self._descriptors(slot)
        module = type(self._reactor).__module__
        environ = {name: value for name, value in os.environ.items() if name not in PRIVATE}
        self._reactor.spawnProcess(
            protocol,
            sys.executable,
            [sys.executable, "-c", CHILD, str(os.getpid()), module, *self._arguments],
            env={
                **environ,
                # The worker finds the same modules as its parent.
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "LISTEN_FDS": str(len(descriptors)),
                "LISTEN_FDNAMES": ":".join(descriptors),
            },
            path=self._directory,
            childFDs={
                0: "w",
                REPORTS: "r",
                LOG: "r",
                **dict(enumerate(descriptors.values(), FIRST_SOCKET)),
            },
        )
