"""
Measuring over TCP with a connection for each probe: how those fare who come anew.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from echod.client.exitstatus import errorNumber
from echod.client.ping.pinger import Pinger
from echod.client.talk.tcp import setNoDelay
from echod.net.transport import ISessionTransport

CONNECTIONS = 256
"""
How many there are at a time: many shells allow 1024 descriptors.
"""


class OneProbeProtocol(Protocol):
    """
    One connection, for one probe.
    """

    transport: ISessionTransport | None = None
    _connecting: Deferred[Any]
    _timer: IDelayedCall
    _over = False

    def __init__(self, connections: Connections, probe: bytes) -> None:
        self._connections = connections
        self._probe = probe
        self._answer = b""

    def start(self, reactor: IReactorTime, endpoint: Any, patience: float) -> None:
        """
        Connect.

        @param patience: From when on nothing is waited for, in seconds.
        """
        self._timer = reactor.callLater(patience, self.giveUp)
        self._connecting = connectProtocol(endpoint, self)
        self._connecting.addErrback(self._ended)

    def connectionMade(self) -> None:
        """
        Ask.
        """
        assert self.transport is not None
        setNoDelay(self.transport)
        self.transport.write(self._probe)

    def dataReceived(self, data: bytes) -> None:
        """
        Something came back.
        """
        assert self.transport is not None
        self._answer += data
        if len(self._answer) >= len(self._probe) and not self._over:
            self._over = True
            self._connections.pinger.received(self._answer)
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Nothing more will come back.
        """
        self._ended(reason)

    def giveUp(self) -> None:
        """
        Wait no longer.
        """
        self._over = True
        if self.transport is None:
            self._connecting.cancel()
        else:
            self.transport.abortConnection()

    def _ended(self, reason: Failure) -> None:
        if self._timer.active():
            self._timer.cancel()
        self._connections.open.discard(self)
        if not self._over:
            self._over = True
            self._connections.unanswered(self._probe, self._answer, reason)


class Connections:
    """
    Takes the probes of a L{Pinger} to a server, each on a connection of its own.  A
    round trip begins with connecting.

    @ivar open: The connections that there are.
    """

    def __init__(self, reactor: IReactorTime, endpoint: Any, pinger: Pinger) -> None:
        self.pinger = pinger
        self.open: set[OneProbeProtocol] = set()
        self._reactor = reactor
        self._endpoint = endpoint

    def start(self) -> None:
        """
        Start sending.
        """
        self.pinger.start(self._send)

    def close(self) -> None:
        """
        Enough was measured.
        """
        for protocol in list(self.open):
            protocol.giveUp()

    def unanswered(self, probe: bytes, answer: bytes, reason: Failure) -> None:
        """
        A connection has ended, or did not come to be.

        @param answer: What had come back: less than all.
        """
        assert reason.value is not None
        number = errorNumber(reason.value)
        if answer:
            self.pinger.received(answer)
        elif number is not None:
            self.pinger.failed(OSError(number, os.strerror(number)), probe)
        elif not self.pinger.ledger.total.came:
            # There is no sense in going on; later it may be a server that stops.
            self.pinger.cut(reason)

    def _send(self, probe: bytes) -> None:
        if len(self.open) >= CONNECTIONS:
            raise BlockingIOError(errno.EAGAIN, "enough connections")
        protocol = OneProbeProtocol(self, probe)
        self.open.add(protocol)
        protocol.start(self._reactor, self._endpoint, self.pinger.plan.timeout)
