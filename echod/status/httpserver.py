"""
The HTTP server.  Whoever talks to it takes nothing from the echo: it has so many
connections and no more, a time for each request, and no ear for what comes with
one.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import server
from twisted.web.http import HTTPChannel

from echod.limits.capacity import STATUS_CONNECTIONS
from echod.net.quantities import wholeNumber
from echod.status.monitor import Monitor
from echod.status.routes import Root

REQUEST_TIME = 30.0
"""
How long a request may take to arrive, from the connection or from the answer
before, in seconds; an idle connection is closed after the same time.  Clients
on the worst of networks take less.
"""

LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
BAD = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"


ORIGIN = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
"""
What stands before the path where a client asks as it would ask a proxy.
"""


class Request(server.Request):
    """
    A request, without whatever comes with it.
    """

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """
        Answer, also if the path comes with its origin: a server must understand
        that (RFC 9112, 3.2.2).
        """
        origin = ORIGIN.match(path)
        if origin is not None:
            rest = path[origin.end() :]
            path = rest if rest.startswith(b"/") else b"/" + rest
        super().requestReceived(command, path, version)

    def gotLength(self, length: int | None) -> None:
        """
        Make no room, neither in memory nor on a disk.
        """
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """
        Forget what has come.
        """


class Channel(HTTPChannel):
    """
    A connection.
    """

    site: StatusSite
    transport: Any
    abortTimeout = 5
    _late = False
    _turn: IDelayedCall | None = None

    def resetTimeout(self) -> None:
        """
        That something comes makes a request no more on time: byte for byte it
        could take for ever.
        """

    def dataReceived(self, data: bytes) -> None:
        """
        Read nothing more once the connection is about to close: the parser has no
        state for what follows a bad request.
        """
        if not self.transport.disconnecting:
            super().dataReceived(data)

    def headerReceived(self, line: bytes) -> bool:
        """
        Refuse a length that is not a number, or far too long: the parser raises an
        error for thousands of digits.

        @return: Whether the header makes sense.
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
        A header is longer than any that a browser sends.
        """
        self.transport.write(LARGE)
        self.loseConnection()

    def timeoutConnection(self) -> None:
        """
        The request has not come in time, or the answer was not read.
        """
        if self._late:
            self.transport.abortConnection()
            return
        self._late = True
        if self.requests:
            self.transport.write(LATE)
        self.loseConnection()
        self.setTimeout(self.abortTimeout)

    def requestDone(self, request: Any) -> None:
        """
        One request at a time: those which came along with it would otherwise be
        answered in one go, and the echo would wait for all of them.
        """
        self.paused = True
        super().requestDone(request)
        if self._buffer:
            self._networkProducer.pauseProducing()
            self._turn = self.site.reactor.callLater(0, self._goOn)
        else:
            self.paused = False

    def resumeProducing(self) -> None:
        """
        What was answered is read: answer what else there is.
        """
        super().resumeProducing()
        if self.paused and self._turn is None:
            self._goOn()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        The connection is over.
        """
        if self._turn is not None:
            self._turn.cancel()
            self._turn = None
        self.site.channels.discard(self)
        super().connectionLost(reason)

    def _goOn(self) -> None:
        self._turn = None
        if not self._waitingForTransport:
            self.paused = False
            self._networkProducer.resumeProducing()
            self.dataReceived(b"")


class StatusSite(server.Site):
    """
    The status of an echod.

    @ivar channels: The connections there are.
    """

    service = "HTTP status"
    noisy = False
    protocol: Any = Channel

    def __init__(self, reactor: Any, monitor: Monitor) -> None:
        super().__init__(
            Root(monitor), requestFactory=Request, timeout=REQUEST_TIME, reactor=reactor
        )
        self.channels: set[Channel] = set()

    def logPrefix(self) -> str:
        """
        How Twisted names the service in its own messages.
        """
        return self.service

    def log(self, request: Any) -> None:
        """
        Who looks is not worth a line a second.
        """

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """
        @return: A connection, or L{None} if there are enough.
        """
        if len(self.channels) >= STATUS_CONNECTIONS:
            return None
        channel = super().buildProtocol(addr)
        self.channels.add(channel)
        return channel

    def drain(self) -> Deferred[None]:
        """
        Close the connections: nobody is in the middle of anything but looking.
        """
        self.abort()
        return succeed(None)

    def abort(self) -> None:
        """
        The same.
        """
        for channel in list(self.channels):
            channel.loseConnection()
