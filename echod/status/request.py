"""
The requests to the HTTP server of the status page.
"""

from __future__ import annotations

import re
from io import BytesIO

from twisted.web import server

ORIGIN = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
"""
The part before the path in a request with a complete address, as proxies get it.
"""


class Request(server.Request):
    """
    A request whose body is discarded.

    @ivar aboutServer: True if it asks about the server (C{OPTIONS *}), not for a path.
    """

    aboutServer = False

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """
        Answer a request for a path, for a complete address, whose host replaces the
        header, or for the server: a server must accept all of them (RFC 9112, 3.2).
        """
        origin = ORIGIN.match(path)
        if origin is not None:
            self.requestHeaders.setRawHeaders(b"host", [origin[1]])
            rest = path[origin.end() :]
            path = rest if rest.startswith(b"/") else b"/" + rest
        elif path == b"*":
            # Twisted would answer this without our headers.
            self.aboutServer, path = True, b"/"
        super().requestReceived(command, path, version)

    def gotLength(self, length: int | None) -> None:
        """
        Do not prepare a file for the body, as Twisted does for a long one.
        """
        self.content = BytesIO()

    def handleContentChunk(self, data: bytes) -> None:
        """
        Discard a part of the body.
        """
