"""
The HTTP server of C{echoc watch}.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from html import escape
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from echod.client.exitstatus import SOME, ClientError, Outcome
from echod.client.reactor import IClientReactor
from echod.client.watch.options import Place
from echod.client.watch.results import Results
from echod.net.format import hostPort

NO_IPV6 = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""
The errors of listening on an address of IPv6 where the system has no IPv6.
"""

INDEX = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>echoc watch</title>
<h1>echoc watch</h1>
<p><a href="metrics">Metrics for Prometheus</a></p>
<table>
<tr><th>Target<th>Sent<th>Lost<th>Now
{rows}
</table>
</html>
"""

ROW = "<tr><td>{target}<td>{sent}<td>{lost}<td>{now}"


class Page(Resource):
    """
    A page that is made for each request.
    """

    isLeaf = True

    def __init__(self, body: Callable[[], bytes], contentType: bytes) -> None:
        super().__init__()
        self._body = body
        self._contentType = contentType

    def render_GET(self, request: Request) -> bytes:
        """
        Answer a request.
        """
        request.setHeader(b"Content-Type", self._contentType)
        return self._body()


class WatchSite(Site):
    """
    The metrics, an index page, and C{/healthz}.

    All of them answer under every name.  Prometheus asks under any name, and its metrics
    contain all that the page contains: to refuse the page to other sites would protect
    nothing.
    """

    noisy = False

    def __init__(self, registry: CollectorRegistry, results: list[Results]) -> None:
        root = Resource()
        metrics = partial(generate_latest, registry)
        root.putChild(b"", Page(partial(index, results), b"text/html; charset=utf-8"))
        root.putChild(b"healthz", Page(lambda: b"ok\n", b"text/plain; charset=utf-8"))
        root.putChild(b"metrics", Page(metrics, CONTENT_TYPE_LATEST.encode()))
        super().__init__(root)

    def log(self, request: HTTPRequest) -> None:
        """
        Log nothing.
        """


def index(results: list[Results]) -> bytes:
    """
    @return: The index page.
    """
    rows = "\n".join(
        ROW.format(
            target=escape(each.labels[0]),
            sent=each.sent,
            lost=each.lost,
            now="up" if each.up else "down",
        )
        for each in results
    )
    return INDEX.format(rows=rows).encode()


def listen(reactor: IClientReactor, place: Place, site: Any) -> list[IListeningPort]:
    """
    Listen on all addresses of a place, with the same port.

    @raise ClientError: if this is not possible.
    """
    ports: list[IListeningPort] = []
    number = place.port
    for host in place.hosts:
        try:
            port: Any = reactor.listenTCP(number, site, interface=host)
        except CannotListenError as error:
            if ports and getattr(error.socketError, "errno", None) in NO_IPV6:
                continue
            for each in ports:
                each.stopListening()
            why = getattr(error.socketError, "strerror", None) or error.socketError
            message = f"--metrics: cannot listen on {hostPort(host, number)}: {why}"
            raise ClientError(Outcome(SOME, message)) from None
        ports.append(port)
        number = port.getHost().port
    return ports
