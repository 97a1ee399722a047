"""
A Twisted reactor whose TCP servers do their I/O inside libuv.

C{twistd --reactor=uvloop} works for any Twisted server.  This module does not depend on the
rest of echod, and is one file, so that another project can copy it.

Twisted's C{asyncio} reactor on a uvloop event loop is only a little faster than others,
because each connection is still Twisted's own Python code over C{add_reader} and
C{add_writer}.  Here uvloop takes over each accepted socket, and the connection is both
Twisted's transport and asyncio's protocol.  The rest is Twisted's code: L{tcp.Port} accepts,
and L{FileDescriptor<twisted.internet.abstract.FileDescriptor>} keeps the buffer, the
producers and the flags that say how a connection closes.  Client connections, UNIX sockets,
UDP, processes and standard I/O work as on the C{asyncio} reactor.

Before libuv takes a socket over, the connection sends the data that the application wrote in
C{connectionMade}.  To hand a socket over costs more than a short session.  If the
application has closed the connection, or its sending side, libuv never gets the socket.

Then a connection sends data in two ways:

  - Through the buffer of C{FileDescriptor}: C{doWrite} gives the data to libuv.  Data that
    libuv could not send at once counts as unsent until libuv has sent it.
  - Directly, in the ordinary case.  While nothing is buffered, the connection holds one
    write until C{dataReceived} returns, and then gives it to libuv.  A second write moves
    both to the buffer, so that many small writes become one.

Closing a connection only closes its socket, because no other process has it.  If your
application forks without C{exec}, the child must close the sockets that it inherits:
otherwise their peers do not see the end.

The module uses private names of Twisted.  A test lists them, and fails if one is missing.
"""

from __future__ import annotations

import math
import select
import signal
import socket
import struct
from asyncio import AbstractEventLoop, TimerHandle
from contextlib import suppress
from functools import lru_cache
from typing import Any

import uvloop
from twisted.internet import address, main, process, tcp
from twisted.internet.abstract import FileDescriptor
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.error import ConnectionAborted
from twisted.internet.main import installReactor
from twisted.python import context, log
from twisted.python.failure import Failure

READ_SIZE = tcp.Connection.bufferSize
"""
The most bytes for one call of C{dataReceived}, as with any other reactor.  libuv reads four
times as much.  A protocol that cuts lines off a buffer would need sixteen times as long for
it.
"""

TIMER_RESOLUTION = 0.001
"""
The resolution of libuv's timers, in seconds.
"""

CANCELLED = 50
"""
The number of cancelled calls that are not worth a purge, as in Twisted's
C{runUntilCurrent}.
"""

KNOWN_HOSTS = 256
"""
The number of hosts whose names are shared by their connections.
"""

_NOTHING = b""
"""
L{Connection} holds this while a write may go directly to libuv.
"""

_STARTING = object()
"""
L{Connection} has this in place of a coroutine until it is handed over to libuv.
"""

_shared = lru_cache(KNOWN_HOSTS)(str)
"""
Return one string object for all connections of a host.
"""


class Connection(tcp.Server):
    """
    A server's connection: it is Twisted's transport and asyncio's protocol.

    @ivar logName: The name of the first protocol in the log.

    @ivar _uv: uvloop's transport; L{None} until uvloop has taken the socket over.

    @ivar _attaching: L{_STARTING} until the next turn of the event loop, and then the
        coroutine in which uvloop takes the socket over; L{None} before and after that.

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

    reactor: UVLoopReactor

    _attaching: Any = None
    _noDelay: bool | None = None
    # To close the socket ends both directions: only this process has it.
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
        reactor: UVLoopReactor,
    ) -> None:
        # This replaces the constructors of Twisted, which make several objects for each
        # connection that hardly any connection needs.
        sock.setblocking(False)
        self.socket = sock
        self.protocol = protocol
        self.server = server
        self.reactor = reactor
        self.logName = self._getLogPrefix(protocol)
        if len(client) != 2:
            self._addressType = address.IPv6Address
        self._peer: Any = server.newestPeer if server else self._addressType("TCP", *client)
        self._uv: Any = None
        self._delivering = False
        self._held: bytes | None = _NOTHING
        self.connected = 1
        self.startReading()

    def __repr__(self) -> str:
        """
        @return: The name of the protocol, the port of the peer, and the port of the server.
        """
        if self.server is None:
            return self.repstr
        return f"<{self.logName} #{self.sessionno} on {self.server._realPortNumber}>"

    def __getitem__(self, key: Any) -> dict[Any, Any]:
        """
        Make the connection the logging context of its protocol.  A dictionary for each
        connection would take more memory than all its other attributes.

        @raise KeyError: if something else than the logging context is asked for.
        """
        if key is not log.ILogContext:
            raise KeyError(key)
        return {**context.defaultContextDict[key], "system": self.logPrefix()}

    @property
    def client(self) -> tuple[Any, ...]:  # type: ignore[override]
        """
        The address of the peer, as Python's sockets have it.
        """
        peer = self._peer
        if self._addressType is address.IPv6Address:
            return (peer.host, peer.port, peer.flowInfo, peer.scopeID)
        return (peer.host, peer.port)

    @property
    def hostname(self) -> str:  # type: ignore[override]
        """
        The host of the peer.
        """
        return str(self._peer.host)

    @property
    def sessionno(self) -> int:  # type: ignore[override]
        """
        The port of the peer: a number that repeats.  A counter would take more memory.
        """
        return int(self._peer.port)

    @property
    def logstr(self) -> str:  # type: ignore[override]
        """
        The name of the connection in the log.
        """
        return f"{self.logName},{self.sessionno},{self.hostname}"

    @property
    def undelivered(self) -> int:
        """
        The number of bytes that were read and not delivered yet.
        """
        return len(self._unread)

    def getPeer(self) -> Any:
        """
        @return: The address of the peer.
        """
        return self._peer

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
        # libuv closes the descriptor.
        if not orderly:
            with suppress(OSError):
                self.socket.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
        self._uv.abort()

    # Between the two.

    def _startSoon(self) -> None:
        if self._attaching is None and not self.disconnected:
            self._attaching = _STARTING
            self.reactor._connections[self] = None
            self.reactor._asyncioEventloop.call_soon(self._start)

    def _start(self) -> None:
        """
        Send the data that the application has written.  Then have libuv take the socket over,
        unless the application has closed the connection or its sending side.
        """
        if self._held:
            # Nothing else is buffered.
            self.dataBuffer, self._tempDataBuffer = self._held, []
            self._held = None
            self._wantsToWrite = True
        if self._wantsToWrite:
            self._call(self._doWrite)
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
        try:
            context.call(self, function, *arguments)
        except BaseException:
            log.err(system=self.logPrefix())

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


class Ends:
    """
    Waits until peers close the connections whose sending side is closed, and that libuv does
    not have.

    All of them are in one epoll object, so that each costs one system call.  libuv needs
    five to wait for a descriptor that it does not read.

    @ivar works: True if the system has epoll.
    """

    works = hasattr(select, "epoll")

    def __init__(self, reactor: UVLoopReactor) -> None:
        self._reactor = reactor
        self._poll: Any = None
        self._connections: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """
        Wait once until there is something to read.
        """
        if self._poll is None:
            self._poll = select.epoll()
            self._reactor._asyncioEventloop.add_reader(self._poll.fileno(), self._read)
        descriptor = connection.fileno()
        known = self._connections.get(descriptor) is connection
        self._connections[descriptor] = connection
        # After an event, or when it is closed, a descriptor needs no call to take it out.
        watch = self._poll.modify if known else self._poll.register
        watch(descriptor, select.EPOLLIN | select.EPOLLONESHOT)

    def discard(self, connection: Connection) -> None:
        """
        Forget a connection that is about to be closed.
        """
        self._connections.pop(connection.socket.fileno(), None)

    def _read(self) -> None:
        for descriptor, _ in self._poll.poll(0):
            connection = self._connections.get(descriptor)
            if connection is not None and connection._room >= 0:
                connection._call(connection._readToEnd)


class Listener(socket.socket):
    """
    A listening socket with numbers as its family and its type.  C{accept} passes both to each
    new connection, and Python would make an enumeration of each.
    """

    family: Any = None
    type: Any = None

    def __init__(self, family: int, type: int, proto: int, fileno: int) -> None:
        self.family, self.type = int(family), int(type)
        super().__init__(self.family, self.type, proto, fileno)
        self.setblocking(False)


class Port(tcp.Port):
    """
    A TCP port whose connections do their I/O inside libuv.

    @ivar newestPeer: The address of the peer whose connection was accepted last.  Its factory
        and its connection share it.
    """

    transport: type[tcp.Server] = Connection
    newestPeer: Any = None

    def startListening(self) -> None:
        """
        Listen, and let the reactor accept.
        """
        super().startListening()
        old = self.socket
        self.socket = Listener(old.family, old.type, old.proto, old.detach())
        self.fileno = self.socket.fileno  # type: ignore[method-assign]

    def _buildAddr(self, address: Any) -> Any:
        host, *more = address
        self.newestPeer = super()._buildAddr((_shared(host), *more))
        return self.newestPeer


class ChildSignals:
    """
    Notices the end of child processes.  Twisted's own code needs the file descriptor to
    which Python writes on a signal; here it belongs to uvloop.
    """

    def __init__(self, reactor: UVLoopReactor) -> None:
        self._reactor = reactor

    def install(self) -> None:
        """
        Handle SIGCHLD.
        """
        signal.signal(signal.SIGCHLD, self._childEnded)
        signal.siginterrupt(signal.SIGCHLD, False)
        # Processes may have ended before.
        process.reapAllProcesses()

    def uninstall(self) -> None:
        """
        Handle SIGCHLD no longer.
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
        # A set of many connections takes twice as much memory.
        self._connections: dict[Connection, None] = {}
        self._ends = Ends(self)
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
        Accept connections on a listening socket.
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
        Take over a connected socket.
        """
        if addressFamily not in (socket.AF_INET, socket.AF_INET6):
            return super().adoptStreamConnection(fileDescriptor, addressFamily, factory)
        return Connection._fromConnectedSocket(fileDescriptor, addressFamily, factory, self)

    def addReader(self, reader: Any) -> None:
        """
        Start to read from a descriptor or a connection.
        """
        if isinstance(reader, Connection):
            reader.startReading()
        else:
            super().addReader(reader)

    def removeReader(self, reader: Any) -> None:
        """
        Stop reading from a descriptor or a connection.
        """
        if isinstance(reader, Connection):
            reader.stopReading()
        else:
            super().removeReader(reader)

    def addWriter(self, writer: Any) -> None:
        """
        Start to write to a descriptor or a connection.
        """
        if isinstance(writer, Connection):
            writer.startWriting()
        else:
            super().addWriter(writer)

    def removeWriter(self, writer: Any) -> None:
        """
        Stop writing to a descriptor or a connection.
        """
        if isinstance(writer, Connection):
            writer.stopWriting()
        else:
            super().removeWriter(writer)

    def getReaders(self) -> Any:
        """
        @return: All descriptors and connections that are read from.
        """
        reading = [connection for connection in self._connections if connection._room >= 0]
        return super().getReaders() + reading

    def getWriters(self) -> Any:
        """
        @return: All descriptors and connections that have data to write.
        """
        writing = [connection for connection in self._connections if connection._wantsToWrite]
        return super().getWriters() + writing

    def removeAll(self) -> Any:
        """
        Stop reading and writing, except for the reactor's own descriptors.
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
        # The first of the two handles the signals of all reactors.
        inherited._signalHandlings = (inherited._signalHandlings[0], ChildSignals(self))
        return inherited

    def _cancelCallLater(self, delayedCall: Any) -> None:
        """
        Have Twisted purge its heap when half of its calls are cancelled.  Otherwise it
        does this only when a call is due, and the timeouts of connections stay in memory
        long after their connections.
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
            # Round up.  A timer that fires early would be set again, for a time shorter
            # than libuv's resolution, and the reactor would spin until the call is due.
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
