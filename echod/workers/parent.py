"""
How the parent of workers listens: it binds the sockets, and hands them to the workers.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from typing import Any

from twisted.internet.interfaces import IReactorProcess

from echod.config.addresses import Finder
from echod.config.config import SESSION_LOG, Config
from echod.config.hosts import serviceName
from echod.limits.descriptors import ProcessRoom
from echod.net.reactor import Reactor
from echod.net.unixsockets import ReplacingReactor
from echod.service.inherited import inherited
from echod.status.sessionlog import SessionLog
from echod.workers.pool import WorkerPool
from echod.workers.service import WorkersService
from echod.workers.socketpassing import BindingReactor


def checkWorkers(config: Config, reactor: Reactor, chroot: object) -> None:
    """
    Check that the process can have workers.

    @param chroot: Not empty if the process changes its root directory.

    @raise ValueError: if not.
    """
    if not IReactorProcess.providedBy(reactor):
        raise ValueError(f"{type(reactor).__name__} cannot start processes")
    if chroot:
        raise ValueError("below --chroot there is no Python to run them")
    if config.seeded:
        raise ValueError(
            "a seed of --impair has no effect: the system chooses the worker of each peer"
        )


class Parent:
    """
    Holds the descriptors that workers inherit: the sockets of each service, and the session
    log.
    """

    log: SessionLog | None = None

    def __init__(self, config: Config, reactor: Reactor, arguments: Sequence[str]) -> None:
        """
        @param arguments: The command line.
        """
        self._config = config
        self._reactor = reactor
        self._arguments = arguments
        self.sockets: dict[str, list[socket.socket]] = {}

    def listen(self, name: str) -> tuple[Any, Finder]:
        """
        Have one service bind its sockets for the workers.
        """
        sockets = self.sockets.setdefault(name, [])
        reactor = ReplacingReactor(self._reactor)
        return BindingReactor(reactor, self._config.workers, sockets), inherited

    def newService(self, room: ProcessRoom) -> WorkersService:
        """
        Make the service that starts the workers.

        @param room: The room for their pipes, and for connections to the status page.
        """
        pool = WorkerPool(
            self._reactor,
            self._config.workers,
            # A number, because "auto" may have another meaning in a later worker.
            [*self._arguments, f"--workers={self._config.workers}"],
            self._descriptors,
            self._config.drainTimeout,
        )
        return WorkersService(self._reactor, pool, room)

    def _descriptors(self, slot: int) -> dict[str, int]:
        """
        @return: The descriptors that one worker inherits, by name.

        @raise OSError: if a service has no socket.
        """
        # A service on several addresses may have left out some of them.
        bound = {name: sockets for name, sockets in self.sockets.items() if sockets}
        serving = {serviceName(name) for name in bound}
        for name in self.sockets:
            if serviceName(name) not in serving:
                raise OSError(
                    errno.ENOTSOCK, f"{name} listens on nothing that workers can share"
                )
        descriptors = {
            name: sockets[slot % len(sockets)].fileno() for name, sockets in bound.items()
        }
        return descriptors | ({SESSION_LOG: self.log.fileno()} if self.log else {})
