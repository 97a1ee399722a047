"""
Tests for L{echod.limits.descriptors}.
"""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack
from math import inf

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import STATUS_CONNECTIONS
from echod.limits.descriptors import (
    FD_SETSIZE,
    PIPES,
    SPARE,
    ProcessRoom,
    openDescriptors,
    openFilesLimit,
)


class SystemTests(SynchronousTestCase):
    """
    Tests for L{openFilesLimit} and L{openDescriptors}.
    """

    def test_limit(self) -> None:
        """
        The limit is the system's.
        """
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertEqual(openFilesLimit(), inf if limit == resource.RLIM_INFINITY else limit)

    def test_open(self) -> None:
        """
        Each open descriptor counts, also where the system does not list them, and a closed
        one does not.
        """
        for arguments in ((), ([],), (["/no/such/directory"],)):
            before = openDescriptors(*arguments)
            with ExitStack() as files:
                # In tests there may be free numbers between the open ones: fill them.
                for _ in range(100):
                    files.enter_context(open(os.devnull))
                filled = openDescriptors(*arguments)
                self.assertGreater(filled, before)
                with open(os.devnull):
                    self.assertEqual(openDescriptors(*arguments), filled + 1)
                self.assertEqual(openDescriptors(*arguments), filled)

    def test_gaps(self) -> None:
        """
        Free numbers between the open ones do not hide the open ones, where the system lists
        these.
        """
        with ExitStack() as files:
            opened = [files.enter_context(open(os.devnull)) for _ in range(100)]
            before = openDescriptors()
            opened[0].close()
            self.assertEqual(openDescriptors(), before - 1)


class ProcessRoomTests(SynchronousTestCase):
    """
    Tests for L{ProcessRoom}.
    """

    def measured(
        self,
        limit: float,
        watchable: float = inf,
        pages: int = 0,
        workers: int = 0,
        needed: bool = True,
    ) -> ProcessRoom:
        """
        @return: The room where 20 descriptors are open.
        """
        room = ProcessRoom(
            watchable,
            pages=pages,
            workers=workers,
            needed=needed,
            limit=lambda: limit,
            used=lambda: 20,
        )
        room.measure()
        return room

    def test_connections(self) -> None:
        """
        Connections get what the open descriptors leave of the limit, except a few to spare.
        """
        for limit in (20 + SPARE + 1, 80, 1024):
            self.assertEqual(self.measured(limit).connections.most, limit - 20 - SPARE)

    def test_watchable(self) -> None:
        """
        A reactor that watches fewer descriptors than the limit allows sets the limit.
        """
        for limit in (inf, 5000):
            room = self.measured(limit, FD_SETSIZE)
            self.assertEqual(room.connections.most, FD_SETSIZE - 20 - SPARE)

    def test_unlimited(self) -> None:
        """
        Without a limit any number of connections has room.
        """
        room = self.measured(inf, pages=2)
        self.assertEqual(room.connections.most, 0)
        self.assertEqual(room.page.most, STATUS_CONNECTIONS)

    def test_pages(self) -> None:
        """
        Status pages get what they need, but together at most a quarter, and at least one
        connection each.
        """
        for left, pages, each in (
            (1000, 1, STATUS_CONNECTIONS),
            (1000, 2, STATUS_CONNECTIONS),
            (80, 1, 20),
            (80, 2, 10),
            (81, 2, 10),
            (4, 3, 1),
        ):
            room = self.measured(left + 20 + SPARE, pages=pages)
            self.assertEqual(room.page.most, each, (left, pages))
            self.assertEqual(room.connections.most, left - pages * each, (left, pages))

    def test_workers(self) -> None:
        """
        The pipes to the workers take room, and those that are open while one starts.
        """
        room = self.measured(80, workers=4)
        self.assertEqual(room.connections.most, 80 - 20 - 5 * PIPES - SPARE)

    def test_again(self) -> None:
        """
        Connections that were open before are not counted twice.
        """
        room = ProcessRoom(limit=lambda: 100, used=lambda: 50)
        room.connections.taken = 30
        room.measure()
        self.assertEqual(room.connections.most, 100 - 20 - SPARE)

    def test_noRoom(self) -> None:
        """
        If no connection has room, the error says how high the limit must be.
        """
        for pages, workers, used, enough in (
            (0, 0, 20, 20 + SPARE + 1),
            (2, 0, 20, 20 + SPARE + 3),
            (0, 4, 35, 35 + SPARE + 1),
        ):
            others = {"pages": pages, "workers": workers}
            error = self.assertRaises(ValueError, self.measured, enough - 1, inf, **others)
            self.assertEqual(
                str(error),
                f"the limit of open files (ulimit -n) is {enough - 1}, and at least {enough} "
                f"are needed: {used} before the first connection, {SPARE} to spare, and the "
                "others for connections",
            )
            self.assertEqual(self.measured(enough, inf, pages, workers).connections.most, 1)

    def test_notNeeded(self) -> None:
        """
        Without connections to serve, no room for them is no error.
        """
        self.assertEqual(self.measured(10, needed=False).connections.most, 1)
