"""
A Twisted reactor whose TCP servers do their I/O inside libuv.

C{twistd --reactor=uvloop}, for any server: there is nothing of echod in here.

Twisted's C{asyncio} reactor on a uvloop event loop gains little, as each
connection is still Twisted's own Python over C{add_reader} and C{add_writer}.
Here an accepted socket is handed to uvloop, and the connection is at the same
time Twisted's transport and asyncio's protocol.  All that is Twisted's stays
Twisted's: L{tcp.Port} accepts, and L{FileDescriptor
<twisted.internet.abstract.FileDescriptor>} keeps the buffer, the producers and
the flags that say how a connection closes.  Client connections, UNIX sockets,
UDP, processes and standard I/O are those of the C{asyncio} reactor.

Two ways lead out of a connection:

  - the buffer of C{FileDescriptor}, which C{doWrite} empties into libuv.  What
    libuv has taken and could not send at once counts as unsent until it is;
  - for the ordinary case past all that: while nothing is buffered, one write is
    held until the data in hand is delivered, and goes to libuv directly.  A
    second write takes both to the buffer, so that many small writes become one.

This uses private names of Twisted; a test has the list of them, and fails when one
is gone.
"""

from __future__ import annotations

import math
import signal
import socket
import struct
from asyncio import AbstractEventLoop, Task, TimerHandle, Transport
from typing import Any

import uvloop
from twisted.internet import main, process, tcp
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor
from twisted.python import context, log
from twisted.python.failure import Failure

READ_SIZE = tcp.Connection.bufferSize
"""
The most that is delivered at once, in bytes, as by any other reactor.  libuv
reads four times as much, on which protocols that cut lines off a buffer would
take sixteen times as long.
"""

TIMER_RESOLUTION = 0.001
"""
That of libuv, in seconds.
"""

CANCELLED = 50
"""
How many cancelled calls are not worth a purge, as in Twisted's
C{runUntilCurrent}.
"""

_NOTHING = b""
"""
What L{Connection} holds when a write may take the direct way.
"""


class Connection(tcp.Server):
    """
    A server's connection: Twisted's transport, and asyncio's protocol.

    @ivar _uv: What does the I/O; L{None} at first.

    @ivar _held: A write on the direct way; empty when there is none, and L{None}
        when the way is closed.

    @ivar _room: How much can be delivered at once; negative while the
        application does not want to read.

    @ivar _accepted: How many bytes of the buffer libuv has taken and not sent.

    @ivar _blocked: Whether libuv has bytes which it could not send.

    @ivar _wantsToWrite: Whether there is something to do for C{doWrite}.
    """

    # What every message needs is in slots: Python finds it faster there than
    # among the many attributes of a Twisted transport.
    __slots__ = (
        "_blocked",
        "_context",
        "_contexts",
        "_delivering",
        "_held",
        "_room",
        "_uvWrite",
        "protocol",
    )

    reactor: UVLoopReactor

    _loop: AbstractEventLoop
    _uv: Transport | None = None
    _attaching: Task[Any] | None = None
    _accepted = 0
    _scheduled = False
    _wantsToWrite = False
    _unread = b""
    _eof = False

    def __init__(self, *arguments: Any) -> None:
        self._blocked = False
        self._delivering = False
        self._held: bytes | None = _NOTHING
        self._room = -1
        super().__init__(*arguments)

    @property
    def undelivered(self) -> int:
        """
        How many bytes were read and not delivered yet.
        """
        return len(self._unread)

    # From libuv: asyncio's names.

    def connection_made(self, transport: Any) -> None:
        """
        libuv has taken the socket over.
        """
        self._uv = transport
        self._attaching = None
        self._uvWrite = transport.write
        # What log.callWithLogger would make anew for each message.
        self._contexts, self._context = log.callWithLogger(self, _logContext)
        # From now on "paused" is blocked, and "resumed" is drained.
        transport.set_write_buffer_limits(0)
        if self.disconnected:
            transport.abort()
            return
        if not self._noDelay:
            # uvloop has switched it on.
            self.setTcpNoDelay(False)
        if self._room < 0:
            # libuv starts to read as soon as this returns.
            self._loop.call_soon(self._stopReadingEarly)
        self._schedule()

    def data_received(self, data: bytes) -> None:
        """
        Deliver what has been read, then send what was written meanwhile.
        """
        if len(data) > self._room:
            self._keepUnread(data)
            return
        self._delivering = True
        contexts = self._contexts
        contexts.append(self._context)
        try:
            self.protocol.dataReceived(data)
        except BaseException as error:
            log.err()
            self.reactor._disconnectSelectable(self, error, True)
        contexts.pop()
        self._delivering = False
        held = self._held
        if held:
            self._held = _NOTHING
            # Not called as a method: that would be looked for in the class.
            write = self._uvWrite
            write(held)
            if self._blocked:
                self._keepHeld(held)

    def eof_received(self) -> bool:
        """
        The peer has closed its side.
        """
        if self._unread or self._room < 0:
            self._eof = True
        else:
            log.callWithLogger(
                self, self.reactor._disconnectSelectable, self, main.CONNECTION_DONE, True
            )
        # What becomes of our side, the application decides.
        return True

    def pause_writing(self) -> None:
        """
        The socket has not taken all of what was written.
        """
        self._blocked = True

    def resume_writing(self) -> None:
        """
        Now it has.
        """
        self._blocked = False
        self._schedule()

    def connection_lost(self, error: Exception | None) -> None:
        """
        libuv has closed the socket: on our behalf, or because of an error.
        """
        if not self.disconnected:
            why = main.CONNECTION_LOST if error else main.CONNECTION_DONE
            log.callWithLogger(self, self.reactor._disconnectSelectable, self, why, False)

    # From the application.

    def write(self, data: bytes) -> None:
        """
        Send data.
        """
        if self._held is _NOTHING and data.__class__ is bytes and len(data) <= READ_SIZE:
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
        Have a producer told when to go on.
        """
        if not streaming:
            # One that is asked for each piece is asked when doWrite is done.
            self._closeDirectWay()
        super().registerProducer(producer, streaming)

    def startTLS(self, ctx: Any, normal: bool = True) -> None:
        """
        Put TLS between the application and this.
        """
        self._closeDirectWay()
        super().startTLS(ctx, normal)

    def abortConnection(self) -> None:
        """
        Close without sending what is left.
        """
        self._held = None
        super().abortConnection()

    def connectionLost(self, reason: Failure) -> None:
        """
        The connection is over.
        """
        self._held = None
        self.reactor._connections.discard(self)
        super().connectionLost(reason)

    # From Twisted's own classes.

    def startReading(self) -> None:
        """
        Have libuv read.
        """
        self._room = READ_SIZE
        if self._uv is None:
            self._attachSoon()
        elif self._unread or self._eof:
            self._loop.call_soon(self._deliverUnread)
        else:
            self._uv.resume_reading()

    def stopReading(self) -> None:
        """
        Have libuv not read.
        """
        self._room = -1
        if self._uv is not None:
            self._uv.pause_reading()

    def startWriting(self) -> None:
        """
        Have C{doWrite} called.
        """
        self._wantsToWrite = True
        self._schedule()

    def stopWriting(self) -> None:
        """
        Have C{doWrite} not called.
        """
        self._closeDirectWay()
        self._wantsToWrite = False

    def writeSomeData(self, data: Any) -> int:
        """
        Give data to libuv, for C{doWrite}.

        @return: How many bytes of it are sent.
        """
        if self._accepted:
            # Called again, because what was taken then has been sent since.
            sent, self._accepted = self._accepted, 0
            return sent
        self._uvWrite(data)
        if self._blocked:
            self._accepted = len(data)
            return 0
        return len(data)

    def _closeSocket(self, orderly: bool) -> None:
        if self._uv is None:
            super()._closeSocket(orderly)
            return
        # The descriptor is libuv's to close; what else there is to do is the
        # same as in Twisted.
        try:
            if orderly:
                self.socket.shutdown(socket.SHUT_RDWR)
            else:
                self.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
        except OSError:
            pass
        self._uv.abort()

    # Between the two.

    def _attachSoon(self) -> None:
        if self._attaching is None and not self.disconnected:
            self._loop = self.reactor._asyncioEventloop
            self._attaching = self._loop.create_task(self._attach())
            self.reactor._connections.add(self)

    async def _attach(self) -> None:
        if self._room < 0 and not self._wantsToWrite and not self._held:
            # Whoever else has the socket now may want to read all that comes.
            self._attaching = None
            return
        try:
            self._noDelay = self.getTcpNoDelay()
            protocol: Any = self
            await self._loop.connect_accepted_socket(lambda: protocol, self.socket)
        except OSError as error:
            self.connection_lost(error)

    def _stopReadingEarly(self) -> None:
        if self._room < 0:
            self.stopReading()

    def _keepUnread(self, data: bytes) -> None:
        self._unread += data
        self._deliverUnread()

    def _deliverUnread(self) -> None:
        """
        Deliver what was too much at once or came when it was not wanted, as far
        as it is wanted now.
        """
        while self._unread and self._room > 0:
            data, self._unread = self._unread[:READ_SIZE], self._unread[READ_SIZE:]
            self.data_received(data)
        if self._room > 0:
            assert self._uv is not None
            if self._eof:
                self._eof = False
                self.eof_received()
            else:
                self._uv.resume_reading()

    def _keepHeld(self, data: bytes) -> None:
        """
        What went the direct way was too much: count it as buffered.
        """
        self._held = None
        self.dataBuffer = data
        self._accepted = len(data)
        self._wantsToWrite = True

    def _closeDirectWay(self) -> None:
        held, self._held = self._held, None
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
            self._attachSoon()
        elif not self._scheduled and not self._blocked:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """
        Do what there is to be done for what was written, once a turn.
        """
        self._scheduled = False
        held = self._held
        if held:
            self._held = _NOTHING
            self._uvWrite(held)
            if self._blocked:
                self._keepHeld(held)
        if self._wantsToWrite and not self._blocked:
            log.callWithLogger(self, self._doWrite)

    def _doWrite(self) -> None:
        why: Any
        try:
            why = self.doWrite()
        except BaseException as error:
            log.err()
            why = error
        if why:
            self.reactor._disconnectSelectable(self, why, False)
        elif self._wantsToWrite:
            self._schedule()
        elif self._mayOpenDirectWay():
            self._held = _NOTHING


def _logContext() -> tuple[list[Any], dict[Any, Any]]:
    """
    @return: The stack of logging contexts of this thread, and its top.
    """
    contexts = context.theContextTracker.currentContext().contexts
    return contexts, contexts[-1]


class Port(tcp.Port):
    """
    A TCP port whose connections do their I/O inside libuv.
    """

    transport: type[tcp.Server] = Connection


class ChildSignals:
    """
    Notices the end of child processes.  Twisted's own way needs the one file
    descriptor that Python writes to on a signal, which is uvloop's here.
    """

    def __init__(self, reactor: UVLoopReactor) -> None:
        self._reactor = reactor

    def install(self) -> None:
        """
        Begin.
        """
        signal.signal(signal.SIGCHLD, self._childEnded)
        signal.siginterrupt(signal.SIGCHLD, False)
        # Some may have ended before.
        process.reapAllProcesses()

    def uninstall(self) -> None:
        """
        Cease.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    def _childEnded(self, *_: object) -> None:
        self._reactor.callFromThread(process.reapAllProcesses)


class UVLoopReactor(AsyncioSelectorReactor):
    """
    The C{asyncio} reactor on a uvloop event loop, with L{Connection}s.
    """

    _asyncioEventloop: AbstractEventLoop
    _scheduledAt: float | None  # type: ignore[assignment]
    _timerHandle: TimerHandle | None  # type: ignore[assignment]
    _purging = False

    def __init__(self, eventloop: AbstractEventLoop | None = None) -> None:
        self._connections: set[Connection] = set()
        super().__init__(eventloop or uvloop.new_event_loop())

    def listenTCP(self, port: Any, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """
        Listen.
        """
        listener = Port(port, factory, backlog, interface, self)
        listener.startListening()
        return listener

    def adoptStreamPort(self, fileDescriptor: int, addressFamily: Any, factory: Any) -> Any:
        """
        Listen on a socket that listens already.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            return super().adoptStreamPort(fileDescriptor, addressFamily, factory)
        listener = Port._fromListeningDescriptor(self, fileDescriptor, addressFamily, factory)
        listener.startListening()
        return listener

    def adoptStreamConnection(
        self, fileDescriptor: int, addressFamily: Any, factory: Any
    ) -> Any:
        """
        Take over a socket that is connected.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            return super().adoptStreamConnection(fileDescriptor, addressFamily, factory)
        return Connection._fromConnectedSocket(fileDescriptor, addressFamily, factory, self)

    def addReader(self, reader: Any) -> None:
        """
        Read from something.
        """
        if isinstance(reader, Connection):
            reader.startReading()
        else:
            super().addReader(reader)

    def removeReader(self, reader: Any) -> None:
        """
        Read from it no more.
        """
        if isinstance(reader, Connection):
            reader.stopReading()
        else:
            super().removeReader(reader)

    def addWriter(self, writer: Any) -> None:
        """
        Have something write when it can.
        """
        if isinstance(writer, Connection):
            writer.startWriting()
        else:
            super().addWriter(writer)

    def removeWriter(self, writer: Any) -> None:
        """
        Have it write no more.
        """
        if isinstance(writer, Connection):
            writer.stopWriting()
        else:
            super().removeWriter(writer)

    def getReaders(self) -> Any:
        """
        All that is read from.
        """
        reading = [connection for connection in self._connections if connection._room >= 0]
        return super().getReaders() + reading

    def getWriters(self) -> Any:
        """
        All that has something to write.
        """
        writing = [connection for connection in self._connections if connection._wantsToWrite]
        return super().getWriters() + writing

    def removeAll(self) -> Any:
        """
        Cease to read and write, but for the reactor's own purposes.
        """
        removed = [
            connection
            for connection in self._connections
            if connection._room >= 0 or connection._wantsToWrite
        ]
        for connection in removed:
            connection.stopReading()
            connection.stopWriting()
        return super().removeAll() + removed

    def _signalsFactory(self) -> Any:
        inherited: Any = super()._signalsFactory()
        # The first of the two are those which all reactors have.
        inherited._signalHandlings = (inherited._signalHandlings[0], ChildSignals(self))
        return inherited

    def _cancelCallLater(self, delayedCall: Any) -> None:
        """
        Have Twisted purge its heap when half of the calls in it are cancelled.
        By itself it looks at them only when one is due: timeouts of connections
        would stay there long after their connections.
        """
        super()._cancelCallLater(delayedCall)
        if (
            self._cancellations > CANCELLED
            and self._cancellations > len(self._pendingTimedCalls) >> 1
            and not self._purging
        ):
            self._purging = True
            self._asyncioEventloop.call_soon(self._purge)

    def _purge(self) -> None:
        self._purging = False
        self.runUntilCurrent()

    def _reschedule(self) -> None:
        timeout = self.timeout()
        if timeout is not None:
            # A timer that fires early is set again, for less than libuv can
            # tell from nothing: round up, or it spins until it is time.
            ticks = math.ceil(timeout / TIMER_RESOLUTION)
            when = self._asyncioEventloop.time() + ticks * TIMER_RESOLUTION
            self._scheduledAt = when
            if self._timerHandle is not None:
                self._timerHandle.cancel()
            self._timerHandle = self._asyncioEventloop.call_at(when, self._onTimer)


def install() -> None:
    """
    Install this reactor as the global one.
    """
    installReactor(UVLoopReactor())
