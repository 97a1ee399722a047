"""
The paths of the HTTP status, and the resource at each path.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from pathlib import Path

from prometheus_client.exposition import choose_encoder
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import NOT_DONE_YET, Request

from echod.limits.capacity import STATUS_CONNECTIONS
from echod.status.events import Viewer
from echod.status.metrics import registryFor
from echod.status.monitor import Monitor

HERE = Path(__file__).parent

PLAIN = b"text/plain; charset=utf-8"

OPENMETRICS = "application/openmetrics-text"

METHODS = (b"GET", b"HEAD")

HEADERS = {
    b"Server": b"echod",
    b"Cache-Control": b"no-store",
    # The browser loads parts of the page from here only, runs no script inside a
    # document, and shows the page in no frame.
    b"Content-Security-Policy": b"default-src 'none'; script-src 'self'; style-src 'self'; "
    b"img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'",
    b"Cross-Origin-Resource-Policy": b"same-origin",
    b"Referrer-Policy": b"no-referrer",
    b"X-Content-Type-Options": b"nosniff",
}

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


def notFound(request: Request) -> bytes:
    """
    @return: The body of the 404 page.
    """
    request.setResponseCode(http.NOT_FOUND)
    request.setHeader(b"Content-Type", PLAIN)
    return b"Not found.\n"


class StatusResource(Resource):
    """
    The resource at one path, with nothing below it.  It can only be read.
    """

    isLeaf = True

    def __init__(self, contentType: bytes = PLAIN) -> None:
        super().__init__()
        self._contentType = contentType

    def render(self, request: Request) -> bytes | int:
        """
        Answer a request.
        """
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        request.setHeader(b"Content-Type", self._contentType)
        body: bytes | int | None = self.refusal(request)
        if body is None:
            body = self.body(request)
        if request.method == b"HEAD" and isinstance(body, bytes):
            request.setHeader(b"Content-Length", b"%d" % len(body))
            request.write(b"")
            request.finish()
            return NOT_DONE_YET
        return body

    @abstractmethod
    def body(self, request: Request) -> bytes | int:
        """
        @return: The content, or L{NOT_DONE_YET<twisted.web.server.NOT_DONE_YET>} if
            it follows later.
        """

    def refusal(self, request: Request) -> bytes | None:
        """
        @return: The body of an error, or L{None} if the request makes sense.
        """
        if request.postpath:
            return notFound(request)
        if request.method not in METHODS:
            request.setResponseCode(http.NOT_ALLOWED)
            request.setHeader(b"Allow", b", ".join(METHODS))
            return b"Only GET and HEAD are allowed.\n"
        return None


class NotFound(StatusResource):
    """
    The 404 page, for every method.
    """

    def body(self, request: Request) -> bytes:
        """
        @return: The body of the 404 page.
        """
        return notFound(request)

    refusal = body


class File(StatusResource):
    """
    A file of the page.
    """

    def __init__(self, name: str, contentType: bytes) -> None:
        super().__init__(contentType)
        self._content = (HERE / name).read_bytes()

    def body(self, request: Request) -> bytes:
        """
        @return: The content of the file.
        """
        return self._content


class Events(StatusResource):
    """
    The state of echod every second, as server-sent events.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(b"text/event-stream")
        self._monitor = monitor

    def body(self, request: Request) -> bytes | int:
        """
        Start to send events, unless there are too many viewers.
        """
        if request.method == b"HEAD":
            return b""
        if len(self._monitor.listeners) >= VIEWERS:
            request.setResponseCode(http.SERVICE_UNAVAILABLE)
            request.setHeader(b"Content-Type", PLAIN)
            return b"There are too many viewers.\n"
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
        request.setResponseCode(http.SERVICE_UNAVAILABLE)
        return "".join(f"{reason}\n" for reason in reasons).encode("utf-8")


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


class StatusJSON(StatusResource):
    """
    Everything that the page shows, as JSON.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(b"application/json")
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

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        for path, (name, contentType) in FILES.items():
            self.putChild(path, File(name, contentType))
        self.putChild(b"events", Events(monitor))
        self.putChild(b"healthz", Health())
        self.putChild(b"metrics", Metrics(monitor))
        self.putChild(b"readyz", Readiness(monitor))
        self.putChild(b"status.json", StatusJSON(monitor))

    def getChild(self, path: bytes, request: Request) -> IResource:
        """
        @return: The 404 page: all other paths are children already.
        """
        return NotFound()
