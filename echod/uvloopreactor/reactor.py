"""
The C{asyncio} reactor on a uvloop event loop, with connections in libuv.
"""

from __future__ import annotations

import math
import signal
import socket
from asyncio import AbstractEventLoop, TimerHandle
from typing import Any

import uvloop
from twisted.internet import process
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.main import installReactor

from echod.uvloopreactor.connection import Connection
from echod.uvloopreactor.ends import Ends
from echod.uvloopreactor.port import Port

TIMER_RESOLUTION = 0.001
"""
The resolution of libuv's timers, in seconds.
"""

CANCELLED = 50
"""
The number of cancelled calls that are not worth a purge, as in Twisted's
C{runUntilCurrent}.
"""


class ChildSignals:
    """
    Notices the end of child processes.  Twisted's own code needs the file descriptor to
    which Python writes on a signal; here it belongs to uvloop.
    """

    def __init__(self, reactor: AsyncioSelectorReactor) -> None:
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
    # While a port accepts, the connections that it will start.
    _toStart: list[Connection] | None = None
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
        connection = Connection._fromConnectedSocket(
            fileDescriptor, addressFamily, factory, self
        )
        # The caller has another descriptor of the socket, and may keep it open.
        connection._shouldShutdown = True
        return connection

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
    Install this reactor as the global one.  Workers look for this function in the module of
    the class, where Twisted's reactors have it.
    """
    installReactor(UVLoopReactor())
