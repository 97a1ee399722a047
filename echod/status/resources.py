"""
The common part of all resources of the HTTP status: their headers, and the requests that
they refuse.
"""

from __future__ import annotations

from abc import abstractmethod

from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from echod.net.format import quoted
from echod.net.httphosts import MISDIRECTED, HostNames

PLAIN = b"text/plain; charset=utf-8"

METHODS = "GET, HEAD"

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


def failed(request: Request, code: int, sentence: str) -> bytes:
    """
    Answer with an error.

    @return: The body.
    """
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", PLAIN)
    return f"{sentence}\n".encode()


def withoutBody(request: Request) -> int:
    """
    Answer a HEAD request.

    @return: L{NOT_DONE_YET<twisted.web.server.NOT_DONE_YET>}: the answer is complete.
    """
    request.write(b"")
    request.finish()
    return NOT_DONE_YET


class StatusResource(Resource):
    """
    The resource at one path, with nothing below it.

    @cvar methods: The methods that it allows, as in C{Allow}.
    """

    isLeaf = True
    methods = METHODS

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
            return withoutBody(request)
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
        if request.method.decode("latin-1") not in self.methods.split(", "):
            request.setHeader(b"Allow", self.methods.encode())
            only = self.methods.replace(", ", " and ")
            return failed(request, http.NOT_ALLOWED, f"Only {only} can be used here.")
        return None


class PageResource(StatusResource):
    """
    A resource for browsers.  It is refused to a page that has another site's name.
    """

    def __init__(self, names: HostNames, contentType: bytes) -> None:
        """
        @param names: The names that are served.
        """
        super().__init__(contentType)
        self._names = names

    def refusal(self, request: Request) -> bytes | None:
        """
        @return: The body of an error, or L{None} if the request makes sense.
        """
        host = self._names.foreign(request.requestHeaders.getRawHeaders(b"host", []))
        if host is not None:
            return failed(
                request,
                MISDIRECTED,
                f"The name {quoted(host)} is not one of this machine; start echod with "
                "--status-name for each other name that leads to this page.",
            )
        return super().refusal(request)


class AboutServer(StatusResource):
    """
    The answer to C{OPTIONS *}, which asks about the server and not about a resource.
    """

    methods = "OPTIONS"

    def body(self, request: Request) -> bytes:
        """
        @return: Nothing: the methods are in the header.
        """
        request.setHeader(b"Allow", METHODS.encode())
        return b""


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


def notFound(request: Request) -> bytes:
    """
    @return: The body of the 404 page.
    """
    return failed(request, http.NOT_FOUND, "Not found.")
