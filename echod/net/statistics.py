"""
The statistics of an echo server, as plain data for the status page, the metrics and the
session log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypedDict

SESSIONS: Literal["sessions"] = "sessions"
DATAGRAMS: Literal["datagrams"] = "datagrams"

LENGTHS = (0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3600.0, 86400.0)
"""
The bounds of the histogram of session lengths, in seconds: from a health check to
sessions that last for days.
"""


class ServerStatistics(TypedDict):
    """
    The counters of every echo server since its start.

    @ivar refused: How many connections or datagrams were refused, by reason.

    @ivar impairments: The impairments as C{--impair} takes them; L{None} if the server
        is not impaired.

    @ivar impaired: How many times the server has impaired something, by kind.
    """

    received_bytes: int
    returned_bytes: int
    refused: dict[str, int]
    impairments: str | None
    impaired: dict[str, int]


class SessionServerStatistics(ServerStatistics):
    """
    The statistics of a server with sessions.

    @ivar open: How many sessions are open now.

    @ivar max_connections: How many connections may be open; 0 for no limit.

    @ivar accepted: How many sessions have started.

    @ivar ended: How many sessions have ended, by outcome.

    @ivar duration_buckets: How many ended sessions there are in each bucket of L{LENGTHS}.

    @ivar duration_sum_s: The sum of the lengths of the ended sessions.
    """

    kind: Literal["sessions"]
    open: int
    max_connections: int
    accepted: int
    ended: dict[str, int]
    duration_buckets: list[int]
    duration_sum_s: float


class DatagramServerStatistics(ServerStatistics):
    """
    The statistics of a server without sessions.

    @ivar received: How many datagrams have arrived.

    @ivar answered: How many datagrams were returned.
    """

    kind: Literal["datagrams"]
    received: int
    answered: int


class ServedSession(Protocol):
    """
    A session as the status page and the session log see it.

    @ivar peer: The address of the peer, as people write it.

    @ivar began: When the session started, by the time of the reactor.

    @ivar duration: How long it has lasted, in seconds.

    @ivar received: How many bytes the peer has sent.

    @ivar returned: How many bytes were returned.

    @ivar outcome: How the session ended; L{None} while it is open.

    @ivar details: Details of the outcome for the log, if there are any.
    """

    @property
    def peer(self) -> str: ...

    @property
    def began(self) -> float: ...

    @property
    def duration(self) -> float: ...

    @property
    def received(self) -> int: ...

    @property
    def returned(self) -> int: ...

    @property
    def outcome(self) -> str | None: ...

    @property
    def details(self) -> str: ...


@dataclass
class Traffic:
    """
    The traffic of one source of datagrams: sent by it and returned to it.  The names are
    those of the session log.
    """

    received: int = 0
    answered: int = 0
    received_bytes: int = 0
    returned_bytes: int = 0
