"""
Measuring over TCP with a new connection for each probe.
"""

from __future__ import annotations

import errno
import os

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import connectProtocol
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure

from echod.client.exitstatus import errorNumber
from echod.client.ping.pinger import Pinger
from echod.client.ping.protocols import OpeningProtocol
from echod.client.ping.tracking.events import Event, Kind

CONNECTIONS = 256
"""
The most connections at a time, of all targets: many shells allow 1024 descriptors.
"""


CONNECT_TIMEOUT = 86_400.0
"""
How long connecting may take, in seconds.  The end of the time of its probe comes first, and
ends it.
"""


class OneProbeProtocol(OpeningProtocol):
    """
    A connection for one probe.
    """

    _connecting: Deferred[OneProbeProtocol]
    _over = False

    def __init__(self, connections: Connections, sequence: int, probe: bytes) -> None:
        super().__init__(connections.pinger)
        self._connections = connections
        self._sequence = sequence
        self._probe = probe
        self._answer = b""

    def start(self, endpoint: IStreamClientEndpoint) -> None:
        """
        Connect.
        """
        self._connecting = connectProtocol(endpoint, self)
        self._connecting.addErrback(self.ended)

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
        self._answer += data
        if len(self._answer) >= len(self._probe) and not self._over:
            self._over = True
            self.pinger.received(self._answer)
            self.close()

    def giveUp(self) -> None:
        """
        Stop waiting for the connection or for the answer.
        """
        self._over = True
        if self.transport is None:
            self._connecting.cancel()
        else:
            self.transport.abortConnection()

    def ended(self, reason: Failure) -> None:
        """
        Report the end, unless the whole answer has come.
        """
        self._connections.open.pop(self._sequence, None)
        if not self._over:
            self._over = True
            self._connections.unanswered(self._probe, self._answer, reason)


class Connections:
    """
    Sends each probe of a L{Pinger} on a new connection.  The round trip includes
    connecting.

    @ivar open: The current connections, by the numbers of their probes.
    """

    def __init__(
        self,
        endpoint: IStreamClientEndpoint,
        pinger: Pinger,
        most: int = CONNECTIONS,
    ) -> None:
        """
        @param most: The most connections at a time.
        """
        self._most = most
        self.pinger = pinger
        self.open: dict[int, OneProbeProtocol] = {}
        self._endpoint = endpoint
        self._report, pinger.observe = pinger.observe, self._observe

    async def start(self) -> None:
        """
        Start sending.
        """
        self.pinger.start(self._send, self._unread)

    def close(self) -> None:
        """
        Close all connections.
        """
        for protocol in list(self.open.values()):
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
        sequence = self.pinger.tracker.attempted
        self.open[sequence] = OneProbeProtocol(self, sequence, probe)
        self.open[sequence].start(self._endpoint)

    def _unread(self) -> bool:
        return any(protocol.unread() for protocol in self.open.values())

    def _observe(self, event: Event) -> None:
        if event.kind is Kind.LOST and event.sequence in self.open:
            self.open[event.sequence].giveUp()
        self._report(event)
