"""
The paths of the HTTP status, and the resource at each path.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from prometheus_client.exposition import choose_encoder
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from echod.limits.capacity import STATUS_CONNECTIONS
from echod.net.httphosts import HostNames
from echod.status.events import Viewer
from echod.status.metrics import registryFor
from echod.status.monitor import Monitor
from echod.status.resources import (
    NotFound,
    PageResource,
    StatusResource,
    failed,
    withoutBody,
)

HERE = Path(__file__).parent

OPENMETRICS = "application/openmetrics-text"

FILES = {
    b"": ("index.html", b"text/html; charset=utf-8"),
    b"app.js": ("app.js", b"text/javascript; charset=utf-8"),
    b"style.css": ("style.css", b"text/css; charset=utf-8"),
    b"icon.svg": ("icon.svg", b"image/svg+xml"),
}
"""
The files of the page, with their content types.
"""

VIEWERS = STATUS_CONNECTIONS // 2
"""
How many browsers may show the page.  The rest of the connections is for monitors,
whose connections are short.
"""


class File(PageResource):
    """
    A file of the page.
    """

    def __init__(self, names: HostNames, name: str, contentType: bytes) -> None:
        super().__init__(names, contentType)
        self._content = (HERE / name).read_bytes()

    def body(self, request: Request) -> bytes:
        """
        @return: The content of the file.
        """
        return self._content


class Events(PageResource):
    """
    The state of echod every second, as server-sent events.
    """

    def __init__(self, names: HostNames, monitor: Monitor) -> None:
        super().__init__(names, b"text/event-stream")
        self._monitor = monitor

    def body(self, request: Request) -> bytes | int:
        """
        Start to send events, unless there are too many viewers.
        """
        if len(self._monitor.listeners) >= VIEWERS:
            return failed(request, http.SERVICE_UNAVAILABLE, "There are too many viewers.")
        if request.method == b"HEAD":
            return withoutBody(request)
        Viewer(request, self._monitor).start()
        return NOT_DONE_YET


class Health(StatusResource):
    """
    Tells that the process is alive.
    """

    def body(self, request: Request) -> bytes:
        """
        @return: Always the same.
        """
        return b"ok\n"


class Readiness(StatusResource):
    """
    Tells load balancers whether to send new peers to this echod.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor

    def body(self, request: Request) -> bytes:
        """
        @return: "ready", or the reasons why not.
        """
        reasons = self._monitor.unready
        if not reasons:
            return b"ready\n"
        return failed(request, http.SERVICE_UNAVAILABLE, "\n".join(reasons))


class Metrics(StatusResource):
    """
    The metrics, in the format that the client prefers.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor
        self._registry = registryFor(monitor)

    def body(self, request: Request) -> bytes:
        """
        @return: The metrics, less than a second old.
        """
        encode, contentType = choose_encoder(preferredFormat(request))
        request.setHeader(b"Content-Type", contentType.encode("ascii"))
        return self._monitor.once(contentType, partial(encode, self._registry))


def preferredFormat(request: Request) -> str:
    """
    @return: OpenMetrics or the text format, for C{choose_encoder}.  A client may ask for
        any version of them, but gets only one of these two: each is made once a second.
    """
    accept = request.getHeader(b"accept") or b""
    try:
        _, contentType = choose_encoder(accept.decode("ascii"))
    except (TypeError, ValueError):
        # The header is not ASCII, or asks for a version that does not exist.
        return ""
    return OPENMETRICS if contentType.startswith(OPENMETRICS) else ""


class StatusJSON(PageResource):
    """
    Everything that the page shows, as JSON.
    """

    def __init__(self, names: HostNames, monitor: Monitor) -> None:
        super().__init__(names, b"application/json")
        self._monitor = monitor

    def body(self, request: Request) -> bytes:
        """
        @return: The latest state, less than a second old.
        """
        return self._monitor.full + b"\n"


class Root(Resource):
    """
    Finds the resource at each path.
    """

    def __init__(self, monitor: Monitor, names: HostNames) -> None:
        """
        @param names: The names under which browsers may ask for the page.  Monitors may
            use any name: their answers say nothing about peers.
        """
        super().__init__()
        for path, (name, contentType) in FILES.items():
            self.putChild(path, File(names, name, contentType))
        self.putChild(b"events", Events(names, monitor))
        self.putChild(b"healthz", Health())
        self.putChild(b"metrics", Metrics(monitor))
        self.putChild(b"readyz", Readiness(monitor))
        self.putChild(b"status.json", StatusJSON(names, monitor))

    def getChild(self, path: bytes, request: Request) -> IResource:
        """
        @return: The 404 page: all other paths are children already.
        """
        return NotFound()
