"""
UNIX sockets that were left behind by a process that was killed.

Twisted's lock of a UNIX socket is a symbolic link to the number of a process.  In a
container this number is often 1, before a restart and after it: the lock seems to belong
to a living process, the new one itself.  A connection attempt tells whether a
process listens.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from contextlib import ExitStack, suppress

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory

from echod.net.reactor import ReactorWrapper

ABSTRACT = "\0"
"""
The first character of the name of a socket that is not in the file system.
"""

ANSWERS = (0, errno.EAGAIN, errno.EPROTOTYPE)
"""
The possible results of connecting to a socket that a process uses: a connection; a full
queue of connections; or an error because the socket is for datagrams.
"""


class ReplacingReactor(ReactorWrapper):
    """
    A reactor that replaces a UNIX socket on which nobody answers.
    """

    def listenUNIX(
        self,
        address: str,
        factory: Factory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,
    ) -> IListeningPort:
        """
        Listen on a UNIX socket.

        @raise CannotListenError: if another process listens on it, or if the path is not
            a socket.
        """
        with ExitStack() as stack:
            if not address.startswith(ABSTRACT):
                with suppress(OSError):
                    _waitForOthers(address, stack)
                try:
                    removeUnanswered(address, wantPID)
                except OSError as error:
                    raise CannotListenError(None, address, error) from None
            port: IListeningPort = self._reactor.listenUNIX(
                address, factory, backlog, mode, wantPID
            )
        return port


def removeUnanswered(path: str, locked: bool) -> None:
    """
    Remove a UNIX socket on which nobody answers, if there is one.

    @param locked: True to remove Twisted's lock as well.

    @raise OSError: if a process listens on the socket, or if the path is not a socket.
    """
    lock = f"{path}.lock"
    if locked and os.path.lexists(lock) and not os.path.islink(lock):
        raise FileExistsError(
            errno.EEXIST, f"{lock} is not a lock; with lockfile=0 there is no need for one"
        )
    if os.path.lexists(path):
        _checkUnanswered(path)
        os.unlink(path)
    if locked:
        with suppress(FileNotFoundError):
            os.unlink(lock)


def _checkUnanswered(path: str) -> None:
    if not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise FileExistsError(errno.EEXIST, "the path exists and is not a socket")
    with socket.socket(socket.AF_UNIX) as client:
        # With a full queue of connections, it would wait.
        client.setblocking(False)
        result = client.connect_ex(path)
    if result != errno.ECONNREFUSED:
        answered = result in ANSWERS
        raise OSError(
            errno.EADDRINUSE,
            "a process listens on this socket" if answered else os.strerror(result),
        )


def _waitForOthers(path: str, stack: ExitStack) -> None:
    """
    Wait while another process replaces a socket in the same directory: it might otherwise
    remove the new one.

    @param stack: Ends the time in which other processes wait.
    """
    directory = os.open(os.path.dirname(path) or ".", os.O_RDONLY)
    stack.callback(os.close, directory)
    fcntl.flock(directory, fcntl.LOCK_EX)
