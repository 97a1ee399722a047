"""
Connections that send without asking the reactor first whether they may.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

from twisted.internet import tcp
from twisted.python import log


class PromptConnection(tcp.Server):
    """
    A connection that sends in the next turn of the reactor.

    Twisted's own waits until the reactor says that the socket takes data.  With epoll, this
    costs three system calls for each write, and nearly always the socket takes data at once.
    """

    reactor: Any
    # To close the socket ends both directions: only this process has it.
    _shouldShutdown = False
    _scheduled = False

    def startWriting(self) -> None:
        """
        Call C{doWrite} in the next turn of the reactor.
        """
        if not self._scheduled:
            self._scheduled = True
            self.reactor.callLater(0, log.callWithLogger, self, self._write)

    def _write(self) -> None:
        self._scheduled = False
        if self.disconnected:
            return
        try:
            why = self.doWrite()
        except BaseException as error:
            log.err()
            why = error
        if why:
            self.reactor._disconnectSelectable(self, why, False)
        elif self.dataBuffer and not self._scheduled:
            # The socket is full: now the reactor must say when it takes more.
            super().startWriting()


def sendPromptly(port: Any) -> Any:
    """
    Let the connections of a port send without asking first, if they are Twisted's own.

    @return: The port.
    """
    # With the time of day, the next turn could come an hour late: when the clock is set back.
    if getattr(port, "transport", None) is tcp.Server and port.reactor.seconds is monotonic:
        port.transport = PromptConnection
    return port
