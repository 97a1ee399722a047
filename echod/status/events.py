"""
Server-sent events (HTML, 9.2): one browser that shows the page.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from twisted.web.server import Request
from zope.interface import implementer

from echod.status.monitor import Monitor

PATIENCE = 30
"""
How many events in a row are skipped for a viewer that does not read before its
connection is aborted: the time that a change from one network to another takes.
"""


@implementer(IPushProducer)
class Viewer:
    """
    Sends the state of echod to one browser every second: first everything, then changes.

    While the browser does not read, events are skipped, so that no data piles up for
    it.  When it reads again, it gets everything.
    """

    def __init__(self, request: Request, monitor: Monitor) -> None:
        self._request = request
        self._monitor = monitor
        self._behind = True
        self._skipped = 0
        self._paused = False

    def start(self) -> None:
        """
        Send everything now, and changes from now on.
        """
        self._request.registerProducer(self, True)
        self._request.notifyFinish().addErrback(self._lost)
        self._monitor.listeners.add(self.show)
        self.show()

    def show(self) -> None:
        """
        Send the latest state, or skip it while the browser does not read.
        """
        if self._paused:
            self._skip()
        elif self._behind:
            self._behind = False
            self._send(b"full", self._monitor.full)
        else:
            self._send(b"latest", self._monitor.latest)

    def pauseProducing(self) -> None:
        """
        The browser does not read.
        """
        self._paused = True

    def resumeProducing(self) -> None:
        """
        The browser has read everything.
        """
        self._paused = False
        self._skipped = 0

    def stopProducing(self) -> None:
        """
        The connection is lost; L{start} has arranged the rest.
        """

    def _skip(self) -> None:
        self._behind = True
        self._skipped += 1
        if self._skipped > PATIENCE:
            self._request.channel.transport.abortConnection()  # type: ignore[union-attr]

    def _send(self, kind: bytes, data: bytes) -> None:
        self._request.write(b"event: %b\ndata: %b\n\n" % (kind, data))

    def _lost(self, reason: Failure) -> None:
        self._monitor.listeners.discard(self.show)
