"""
The times that connections take to open.
"""

from __future__ import annotations

from echod.client.ping.tracking.statistics import RoundTrips


class Openings:
    """
    The times of opening the connections of a run.

    @ivar connect: How long connecting took, without looking up the name.

    @ivar handshake: How long the TLS handshakes took.

    @ivar again: How many connections replaced one that was lost or refused.
    """

    _latest: int | None = None

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """
        Forget all connections.
        """
        self.connect = RoundTrips()
        self.handshake = RoundTrips()
        self.again = 0

    def connected(self, nanoseconds: int) -> None:
        """
        Note how long the connection took that is made now.
        """
        self._latest = nanoseconds

    def made(self, nanoseconds: int) -> None:
        """
        Add a connection.

        @param nanoseconds: The time since the start, if L{connected} was not called.
        """
        self.connect.add(nanoseconds if self._latest is None else self._latest)
        self._latest = None
