"""
The HTTP server of the status page.

Its clients cannot slow down the echo: the number of connections and the time for each
request are limited, requests are answered one by one, and request bodies are discarded.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http, server
from twisted.web.resource import IResource

from echod.limits.capacity import STATUS_CONNECTIONS, Capacity
from echod.net.httphosts import HostNames
from echod.net.quantities import wholeNumber
from echod.net.transport import ISessionTransport
from echod.status.monitor import Monitor
from echod.status.request import Request
from echod.status.resources import AboutServer
from echod.status.routes import Root

REQUEST_TIME = 30.0
"""
How long a request may take to arrive after the connection or the answer before it, in
seconds; an idle connection is closed after the same time.  Clients on the worst
networks need less.
"""

LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"


class Channel(http.HTTPChannel):
    """
    The connection of one client.
    """

    site: StatusSite
    transport: ISessionTransport
    abortTimeout = 5
    _late = False
    _turn: IDelayedCall | None = None

    def resetTimeout(self) -> None:
        """
        Keep the time limit when data arrives: a request that arrives byte by byte
        could take for ever.
        """

    def dataReceived(self, data: bytes) -> None:
        """
        Read nothing more once the connection is about to close: the parser has no state for
        the data after a bad request.
        """
        if not self.transport.disconnecting:
            super().dataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        """
        Refuse a length that is not a number, or far too long: the parser raises an
        error for thousands of digits.

        @return: True if the header makes sense.
        """
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            try:
                wholeNumber(value.strip(b" \t").decode("latin-1"))
            except ValueError:
                self.transport.write(BAD)
                self.loseConnection()
                return False
        return bool(super().headerReceived(line))

    def lineLengthExceeded(self, line: bytes) -> None:
        """
        Refuse a header that is longer than all headers of browsers.
        """
        self.transport.write(LARGE)
        self.loseConnection()

    def timeoutConnection(self) -> None:
        """
        Close the connection if a request is late, and abort it if that does not help.
        """
        if self._late:
            self.transport.abortConnection()
            return
        self._late = True
        if self.requests:
            self.transport.write(LATE)
        self.loseConnection()
        self.setTimeout(self.abortTimeout)

    def requestDone(self, request: server.Request) -> None:
        """
        Answer the next request in the next turn of the reactor: the echo would
        otherwise wait for all requests that came in one segment.
        """
        self.paused = True
        super().requestDone(request)
        if self._buffer:
            self._networkProducer.pauseProducing()
            self._turn = self.site.reactor.callLater(0, self._next)
        else:
            self.paused = False

    def resumeProducing(self) -> None:
        """
        Answer the next request: the client has read the answers so far.
        """
        super().resumeProducing()
        if self.paused and self._turn is None:
            self._next()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Forget the connection.
        """
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self.site.channels.discard(self)
        super().connectionLost(reason)

    def _next(self) -> None:
        self._turn = None
        if not self._waitingForTransport:
            self.paused = False
            self._networkProducer.resumeProducing()
            self.dataReceived(b"")


class StatusSite(server.Site):
    """
    The status page and the other paths of one echod.

    @ivar channels: The open connections.

    @ivar capacity: How many there may be.
    """

    service = "HTTP status"
    noisy = False
    protocol = Channel  # type: ignore[assignment]

    def __init__(
        self,
        reactor: IReactorTime,
        monitor: Monitor,
        names: HostNames | None = None,
        capacity: Capacity | None = None,
    ) -> None:
        """
        @param names: The names under which browsers may ask for the page.
        """
        root = Root(monitor, names or HostNames())
        super().__init__(root, requestFactory=Request, timeout=REQUEST_TIME, reactor=reactor)
        self.channels: set[Channel] = set()
        self.capacity = capacity or Capacity(STATUS_CONNECTIONS)

    def getResourceFor(self, request: Request) -> IResource:
        """
        @return: The resource that answers a request.
        """
        if request.aboutServer:
            request.postpath = []
            return AboutServer()
        resource: IResource = super().getResourceFor(request)
        return resource

    def logPrefix(self) -> str:
        """
        @return: The name of the service in Twisted's log messages.
        """
        return self.service

    def log(self, request: http.Request) -> None:
        """
        Log nothing: each viewer would add a line a second.
        """

    def buildProtocol(  # type: ignore[override]
        self, addr: IAddress | None
    ) -> Channel | None:
        """
        @return: A channel, or L{None} if there are too many connections.
        """
        if len(self.channels) >= self.capacity.most:
            return None
        channel: Channel = super().buildProtocol(addr)
        self.channels.add(channel)
        return channel

    def drain(self) -> Deferred[None]:
        """
        Close all connections: answers are short, and no viewer needs a last event.
        """
        self.abort()
        return succeed(None)

    def abort(self) -> None:
        """
        Close all connections.
        """
        for channel in list(self.channels):
            channel.loseConnection()
