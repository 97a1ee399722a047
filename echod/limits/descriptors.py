"""
The file descriptors of the process: how many connections it can have.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf

from echod.limits.capacity import STATUS_CONNECTIONS, Capacity

try:
    import resource
except ImportError:  # pragma: no cover (Windows)
    resource = None  # type: ignore[assignment]

SPARE = 8
"""
The number of descriptors that stay free for everything but connections.  The reactor opens
two when it starts to run.  One each is needed at times to refuse a connection, to reopen the
session log, and to ask the system for an address of its own.
"""

FD_SETSIZE = 1024
"""
The number of descriptors that C{select} can watch.
"""

STATUS_SHARE = 4
"""
The part of the room that all status pages get together, if it is too small for
L{STATUS_CONNECTIONS} each: a quarter.
"""

PIPES = 3
"""
The number of pipes to each worker.
"""

LISTINGS = ("/proc/self/fd", "/dev/fd")
"""
The directories that list the descriptors of the process, on Linux and on other systems.
"""


def openFilesLimit() -> float:
    """
    @return: The number of descriptors that the system allows the process.
    """
    if resource is None:  # pragma: no cover (Windows)
        return inf
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return inf if limit == resource.RLIM_INFINITY else limit


def openDescriptors(listings: Sequence[str] = LISTINGS) -> int:
    """
    @param listings: The directories to look in.

    @return: The number of descriptors that are open.
    """
    with open(os.devnull) as file:
        # The system gives the lowest free number.  All below it are open.
        found = file.fileno()
    for path in listings:
        # After chroot there is no such directory.
        with suppress(OSError):
            # One of the listed descriptors is the directory's own.
            found = max(found, len(os.listdir(path)) - 1)
    return found


class ProcessRoom:
    """
    Shares the descriptors of the process among its connections.

    The number of connections is known when everything listens: see L{measure}.  Until then
    it is not limited.

    @ivar connections: The room for the connections of all services together.

    @ivar page: The room for the connections to each status page.
    """

    def __init__(
        self,
        watchable: float = inf,
        *,
        pages: int = 0,
        workers: int = 0,
        needed: bool = True,
        limit: Callable[[], float] = openFilesLimit,
        used: Callable[[], int] = openDescriptors,
    ) -> None:
        """
        @param watchable: The number of descriptors that the reactor can watch.

        @param pages: The number of status pages.

        @param workers: The number of processes that this one starts to serve in its place.

        @param needed: False if there are only datagrams: then no error is raised if there is no
            room.

        @param limit: Returns the number of descriptors that the process may have.

        @param used: Returns the number of descriptors that are open.
        """
        self.connections = Capacity()
        self.page = Capacity(STATUS_CONNECTIONS)
        self._watchable = watchable
        self._pages = pages
        # While one worker starts, both ends of its pipes are open.
        self._pipes = (workers + 1) * PIPES if workers else 0
        self._needed = needed
        self._limit = limit
        self._used = used

    def measure(self) -> None:
        """
        Count the descriptors that are open now, and share the rest.

        @raise ValueError: if no connection has room.
        """
        limit = min(self._limit(), self._watchable)
        if limit == inf:
            return
        used = self._used() - self.connections.taken + self._pipes
        room = int(limit) - used - SPARE
        if self._pages:
            share = room // STATUS_SHARE // self._pages
            self.page.most = min(max(share, 1), STATUS_CONNECTIONS)
            room -= self._pages * self.page.most
        if room < 1 and self._needed:
            raise ValueError(
                f"the limit of open files (ulimit -n) is {int(limit)}, and at least "
                f"{limit - room + 1:.0f} are needed: {used} before the first connection, "
                f"{SPARE} to spare, and the others for connections"
            )
        self.connections.most = max(room, 1)
