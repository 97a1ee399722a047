"""
Tests for L{echod.status.httpserver}.
"""

from __future__ import annotations

from io import BytesIO

from echod.limits.capacity import STATUS_CONNECTIONS
from tests.support import NO_NUMBERS, PEER, logged, turn
from tests.support.status import Client, StatusTests

try:
    from echod.status import httpserver as site
except ModuleNotFoundError:
    site = None  # type: ignore[assignment]


class SiteTests(StatusTests):
    """
    Tests for L{site.StatusSite}.
    """

    def test_absolute(self) -> None:
        """
        A request with a complete address is answered like one with a path.
        """
        for address in ("http://x/healthz", "HTTPS://x:8000/healthz?y", "http:///healthz"):
            self.assertEqual(self.client.ask(address)[::2], (200, "ok\n"))
        for address in ("http://x", "http://x?y"):
            self.assertEqual(self.client.ask(address)[::2], self.client.ask("/")[::2])
        for address in ("http://x/y", "ftp://x/healthz", "http:/healthz"):
            self.assertEqual(self.client.ask(address)[0], 404, address)

    def test_body(self) -> None:
        """
        The body of a request is discarded, and the next request is answered.
        """
        size = 1 << 20
        self.client.send(
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        )
        (request,) = self.client.channel.requests
        # Not a file on a disk, as Twisted makes for a body of this size.
        self.assertIsInstance(request.content, BytesIO)
        for _ in range(16):
            self.assertEqual(request.content.read(), b"")
            answer = self.client.send(b"x" * (size // 16))
        self.assertTrue(answer.startswith(b"HTTP/1.1 405 "), answer)
        self.assertEqual(self.client.ask("/healthz")[0], 200)

    def test_manyAtOnce(self) -> None:
        """
        Requests that come in one segment are answered one in each turn of the reactor,
        and none while the client does not read.
        """
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(self.client.send(request * 5).count(b"ok\n"), 1)
        turn(self.clock)
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 2)
        self.client.channel.pauseProducing()
        turn(self.clock)
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 2)
        self.client.channel.resumeProducing()
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 3)
        client = Client(self.site)
        client.send(request * 3)
        turn(self.clock)
        turn(self.clock)
        self.assertEqual(client.transport.value().count(b"ok\n"), 3)
        self.assertEqual(client.send(request).count(b"ok\n"), 1)

    def test_lostWithRequests(self) -> None:
        """
        A connection that is lost leaves none of its requests behind.
        """
        timers = len(self.clock.getDelayedCalls())
        client = Client(self.site)
        client.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        client.lose()
        self.assertEqual(len(self.clock.getDelayedCalls()), timers)

    def test_giantHeaders(self) -> None:
        """
        A header that is too long, and too many headers, are refused, and the
        connection is closed.
        """
        for giant, code in (
            (b"GET / HTTP/1.1\r\nX: " + b"x" * 20000, 431),
            (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 5000, 400),
            (b"GET /" + b"x" * 20000, 431),
        ):
            client = Client(self.site)
            answer = client.send(giant)
            self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % code), answer)
            self.assertTrue(client.transport.disconnecting)

    def test_nonsense(self) -> None:
        """
        Data that is not HTTP is a bad request, and the connection is closed.
        """
        answer = self.client.send(b"\x16\x03\x01\x02\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertTrue(self.client.transport.disconnecting)

    def test_badLength(self) -> None:
        """
        A Content-Length that is not a number, or far too long, is a bad request.  It is
        not logged, and nothing that follows it is read.
        """
        # Spaces around a header's value are allowed.
        for length in ("x", *(text for text in NO_NUMBERS if text == text.strip())):
            for name in ("Content-Length", "CONTENT-LENGTH"):
                header = f"{name}: \t{length or '-'}\r\n".encode()
                for more in (b"", b"Host: x\r\n"):
                    client = Client(self.site)
                    with logged() as lines:
                        answer = client.send(b"GET / HTTP/1.1\r\n" + header + more + b"\r\n")
                        self.assertEqual(answer.count(b"HTTP/1.1"), 1)
                        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
                        self.assertTrue(client.transport.disconnecting)
                        self.assertEqual(client.send(b"GET / HTTP/1.1\r\n\r\n"), b"")
                    self.assertEqual(lines, [])
                    client.lose()

    def test_slowClient(self) -> None:
        """
        A request that is not complete in time is refused, even if more of it arrives
        all the time.
        """
        self.client.send(b"GET / HTTP/1.1\r\n")
        for _ in range(int(site.REQUEST_TIME)):
            self.assertFalse(self.client.transport.disconnecting)
            self.client.send(b"X: x\r\n")
            self.clock.advance(1)
        self.assertEqual(self.client.transport.value(), site.LATE)
        self.assertTrue(self.client.transport.disconnecting)

    def test_idleClient(self) -> None:
        """
        A connection without a request is closed without an answer after the same time,
        and aborted if that does not help.
        """
        self.client.ask("/healthz")
        self.client.transport.clear()
        with logged() as lines:
            self.clock.advance(site.REQUEST_TIME)
            self.assertTrue(self.client.transport.disconnecting)
            self.assertFalse(self.client.transport.disconnected)
            self.clock.advance(site.Channel.abortTimeout)
        self.assertTrue(self.client.transport.disconnected)
        self.assertEqual(self.client.transport.value(), b"")
        self.assertEqual(lines, [])

    def test_connections(self) -> None:
        """
        The number of connections is limited; a lost connection makes room for another.
        """
        clients = [self.client] + [Client(self.site) for _ in range(STATUS_CONNECTIONS - 1)]
        self.assertIsNone(self.site.buildProtocol(PEER))
        clients[5].lose()
        self.assertEqual(Client(self.site).ask("/healthz")[0], 200)

    def test_quiet(self) -> None:
        """
        Requests are not logged.
        """
        with logged() as lines:
            self.client.ask("/")
        self.assertEqual(lines, [])
        self.assertEqual(self.site.logPrefix(), "HTTP status")

    def test_drain(self) -> None:
        """
        When the site stops, it closes all connections.
        """
        self.successResultOf(self.site.drain())
        self.assertTrue(self.client.transport.disconnecting)
