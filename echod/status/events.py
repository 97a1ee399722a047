"""
Server-sent events (HTML, 9.2): what the page lives on.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from echod.limits.capacity import STATUS_CONNECTIONS
from echod.status.answer import PLAIN, Answer
from echod.status.monitor import Monitor

PATIENCE = 30
"""
How many times a viewer that does not read what it got is passed over before it
is cut: what it takes to change from one network to another.
"""

VIEWERS = STATUS_CONNECTIONS // 2
"""
How many there may be, for there to be room for monitors, whose connections do
not last.
"""


@implementer(IPushProducer)
class Viewer:
    """
    Somebody who looks at the page.  One that does not keep up gets everything
    again when it does: no more than that is ever waiting for it.
    """

    def __init__(self, request: Any, monitor: Monitor) -> None:
        self._request = request
        self._monitor = monitor
        self._behind = True
        self._passedOver = 0
        self._paused = False

    def start(self) -> None:
        """
        Show what there is now.
        """
        self._request.registerProducer(self, True)
        self._request.notifyFinish().addErrback(self._lost)
        self._monitor.listeners.add(self.show)
        self.show()

    def show(self) -> None:
        """
        Show what has been seen just now, if there is room for it.
        """
        if self._paused:
            self._behind = True
            self._passedOver += 1
            if self._passedOver > PATIENCE:
                self._request.channel.transport.abortConnection()
        elif self._behind:
            self._behind = False
            self._send(b"full", self._monitor.full)
        else:
            self._send(b"latest", self._monitor.latest)

    def pauseProducing(self) -> None:
        """
        The viewer does not read.
        """
        self._paused = True

    def resumeProducing(self) -> None:
        """
        It has read all.
        """
        self._paused = False
        self._passedOver = 0

    def stopProducing(self) -> None:
        """
        The connection is lost; what there is to do is done elsewhere.
        """

    def _send(self, kind: bytes, data: bytes) -> None:
        self._request.write(b"event: %b\ndata: %b\n\n" % (kind, data))

    def _lost(self, reason: Failure) -> None:
        self._monitor.listeners.discard(self.show)


class Events(Answer):
    """
    What is seen, every second: first everything, then what is new.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(b"text/event-stream")
        self._monitor = monitor

    def body(self, request: Request) -> Any:
        """
        @return: The beginning of what has no end.
        """
        if request.method == b"HEAD":
            return b""
        if len(self._monitor.listeners) >= VIEWERS:
            request.setResponseCode(http.SERVICE_UNAVAILABLE)
            request.setHeader(b"Content-Type", PLAIN)
            return b"There are too many viewers.\n"
        Viewer(request, self._monitor).start()
        return NOT_DONE_YET
