"""
Standard input and output as Twisted transports, with backpressure and without a thread.

Twisted's C{StandardIO} reads 8 KiB at a time, and leaves the terminal of the shell
non-blocking.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable

from twisted.internet.abstract import FileDescriptor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer, IReadDescriptor
from twisted.internet.main import CONNECTION_LOST
from twisted.python.failure import Failure
from zope.interface import implementer

from echod.client.exitstatus import Outcome
from echod.client.reactor import IClientReactor

CHUNK = 1 << 18
"""
The most bytes to read at once: large enough that system calls cost more than Python,
small enough to keep in memory.
"""


@implementer(IReadDescriptor, IPushProducer)
class Input:
    """
    Reads a descriptor of any kind: a pipe, a terminal, or a regular file.  (Twisted's
    epoll reactor also handles regular files, which epoll itself refuses.)
    """

    def __init__(
        self,
        reactor: IClientReactor,
        descriptor: int,
        receiver: Callable[[bytes], object],
        ended: Callable[[], object],
    ) -> None:
        """
        @param receiver: Called with bytes that were read.

        @param ended: Called at the end of the input.
        """
        self._reactor = reactor
        self._descriptor = descriptor
        self._receiver = receiver
        self._ended: Callable[[], object] | None = ended
        # Linux gives a pipe 64 KiB, and reading takes four times the calls.  Other systems
        # lack these names, other files have no such size, and the system may refuse more.
        with contextlib.suppress(AttributeError, OSError):
            if fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) < CHUNK:
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, CHUNK)

    def fileno(self) -> int:
        """
        @return: The descriptor.
        """
        return self._descriptor

    def logPrefix(self) -> str:
        """
        @return: The name for log messages of Twisted.
        """
        return "input"

    def doRead(self) -> None:
        """
        Read what is available.
        """
        try:
            data = os.read(self._descriptor, CHUNK)
        except BlockingIOError:
            # Another process that shares the descriptor has read it.
            return
        if data:
            self._receiver(data)
        else:
            self.connectionLost()

    def connectionLost(self, reason: object = None) -> None:
        """
        Report the end of the input.  The reactor also calls this for a pipe.
        """
        self.pauseProducing()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def pauseProducing(self) -> None:
        """
        Stop reading for now.
        """
        self._reactor.removeReader(self)

    def resumeProducing(self) -> None:
        """
        Go on reading.
        """
        if self._ended is not None:
            self._reactor.addReader(self)

    def stopProducing(self) -> None:
        """
        Stop reading for good.
        """
        self._ended = None
        self.pauseProducing()


class Output(FileDescriptor):
    """
    Writes to a descriptor of any kind, and is an C{IConsumer}.

    @ivar finished: Fires when all bytes are written after L{loseConnection}; fails if
        writing fails.
    """

    def __init__(self, reactor: IClientReactor, descriptor: int) -> None:
        super().__init__(reactor)
        self.finished: Deferred[Outcome | None] = Deferred()
        self.connected = 1
        self._descriptor = descriptor
        mode = os.fstat(descriptor).st_mode
        isPipe = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
        self._isFile = not isPipe and not os.isatty(descriptor)
        # Other processes may share the pipe: restore its mode at the end.  A terminal
        # stays blocking, because the shell needs it so.
        self._restores = isPipe and os.get_blocking(descriptor)
        if self._restores:
            os.set_blocking(descriptor, False)

    def fileno(self) -> int:
        """
        @return: The descriptor.
        """
        return self._descriptor

    def write(self, data: bytes) -> None:
        """
        Write bytes; to a file at once.  A file is always ready, and Twisted would poll it.
        """
        if not self._isFile:
            super().write(data)
            return
        while data:
            written = self.writeSomeData(data)
            if isinstance(written, Exception):
                self.connectionLost(Failure(written))
                return
            data = data[written:]

    def writeSomeData(self, data: bytes) -> int | Exception:
        """
        @return: How many bytes were written, or why no byte ever will be.
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
        Report that all is written, or that writing failed.
        """
        super().connectionLost(reason)
        self._restore()
        if reason.check(ConnectionDone):
            self.finished.callback(None)
        else:
            self.finished.errback(reason)

    def abort(self) -> None:
        """
        Stop writing, and restore the mode of the descriptor.
        """
        self.stopWriting()
        self._restore()

    def _restore(self) -> None:
        if self._restores:
            os.set_blocking(self._descriptor, True)
