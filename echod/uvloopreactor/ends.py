"""
The ends of connections that libuv does not have.
"""

from __future__ import annotations

import select
from typing import Any

from echod.uvloopreactor.connection import Connection


class Ends:
    """
    Waits until peers close the connections whose sending side is closed, and that libuv does
    not have.

    All of them are in one epoll object, so that each costs one system call.  libuv needs
    five to wait for a descriptor that it does not read.

    @ivar works: True if the system has epoll.
    """

    works = hasattr(select, "epoll")

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._poll: Any = None
        self._connections: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """
        Wait once until there is something to read.
        """
        if self._poll is None:
            self._poll = select.epoll()
            self._reactor._asyncioEventloop.add_reader(self._poll.fileno(), self._read)
        descriptor = connection.fileno()
        known = self._connections.get(descriptor) is connection
        self._connections[descriptor] = connection
        # After an event, or when it is closed, a descriptor needs no call to take it out.
        watch = self._poll.modify if known else self._poll.register
        watch(descriptor, select.EPOLLIN | select.EPOLLONESHOT)

    def discard(self, connection: Connection) -> None:
        """
        Forget a connection that is about to be closed.
        """
        self._connections.pop(connection.socket.fileno(), None)

    def _read(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            connection = self._connections.get(descriptor)
            if connection is not None and connection._room >= 0:
                connection._call(connection._readToEnd)
