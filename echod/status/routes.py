"""
What the status has at each of its paths.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client.exposition import choose_encoder
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request

from echod.status.answer import Answer, Nothing
from echod.status.events import Events
from echod.status.metrics import registryFor
from echod.status.monitor import Monitor

HERE = Path(__file__).parent

FILES = {
    b"": ("index.html", b"text/html; charset=utf-8"),
    b"app.js": ("app.js", b"text/javascript; charset=utf-8"),
    b"style.css": ("style.css", b"text/css; charset=utf-8"),
    b"icon.svg": ("icon.svg", b"image/svg+xml"),
}
"""
What the page is made of.
"""


class File(Answer):
    """
    A part of the page.
    """

    def __init__(self, name: str, kind: bytes) -> None:
        super().__init__(kind)
        self._content = (HERE / name).read_bytes()

    def body(self, request: Request) -> bytes:
        """
        @return: What is in the file.
        """
        return self._content


class Health(Answer):
    """
    Says that the process answers, by answering.
    """

    def body(self, request: Request) -> bytes:
        """
        @return: That it does.
        """
        return b"ok\n"


class Readiness(Answer):
    """
    Says whether to send peers here.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._monitor = monitor

    def body(self, request: Request) -> bytes:
        """
        @return: That they may come, or why not.
        """
        reasons = self._monitor.unready
        if not reasons:
            return b"ready\n"
        request.setResponseCode(http.SERVICE_UNAVAILABLE)
        return "".join(f"{reason}\n" for reason in reasons).encode("utf-8")


class Metrics(Answer):
    """
    The metrics, in the format that whoever scrapes them likes best.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        self._registry = registryFor(monitor)

    def body(self, request: Request) -> bytes:
        """
        @return: What there is now.
        """
        likes = request.getHeader(b"accept") or b""
        try:
            encode, kind = choose_encoder(likes.decode("ascii"))
            content = encode(self._registry)
        except (TypeError, ValueError):
            # The version, for one, may be anything.
            encode, kind = choose_encoder("")
            content = encode(self._registry)
        request.setHeader(b"Content-Type", kind.encode("ascii"))
        return content


class Everything(Answer):
    """
    All that the page shows, as JSON.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__(b"application/json")
        self._monitor = monitor

    def body(self, request: Request) -> bytes:
        """
        @return: What was seen less than a second ago.
        """
        return self._monitor.full + b"\n"


class Root(Resource):
    """
    What leads to all of them.
    """

    def __init__(self, monitor: Monitor) -> None:
        super().__init__()
        for path, (name, kind) in FILES.items():
            self.putChild(path, File(name, kind))
        self.events = Events(monitor)
        self.putChild(b"events", self.events)
        self.putChild(b"healthz", Health())
        self.putChild(b"metrics", Metrics(monitor))
        self.putChild(b"readyz", Readiness(monitor))
        self.putChild(b"status.json", Everything(monitor))

    def getChild(self, path: bytes, request: Request) -> IResource:
        """
        @return: What there is where there is nothing.
        """
        return Nothing()
