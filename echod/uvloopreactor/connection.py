"""
A server's connection that does its I/O inside libuv.

Before libuv takes a socket over, the connection sends the data that the application wrote in
C{connectionMade}.  To hand a socket over costs more than a short session.  If the
application has closed the connection, or its sending side, libuv never gets the socket.

Then a connection sends data in two ways:

  - Through the buffer of C{FileDescriptor}: C{doWrite} gives the data to libuv.  Data that
    libuv could not send at once counts as unsent until libuv has sent it.
  - Directly, in the ordinary case.  While nothing is buffered, the connection holds one
    write until C{dataReceived} returns, and then gives it to libuv.  A second write moves
    both to the buffer, so that many small writes become one.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import Any

from twisted.internet import main, tcp
from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionAborted
from twisted.python import context, log
from twisted.python.failure import Failure

from echod.uvloopreactor.names import NamedServer

READ_SIZE = tcp.Connection.bufferSize
"""
The most bytes for one call of C{dataReceived}, as with any other reactor.  libuv reads four
times as much.  A protocol that cuts lines off a buffer would need sixteen times as long for
it.
"""

_NOTHING = b""
"""
L{Connection} holds this while a write may go directly to libuv.
"""

_STARTING = object()
"""
L{Connection} has this in place of a coroutine until its port or the event loop starts it.
"""

_LAST = socket.MSG_DONTWAIT | getattr(socket, "MSG_MORE", 0)
"""
The flags of a call of C{send} after which the connection shuts down its sending side: a
socket that blocks does not wait, and Linux sends the data with the end of the stream.
"""

_DONE = Failure(main.CONNECTION_DONE)


class Connection(NamedServer):
    """
    A server's connection: it is Twisted's transport and asyncio's protocol.

    @ivar _uv: uvloop's transport; L{None} until uvloop has taken the socket over.

    @ivar _attaching: L{_STARTING} until the connection starts, and then the coroutine in which
        uvloop takes the socket over; L{None} before and after that.

    @ivar _noDelay: True if the application has set TCP_NODELAY, before libuv takes the socket
        over; L{None} if it has not decided.

    @ivar _held: A write that will go directly to libuv; empty if there is none, and L{None}
        while writes must go through the buffer.

    @ivar _room: The most bytes for one call of C{dataReceived}; negative while the
        application has paused reading.

    @ivar _accepted: The number of bytes of the buffer that libuv has taken and not sent.

    @ivar _blocked: True while libuv has bytes that it could not send.

    @ivar _wantsToWrite: True while C{doWrite} has to be called.
    """

    # Attributes that every message needs are slots: Python finds them faster than among the
    # many attributes of a Twisted transport.
    __slots__ = (
        "_contexts",
        "_delivering",
        "_held",
        "_room",
        "_uv",
        "protocol",
    )

    reactor: Any

    _attaching: Any = None
    _noDelay: bool | None = None
    # To close the socket ends both directions, if it has no other descriptor.
    _shouldShutdown = False
    _accepted = 0
    _blocked = False
    _scheduled = False
    _wantsToWrite = False
    _unread = b""
    _eof = False
    # A list from the first write to the buffer.
    _tempDataBuffer: Any = ()
    _tempDataLen = 0

    def __init__(
        self,
        sock: socket.socket,
        protocol: Any,
        client: tuple[Any, ...],
        server: Any,
        sessionno: int,
        reactor: Any,
    ) -> None:
        super().__init__(sock, protocol, client, server, reactor)
        self._uv: Any = None
        self._delivering = False
        self._held: bytes | None = _NOTHING
        self.connected = 1
        self.startReading()

    @property
    def undelivered(self) -> int:
        """
        The number of bytes that were read and not delivered yet.
        """
        return len(self._unread)

    def fileno(self) -> int:
        """
        @return: The descriptor of the socket; -1 after the end of the connection.
        """
        return self.socket.fileno() if self.connected else -1

    # From libuv: asyncio's names.

    def connection_made(self, transport: Any) -> None:
        """
        libuv has taken the socket over.
        """
        self._uv = transport
        self._contexts = context.theContextTracker.currentContext().contexts
        self._schedule()
        # Now libuv calls pause_writing as soon as it cannot send all bytes.
        transport.set_write_buffer_limits(0)
        if self.disconnected:
            transport.abort()
            return
        if not self._noDelay:
            # uvloop has switched TCP_NODELAY on.
            super().setTcpNoDelay(False)
        if self._room < 0:
            # libuv starts to read as soon as this returns.
            self.reactor._asyncioEventloop.call_soon(self._stopReadingEarly)

    def data_received(self, data: bytes) -> None:
        """
        Deliver data, and then send the data that the protocol has written.
        """
        if len(data) > self._room:
            self._unread += data
            self._deliverUnread()
            return
        self._delivering = True
        contexts = self._contexts
        # log.callWithLogger would make a new context for each message.
        contexts.append(self)
        try:
            self.protocol.dataReceived(data)
        except BaseException as error:
            log.err()
            # It logs an error in connectionLost.
            log.callWithLogger(self, self.reactor._disconnectSelectable, self, error, True)
        contexts.pop()
        self._delivering = False
        held = self._held
        if held:
            self._held = _NOTHING
            self._uv.write(held)

    def eof_received(self) -> bool:
        """
        The peer has closed its side.
        """
        if self._unread or self._room < 0:
            self._eof = True
        else:
            self._call(self.reactor._disconnectSelectable, self, main.CONNECTION_DONE, True)
            # If the application has closed the connection, a turn of the event loop would see
            # the end of the stream once more.
            self._flush()
        # True keeps this side open until the application closes it.
        return True

    def pause_writing(self) -> None:
        """
        libuv could not send all bytes.  Count a direct write as buffered.
        """
        self._blocked = True
        if self._held is not None:
            self._closeDirectWay()
            self._accepted = self._uv.get_write_buffer_size()
            # libuv has the data itself.
            self.dataBuffer = bytes(self._accepted)
            self._wantsToWrite = True
            self._call(self._perform, self._maybePauseProducer, False)

    def resume_writing(self) -> None:
        """
        libuv has sent all bytes.
        """
        self._blocked = False
        self._schedule()

    def connection_lost(self, error: Exception | None) -> None:
        """
        libuv has closed the socket, on request or because of an error.
        """
        if not self.disconnected:
            why = main.CONNECTION_LOST if error else main.CONNECTION_DONE
            self._call(self.reactor._disconnectSelectable, self, why, False)

    # From the application.

    def write(self, data: bytes) -> None:
        """
        Send data.
        """
        if self._held is _NOTHING and data.__class__ is bytes:
            self._held = data
            if not self._delivering:
                self._schedule()
        else:
            self._closeDirectWay()
            super().write(data)

    def writeSequence(self, iovec: Any) -> None:
        """
        Send several pieces of data.
        """
        self._closeDirectWay()
        super().writeSequence(iovec)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """
        Register a producer.
        """
        if not streaming:
            # doWrite asks a pull producer for the next piece.
            self._closeDirectWay()
        super().registerProducer(producer, streaming)

    def getTcpNoDelay(self) -> bool:
        """
        @return: True if data is sent before the data sent earlier is acknowledged.
        """
        if self._uv is None and self._noDelay is not None:
            return self._noDelay
        return super().getTcpNoDelay()

    def setTcpNoDelay(self, enabled: bool) -> None:
        """
        Set TCP_NODELAY.  Before uvloop takes the socket over, and sets it, this only has to be
        remembered: then no data is sent that could be delayed.
        """
        if self._uv is None:
            self._noDelay = bool(enabled)
        else:
            super().setTcpNoDelay(enabled)

    def startTLS(self, ctx: Any, normal: bool = True) -> None:
        """
        Put TLS between the application and this connection.
        """
        self._closeDirectWay()
        super().startTLS(ctx, normal)

    def loseConnection(self) -> None:
        """
        Close when all data is sent.
        """
        if self._writeDisconnected and not self.disconnecting and not self.TLS:
            # As Twisted does, which makes a Failure for each connection.
            self.connectionLost(_DONE)
        else:
            super().loseConnection()

    def abortConnection(self) -> None:
        """
        Close, and discard unsent data.
        """
        self._held = None
        super().abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        """
        The connection has ended.
        """
        if self.disconnected:
            return
        self._held = None
        self.reactor._connections.pop(self, None)
        FileDescriptor.connectionLost(self, reason)
        self._closeSocket(not isinstance(reason.value, ConnectionAborted))
        protocol = self.protocol
        del self.protocol
        del self.socket
        protocol.connectionLost(reason)

    # From Twisted's own classes.

    def startReading(self) -> None:
        """
        Start or resume reading.
        """
        self._room = READ_SIZE
        if self._uv is None:
            self._startSoon()
        elif self._unread or self._eof:
            self.reactor._asyncioEventloop.call_soon(self._deliverUnread)
        else:
            self._uv.resume_reading()

    def stopReading(self) -> None:
        """
        Pause reading.
        """
        self._room = -1
        if self._uv is not None:
            self._uv.pause_reading()
        elif self._attaching is _STARTING and self.connected:
            # Another reader may take the socket.  libuv would make it non-blocking itself.
            self.socket.setblocking(False)

    def startWriting(self) -> None:
        """
        Have the reactor call C{doWrite}.
        """
        self._wantsToWrite = True
        self._schedule()

    def stopWriting(self) -> None:
        """
        Have the reactor stop calling C{doWrite}.
        """
        self._closeDirectWay()
        self._wantsToWrite = False

    def writeSomeData(self, data: Any) -> Any:
        """
        Give data to libuv, for C{doWrite}.

        @return: The number of bytes that were sent.
        """
        if self._uv is None:
            self.socket.setblocking(False)
            return super().writeSomeData(data)
        if self._accepted:
            # libuv has now sent the data that it took in the call before.
            sent, self._accepted = self._accepted, 0
            return sent
        self._uv.write(data)
        if self._blocked:
            self._accepted = len(data)
            return 0
        return len(data)

    def _closeSocket(self, orderly: bool) -> None:
        if self._uv is None:
            self.reactor._ends.discard(self)
            super()._closeSocket(orderly)
            return
        with suppress(OSError):
            if not orderly:
                self.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
            elif self._shouldShutdown:
                self.socket.shutdown(socket.SHUT_RDWR)
        # libuv closes the descriptor.
        self._uv.abort()

    # Between the two.

    def _startSoon(self) -> None:
        if self._attaching is None and not self.disconnected:
            self._attaching = _STARTING
            self.reactor._connections[self] = None
            if self.reactor._toStart is None:
                self.reactor._asyncioEventloop.call_soon(self._call, self._start)
            else:
                self.reactor._toStart.append(self)

    def _start(self) -> None:
        """
        Send the data that the application has written.  Then have libuv take the socket over,
        unless the application has closed the connection or its sending side.
        """
        if self._held and self._writeDisconnecting and not self.disconnecting:
            self._sendLast()
        if self._held:
            # Nothing else is buffered.
            self.dataBuffer, self._tempDataBuffer = self._held, []
            self._held = None
            self._wantsToWrite = True
        if self._wantsToWrite:
            self._doWrite()
        self._attaching = None
        if self.disconnected:
            return
        try:
            if self._writeDisconnected and self.reactor._ends.works:
                self.reactor._ends.add(self)
            # Another reader may have the socket now: uvloop would take its data.
            elif self._room >= 0 or self._wantsToWrite:
                self._attach()
        except OSError as error:
            self.connection_lost(error)

    def _sendLast(self) -> None:
        """
        Send the only write and the end of the stream, in one packet, if the socket takes all.
        """
        held: Any = self._held
        try:
            sent = self.socket.send(held, _LAST)
        except OSError:
            # doWrite will have the same error.
            return
        if sent == len(held):
            self._held = None
            self._wantsToWrite = False
            self._writeDisconnected = True
            self._closeWriteConnection()
        else:
            self._held = held[sent:]

    def _attach(self) -> None:
        protocol: Any = self
        self._noDelay = self.getTcpNoDelay()
        self._attaching = self.reactor._asyncioEventloop.connect_accepted_socket(
            lambda: protocol, self.socket
        )
        # A task would do the same, and cost more.
        self._attaching.send(None)

    def _attached(self) -> None:
        # uvloop would close its transport if its coroutine did not end.
        with suppress(StopIteration):
            self._attaching.send(None)
        self._attaching = None

    def _readToEnd(self) -> None:
        """
        Read as Twisted does, from a socket that libuv does not have.
        """
        self._perform(self.doRead, True)
        if self._room >= 0:
            self.startReading()

    def _stopReadingEarly(self) -> None:
        if self._room < 0:
            self.stopReading()

    def _deliverUnread(self) -> None:
        """
        Deliver data that was too long for one call, or that arrived while reading was
        paused.
        """
        while self._unread and self._room > 0:
            data, self._unread = self._unread[:READ_SIZE], self._unread[READ_SIZE:]
            self.data_received(data)
        if self._room > 0:
            if self._eof:
                self._eof = False
                self.eof_received()
            else:
                self._uv.resume_reading()

    def _closeDirectWay(self) -> None:
        held, self._held = self._held, None
        if not self._tempDataBuffer:
            self._tempDataBuffer = []
        if held:
            super().write(held)

    def _mayOpenDirectWay(self) -> bool:
        return not (
            self.dataBuffer
            or self._tempDataBuffer
            or self.disconnected
            or self.disconnecting
            or self._writeDisconnecting
            or self.TLS
            or (self.producer is not None and not self.streamingProducer)
        )

    def _schedule(self) -> None:
        if self._uv is None:
            self._startSoon()
        elif not self._scheduled and not self._blocked:
            self._scheduled = True
            self.reactor._asyncioEventloop.call_soon(self._flush)

    def _flush(self) -> None:
        """
        Send written data, once in each turn of the event loop.
        """
        self._scheduled = False
        if self._attaching is not None:
            self._attached()
        held = self._held
        if held:
            self._held = _NOTHING
            self._uv.write(held)
        if self._wantsToWrite and not self._blocked:
            self._call(self._doWrite)

    def _doWrite(self) -> None:
        self._perform(self.doWrite, False)
        if self._wantsToWrite:
            self._schedule()
        elif self._mayOpenDirectWay():
            self._held = _NOTHING

    def _call(self, function: Any, *arguments: Any) -> None:
        """
        Call a function in the logging context of this connection.  log.callWithLogger would
        make a new context.
        """
        contexts = context.theContextTracker.currentContext().contexts
        contexts.append(self)
        try:
            function(*arguments)
        except BaseException:
            log.err()
        contexts.pop()

    def _perform(self, method: Any, isRead: bool) -> None:
        """
        Call C{doRead} or C{doWrite} as the reactors of Twisted do.
        """
        try:
            why = method()
        except BaseException as error:
            log.err()
            why = error
        if why:
            self.reactor._disconnectSelectable(self, why, isRead)
