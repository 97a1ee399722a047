"""
The protocols that carry the probes of a pinger: in datagrams, or in one stream.
"""

from __future__ import annotations

import errno
from collections import deque
from functools import partial

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import DatagramProtocol, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.client.datagrams import ConnectedPort, Source
from echod.client.ping.pinger import Pinger
from echod.client.talk.tcp import setNoDelay
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
        self._pinger.received(datagram, addr.arrived, addr.ttl, addr.tos)

    def failed(self, error: OSError, datagram: bytes) -> None:
        """
        Deliver an error.
        """
        self._pinger.failed(error, datagram)


@implementer(IPushProducer)
class StreamProbesProtocol(Protocol):
    """
    Sends the probes of a L{Pinger} in one stream.

    The stream that comes back is cut into pieces of the sizes of the probes, in their order.  A
    stream loses and reorders nothing.  If a server changes the stream, no piece after
    the change matches its probe.
    """

    transport: ISessionTransport

    def __init__(self, pinger: Pinger) -> None:
        self._pinger = pinger
        self._sizes: deque[int] = deque()
        self._begun = bytearray()
        self._full = False

    def connectionMade(self) -> None:
        """
        Start sending.
        """
        setNoDelay(self.transport)
        self.transport.registerProducer(self, True)
        self._pinger.connected = True
        self._pinger.open(self.transport)
        self._pinger.start(self._send)

    def dataReceived(self, data: bytes) -> None:
        """
        Cut the stream into pieces, and deliver them.
        """
        self._begun += data
        while self._sizes and len(self._begun) >= self._sizes[0]:
            size = self._sizes.popleft()
            piece = bytes(self._begun[:size])
            del self._begun[:size]
            self._pinger.received(piece)
        if self._begun and not self._sizes:
            self._pinger.received(bytes(self._begun))
            self._begun.clear()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Deliver an incomplete piece, and end.
        """
        if self._begun:
            self._pinger.received(bytes(self._begun))
        self._pinger.connectionLost(reason)

    def close(self) -> None:
        """
        Close the connection.
        """
        self.transport.unregisterProducer()
        self.transport.loseConnection()

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
        self._sizes.append(len(probe))
        self.transport.write(probe)
