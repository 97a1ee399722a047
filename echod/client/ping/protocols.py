"""
The protocols that carry the probes of a pinger: in datagrams, or in one stream.
"""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from functools import partial

from twisted.internet.error import TimeoutError
from twisted.internet.interfaces import (
    IDelayedCall,
    IHandshakeListener,
    IPushProducer,
    ISSLTransport,
)
from twisted.internet.protocol import DatagramProtocol, Protocol, connectionDone
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.client.datagrams import ConnectedPort
from echod.client.ping.pinger import Pinger
from echod.client.talk.tcp import setNoDelay
from echod.client.udpsocket import Source
from echod.net.sockets import unread
from echod.net.transport import ISessionTransport


class DatagramProbesProtocol(DatagramProtocol):
    """
    Sends each probe of a L{Pinger} in one datagram.
    """

    transport: ConnectedPort

    def __init__(self, pinger: Pinger) -> None:
        self._pinger = pinger

    def startProtocol(self) -> None:
        """
        Start sending.
        """
        self._pinger.open(self.transport)
        self._pinger.start(partial(self.transport.write, addr=None), self.transport.unread)

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Deliver a datagram.
        """
        assert isinstance(addr, Source)
        self._pinger.received(datagram, addr)

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        Deliver an error.
        """
        self._pinger.failed(error, datagram)


@implementer(IHandshakeListener)
class OpeningProtocol(Protocol, TimeoutMixin):
    """
    A protocol that measures how long its connection takes to open.

    A stopped peer answers no TLS handshake, does not answer when the connection is closed,
    and does not read the data in the send buffer.  So each wait has a limit: the timeout of
    a probe.

    @ivar pinger: The run that it belongs to.

    @ivar transport: The transport; L{None} before and after the connection.
    """

    transport: ISessionTransport | None = None
    _made = 0
    _late: Failure | None = None

    def __init__(self, pinger: Pinger) -> None:
        self.pinger = pinger
        self._began = pinger.now().monotonic

    def connectionMade(self) -> None:
        """
        Wait for the TLS handshake, if there is one.
        """
        assert self.transport is not None
        self._made = self.pinger.now().monotonic
        self.pinger.openings.made(self._made - self._began)
        setNoDelay(self.transport)
        if not ISSLTransport.providedBy(self.transport):
            self._open()

    def handshakeCompleted(self) -> None:
        """
        Start sending.
        """
        self.pinger.openings.handshake.add(self.pinger.now().monotonic - self._made)
        self._open()

    def opened(self) -> None:
        """
        Start sending: the connection is open.  A subclass does it.
        """

    def ended(self, reason: Failure) -> None:
        """
        Report the end of the connection.  A subclass does it.
        """

    def close(self) -> None:
        """
        Close the connection, if there is one.
        """
        if self.transport is not None:
            self.transport.loseConnection()
            self.setTimeout(self.pinger.plan.timeout)

    def timeoutConnection(self) -> None:
        """
        Cut the connection.
        """
        assert self.transport is not None
        self._late = Failure(TimeoutError())
        self.transport.abortConnection()

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        """
        @return: A call on the clock of the run.
        """
        return self.pinger.reactor.callLater(period, func)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Report the end.
        """
        self.setTimeout(None)
        self.transport = None
        self.ended(self._late or reason)

    def unread(self) -> bool:
        """
        @return: True if data has arrived that was not read yet.
        """
        return self.transport is not None and unread(self.transport) > 0

    def _open(self) -> None:
        assert self.transport is not None
        self.pinger.connected = True
        self.pinger.open(self.transport)
        self.opened()


@implementer(IPushProducer)
class StreamProbesProtocol(OpeningProtocol):
    """
    Sends the probes of a L{Pinger} in one stream.

    The stream that comes back is cut into pieces of the sizes of the probes, in their order.  A
    stream loses and reorders nothing.  If a server changes the stream, no piece after
    the change matches its probe.
    """

    def __init__(self, pinger: Pinger) -> None:
        super().__init__(pinger)
        self._sizes: deque[int] = deque()
        self._begun = bytearray()
        self._full = False

    def connectionMade(self) -> None:
        """
        Start the time of the handshake.
        """
        self.setTimeout(self.pinger.plan.timeout)
        super().connectionMade()

    def opened(self) -> None:
        """
        Start sending, or go on.
        """
        self.setTimeout(None)
        assert self.transport is not None
        self.transport.registerProducer(self, True)
        self.pinger.openings.again += self.pinger.started
        self.pinger.start(self._send, self.unread)

    def dataReceived(self, data: bytes) -> None:
        """
        Cut the stream into pieces, and deliver them.
        """
        self._begun += data
        while self._sizes and len(self._begun) >= self._sizes[0]:
            size = self._sizes.popleft()
            piece = bytes(self._begun[:size])
            del self._begun[:size]
            self.pinger.received(piece)
        if self._begun and not self._sizes:
            self.pinger.received(bytes(self._begun))
            self._begun.clear()

    def ended(self, reason: Failure) -> None:
        """
        Deliver an incomplete piece, and report the end.
        """
        if self._begun:
            self.pinger.received(bytes(self._begun))
        self.pinger.connectionLost(reason)

    def close(self) -> None:
        """
        Close the connection, if there is one.
        """
        if self.transport is not None:
            self.transport.unregisterProducer()
        super().close()

    def pauseProducing(self) -> None:
        """
        Stop sending: the buffer is full.
        """
        self._full = True

    def resumeProducing(self) -> None:
        """
        Go on sending.
        """
        self._full = False

    def stopProducing(self) -> None:
        """
        Do nothing: L{connectionLost} follows.
        """

    def _send(self, probe: bytes) -> None:
        if self._full:
            raise BlockingIOError(errno.EAGAIN, "the stream is full")
        assert self.transport is not None
        self._sizes.append(len(probe))
        self.transport.write(probe)
