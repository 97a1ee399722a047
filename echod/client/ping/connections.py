"""
Measuring over TCP with a new connection for each probe.
"""

from __future__ import annotations

import errno
import os

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from echod.client.exitstatus import errorNumber
from echod.client.ping.pinger import Pinger
from echod.client.ping.protocols import OpeningProtocol

CONNECTIONS = 256
"""
The most connections at a time, of all targets: many shells allow 1024 descriptors.
"""


class OneProbeProtocol(OpeningProtocol):
    """
    A connection for one probe.
    """

    _connecting: Deferred[OneProbeProtocol]
    _timer: IDelayedCall
    _over = False

    def __init__(self, connections: Connections, probe: bytes) -> None:
        super().__init__(connections.pinger)
        self._connections = connections
        self._probe = probe
        self._answer = b""

    def start(
        self, reactor: IReactorTime, endpoint: IStreamClientEndpoint, patience: float
    ) -> None:
        """
        Connect.

        @param patience: After how many seconds to give up.
        """
        self._timer = reactor.callLater(patience, self.giveUp)
        self._connecting = connectProtocol(endpoint, self)
        self._connecting.addErrback(self._ended)

    def opened(self) -> None:
        """
        Send the probe.
        """
        assert self.transport is not None
        self.transport.write(self._probe)

    def dataReceived(self, data: bytes) -> None:
        """
        Close the connection when the whole answer has come.
        """
        assert self.transport is not None
        self._answer += data
        if len(self._answer) >= len(self._probe) and not self._over:
            self._over = True
            self._connections.pinger.received(self._answer)
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Report the end, unless the whole answer has come.
        """
        self._ended(reason)

    def giveUp(self) -> None:
        """
        Stop waiting for the connection or for the answer.
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
    Sends each probe of a L{Pinger} on a new connection.  The round trip includes
    connecting.

    @ivar open: The current connections.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        endpoint: IStreamClientEndpoint,
        pinger: Pinger,
        most: int = CONNECTIONS,
    ) -> None:
        """
        @param most: The most connections at a time.
        """
        self._most = most
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
        Close all connections.
        """
        for protocol in list(self.open):
            protocol.giveUp()

    def unanswered(self, probe: bytes, answer: bytes, reason: Failure) -> None:
        """
        Report a connection that failed, or ended without a whole answer.

        @param answer: The part of the answer that has come.
        """
        assert reason.value is not None
        number = errorNumber(reason.value)
        if answer:
            self.pinger.received(answer)
        elif number is not None:
            self.pinger.failed(OSError(number, os.strerror(number)), probe)
        else:
            self.pinger.unanswered(reason)

    def _send(self, probe: bytes) -> None:
        if len(self.open) >= self._most:
            raise BlockingIOError(errno.EAGAIN, "enough connections")
        protocol = OneProbeProtocol(self, probe)
        self.open.add(protocol)
        protocol.start(self._reactor, self._endpoint, self.pinger.plan.timeout)
