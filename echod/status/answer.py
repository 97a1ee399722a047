"""
An answer to an HTTP request: what all of them have in common.
"""

from __future__ import annotations

from abc import abstractmethod

from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

PLAIN = b"text/plain; charset=utf-8"

METHODS = (b"GET", b"HEAD")

HEADERS = {
    b"Server": b"echod",
    b"Cache-Control": b"no-store",
    # A browser takes nothing for the page but what comes from here, runs no
    # script that stands in a document, and shows it in nobody's frame.
    b"Content-Security-Policy": b"default-src 'none'; script-src 'self'; style-src 'self'; "
    b"img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'",
    b"Cross-Origin-Resource-Policy": b"same-origin",
    b"Referrer-Policy": b"no-referrer",
    b"X-Content-Type-Options": b"nosniff",
}


class Answer(Resource):
    """
    What there is at one path, and not below it.
    """

    isLeaf = True

    def __init__(self, kind: bytes = PLAIN) -> None:
        """
        @param kind: The type of the content.
        """
        super().__init__()
        self._kind = kind

    def render(self, request: Request) -> bytes | int:
        """
        Answer a request.
        """
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        request.setHeader(b"Content-Type", self._kind)
        body: bytes | int | None = self._refusal(request)
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
            it is still to come.
        """

    def _refusal(self, request: Request) -> bytes | None:
        if request.postpath:
            return notFound(request)
        if request.method not in METHODS:
            request.setResponseCode(http.NOT_ALLOWED)
            request.setHeader(b"Allow", b", ".join(METHODS))
            return b"This can be read, and nothing else.\n"
        return None


def notFound(request: Request) -> bytes:
    """
    @return: That there is nothing.
    """
    request.setResponseCode(http.NOT_FOUND)
    request.setHeader(b"Content-Type", PLAIN)
    return b"There is nothing here.\n"


class Nothing(Answer):
    """
    What there is everywhere else.
    """

    def body(self, request: Request) -> bytes:
        """
        @return: That there is nothing.
        """
        return notFound(request)

    _refusal = body
