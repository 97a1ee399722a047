"""
The configuration of one echod.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from echod.config.addresses import Address
from echod.impair.spec import Impairments
from echod.limits.networks import Network, Networks

SERVERS = ("greeting", "tcp", "udp")
"""
The names of the servers, which are those of their options.
"""

SESSION_LOG = "session-log"
"""
The name of the option, and of the file's descriptor in a worker.
"""


@dataclass(frozen=True)
class Config:
    """
    The command line as values that cannot change.  A limit of 0 means no limit.
    """

    servers: Mapping[str, tuple[Address, ...]]
    """
    The addresses of each of L{SERVERS}.
    """

    status: tuple[Address, ...]

    statusNames: tuple[str, ...]
    """
    The names under which browsers may ask for the page, besides those of the machine.
    """

    greeting: bytes
    """
    The text with its line ending.
    """

    goodbye: bool
    showMessages: bool

    maxConnections: int
    """
    For each service, in all workers together.
    """

    maxPerSource: int

    connectRate: int
    """
    New connections a second from one address, for each service.
    """

    idleTimeout: float
    """
    In seconds, as C{drainTimeout}.
    """

    drainTimeout: float

    sessionLines: float
    """
    The log lines a second about the sessions of one service, in all workers together;
    infinity for all lines.
    """

    udpRate: int
    """
    Datagrams a second from one IPv4 address or one IPv6 /64.
    """

    answerReservedPorts: bool

    allowed: tuple[Network, ...]
    denied: tuple[Network, ...]

    proxyFrom: tuple[Network, ...]
    """
    The networks that may send PROXY headers; empty for all.
    """

    impairments: Mapping[str, Impairments]
    """
    The impairments of each impaired server.
    """

    seeded: bool
    """
    True if the user has given a seed for the impairments.
    """

    sessionLog: str | None
    """
    The path of the file.
    """

    workers: int

    @property
    def proxies(self) -> Networks | None:
        """
        The addresses that may send PROXY headers; L{None} for all.
        """
        return Networks(self.proxyFrom) if self.proxyFrom else None

    @property
    def connectionsOfProcess(self) -> int:
        """
        The share of one process in C{maxConnections}, rounded up.
        """
        return -(-self.maxConnections // self.workers)
