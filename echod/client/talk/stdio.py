"""
Standard input and output as Twisted has its transports: with backpressure, and
without a thread.

Twisted's own C{StandardIO} reads 8 KiB at a time and leaves the terminal of the
shell that it was started from non-blocking.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer, IReadDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure
from zope.interface import implementer

CHUNK = 1 << 18
"""
How much is read at once, in bytes: enough that the system does most of the
work, and little to keep.
"""


@implementer(IReadDescriptor, IPushProducer)
class Input:
    """
    Reads a descriptor of any kind: a pipe, a terminal, a regular file (which
    epoll does not watch, but Twisted's reactor on it does).
    """

    def __init__(
        self,
        reactor: Any,
        descriptor: int,
        read: Callable[[bytes], object],
        ended: Callable[[], object],
    ) -> None:
        """
        @param read: Is called with what is read.

        @param ended: Is called at the end of it.
        """
        self._reactor = reactor
        self._descriptor = descriptor
        self._read = read
        self._ended: Callable[[], object] | None = ended

    def fileno(self) -> int:
        """
        @return: The descriptor.
        """
        return self._descriptor

    def logPrefix(self) -> str:
        """
        How Twisted names it in its own messages.
        """
        return "input"

    def doRead(self) -> None:
        """
        Read what there is.
        """
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            # Somebody else has read it.
            return
        if data:
            self._read(data)
        else:
            self.connectionLost()

    def connectionLost(self, reason: object = None) -> None:
        """
        The end has come: the reactor tells so of a pipe.
        """
        self.pauseProducing()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def pauseProducing(self) -> None:
        """
        Read no more for now.
        """
        self._reactor.removeReader(self)

    def resumeProducing(self) -> None:
        """
        Read on.
        """
        if self._ended is not None:
            self._reactor.addReader(self)

    def stopProducing(self) -> None:
        """
        Read no more.
        """
        self._ended = None
        self.pauseProducing()


class Output(FileDescriptor):
    """
    Writes to a descriptor of any kind, and is an C{IConsumer}.

    @ivar finished: Fires when all is written and L{loseConnection} was called;
        fails if no more can be written.
    """

    def __init__(self, reactor: Any, descriptor: int) -> None:
        super().__init__(reactor)
        self.finished: Deferred[Any] = Deferred()
        self.connected = 1
        self._descriptor = descriptor
        mode = os.fstat(descriptor).st_mode
        # Others may have the same pipe open; they get it back as it was.  A
        # terminal is left as it is, for the shell's sake, and a file is never
        # anything but ready.
        self._blocking = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._blocking = self._blocking and os.get_blocking(descriptor)
        if self._blocking:
            os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """
        @return: The descriptor.
        """
        return self._descriptor

    def writeSomeData(self, data: bytes) -> int | Exception:
        """
        @return: How much was written, or why nothing ever will be.
        """
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except BrokenPipeError:
            return CONNECTION_LOST
        except OSError as error:
            return error

    def connectionLost(self, reason: Failure) -> None:
        """
        All is written, or nothing more can be.
        """
        super().connectionLost(reason)
        self._restore()
        if reason.check(ConnectionDone):
            self.finished.callback(None)
        else:
            self.finished.errback(reason)

    def abort(self) -> None:
        """
        Write no more, and leave the descriptor as it was.
        """
        self.stopWriting()
        self._restore()

    def _restore(self) -> None:
        if self._blocking:
            os.set_blocking(self._descriptor, True)
