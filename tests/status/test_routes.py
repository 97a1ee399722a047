"""
Tests for L{echod.status.routes}.
"""

from __future__ import annotations

import contextlib
import json
import re

from echod.net.httphosts import HostNames
from tests.support import connect, logged
from tests.support.status import Client, StatusTests

with contextlib.suppress(ModuleNotFoundError):
    from echod.status.httpserver import StatusSite
    from echod.status.routes import VIEWERS


class RoutesTests(StatusTests):
    """
    Tests for the resource at each path.
    """

    def test_wrongMethod(self) -> None:
        """
        All methods but GET and HEAD are refused at every path.
        """
        for path in ("/", "/metrics", "/events", "/healthz"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "FOO"):
                status, headers, _ = self.client.ask(path, method)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_wrongPath(self) -> None:
        """
        All other paths are not found, with any method.
        """
        for path in ("/x", "/metrics/", "/metrics/x", "//", "/../etc/passwd", "/%00", "/app"):
            for method in ("GET", "HEAD", "POST"):
                self.assertEqual(self.client.ask(path, method)[0], 404, path)

    def test_head(self) -> None:
        """
        HEAD returns the headers that GET returns, and no body.
        """
        for path in ("/", "/metrics", "/healthz", "/readyz", "/status.json", "/x"):
            with logged() as lines:
                full, alone = [self.client.ask(path, method) for method in ("GET", "HEAD")]
            self.assertEqual(full[0], alone[0])
            self.assertEqual(full[1].keys(), alone[1].keys())
            self.assertEqual(alone[2], "")
            self.assertEqual(lines, [])

    def test_headOfEvents(self) -> None:
        """
        HEAD of the events ends at once, with the headers that GET returns, as far as they
        do not depend on the body; the connection remains usable.
        """
        viewer = Client(self.site)
        status, full, _ = viewer.ask("/events")
        alone = self.client.ask("/events", "HEAD")
        del full["Transfer-Encoding"]
        # A second may have passed.
        full["Date"] = alone[1]["Date"]
        self.assertEqual(alone, (status, full, ""))
        self.assertEqual(len(self.monitor.listeners), 1)
        for _ in range(VIEWERS - 1):
            Client(self.site).ask("/events")
        self.assertEqual(self.client.ask("/events", "HEAD")[0], 503)

    def test_aboutServer(self) -> None:
        """
        OPTIONS for the whole server returns the methods that can be used; no other method
        can be used there.
        """
        for method, code, allow in (
            ("OPTIONS", 200, "GET, HEAD"),
            ("GET", 405, "OPTIONS"),
            ("HEAD", 405, "OPTIONS"),
            ("POST", 405, "OPTIONS"),
        ):
            status, headers, _ = self.client.ask("*", method)
            self.assertEqual((status, headers["Allow"]), (code, allow))
            self.assertEqual(headers["Server"], "echod")
        self.assertEqual(self.client.ask("/*")[0], 404)

    def test_foreignName(self) -> None:
        """
        A browser that has another site's name for echod gets nothing but one sentence,
        whichever way the name is sent; monitors may use any name.
        """
        foreign, own = "evil.example:8000", "127.0.0.1:8000"
        for path in ("/", "/app.js", "/style.css", "/icon.svg", "/status.json", "/events"):
            for hosts in ([foreign], [own, foreign], [foreign, own]):
                answer = self.raw("GET", path, *hosts)
                self.assertTrue(answer.startswith("HTTP/1.1 421 "), answer)
                self.assertIn("\r\n\r\nThe name evil.example:8000 is not one of", answer)
            self.assertIn(" 421 ", self.raw("HEAD", path, foreign))
            self.assertIn(" 421 ", self.raw("GET", f"http://{foreign}{path}", own))
            if path != "/events":
                self.assertIn(" 200 ", self.raw("GET", f"http://{own}{path}", foreign))
                self.assertIn(" 200 ", self.raw("GET", path))
        self.assertEqual(len(self.monitor.listeners), 0)
        for path in ("/metrics", "/healthz", "/readyz"):
            self.assertIn(" 200 ", self.raw("GET", path, foreign))
        self.assertIn(" 421 ", self.raw("GET", "/", "\xff"))

    def test_givenName(self) -> None:
        """
        A name that was given with an option is served.
        """
        site = StatusSite(self.clock, self.monitor, HostNames(["host.example"]))
        for host, code in (("host.example", 200), ("evil.example", 421)):
            self.client = Client(site)
            self.assertIn(f" {code} ", self.raw("GET", "/", host))

    def raw(self, method: str, path: str, *hosts: str) -> str:
        """
        @return: The answer to a request with these values of C{Host}.
        """
        lines = [f"{method} {path} HTTP/1.1", *(f"Host: {host}" for host in hosts), "", ""]
        return self.client.send("\r\n".join(lines).encode("latin-1")).decode()

    def test_headers(self) -> None:
        """
        Every answer forbids the browser everything that the page does not need.
        """
        for path in ("/", "/status.json", "/x"):
            _, headers, _ = self.client.ask(path)
            self.assertIn(
                "default-src 'none'; script-src 'self'", headers["Content-Security-Policy"]
            )
            self.assertNotIn("unsafe", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["Cache-Control"], "no-store")
            self.assertEqual(headers["Server"], "echod")

    def test_page(self) -> None:
        """
        The page consists of files that echod serves, and of nothing from elsewhere.
        """
        for path, kind in (
            ("/", "text/html"),
            ("/app.js", "text/javascript"),
            ("/style.css", "text/css"),
            ("/icon.svg", "image/svg+xml"),
        ):
            status, headers, body = self.client.ask(path)
            self.assertEqual(status, 200)
            self.assertTrue(headers["Content-Type"].startswith(kind))
            self.assertNotIn("http", body.replace("http://www.w3.org/2000/svg", ""))
            self.assertNotIn("innerHTML", body)

    def test_health(self) -> None:
        """
        The process is healthy while it serves and while it drains.
        """
        connect(self.tcp)
        self.assertEqual(self.client.ask("/healthz")[::2], (200, "ok\n"))
        self.echo.stopService()
        self.assertEqual(self.client.ask("/healthz")[::2], (200, "ok\n"))

    def test_readiness(self) -> None:
        """
        The process is ready while all services listen; otherwise it names those that do
        not.
        """
        connect(self.tcp)
        self.assertEqual(self.client.ask("/readyz")[::2], (200, "ready\n"))
        self.echo.stopService()
        self.assertEqual(
            self.client.ask("/readyz")[::2],
            (
                503,
                "TCP echo on 127.0.0.1:40000 is draining\n"
                "UDP echo on 127.0.0.1:40000 is stopped\n",
            ),
        )

    def test_json(self) -> None:
        """
        Everything that the page shows is there as JSON.
        """
        status, headers, body = self.client.ask("/status.json")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(json.loads(body), json.loads(self.monitor.full))

    def test_formats(self) -> None:
        """
        A client that prefers OpenMetrics gets the metrics in that format.
        """
        accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        for headers, kind, last in (
            ({"Accept": accept}, "application/openmetrics-text", "# EOF\n"),
            ({}, "text/plain", "\n"),
        ):
            _, answer, body = self.client.ask("/metrics", **headers)
            self.assertTrue(answer["Content-Type"].startswith(kind), answer)
            self.assertTrue(body.endswith(last))

    def test_nonsenseFormats(self) -> None:
        """
        A client that asks for a format that makes no sense gets the usual one.
        """
        for accept in (
            "\xff",
            "application/openmetrics-text;version=x",
            "text/plain;version=x",
        ):
            status, answer, _ = self.client.ask("/metrics", Accept=accept)
            self.assertEqual(status, 200)
            self.assertTrue(answer["Content-Type"].startswith("text/plain"), answer)

    def test_onceASecond(self) -> None:
        """
        The metrics and the JSON are made once a second, however many clients ask for
        them, in whatever version.
        """
        session, _ = connect(self.tcp)
        pattern = r'(?:echod_received_bytes_total{.*TCP.*}|"received_bytes":) ?([0-9]+)'

        def received(version: str) -> set[str]:
            bodies = [self.client.ask("/status.json")[2]]
            for kind in ("application/openmetrics-text", "text/plain"):
                accept = f"{kind};version={version}"
                bodies.append(self.client.ask("/metrics", Accept=accept)[2])
            return {found for body in bodies for found in re.findall(pattern, body)[:1]}

        self.assertEqual(received("1.0.0"), {"0"})
        session.dataReceived(b"x" * 10)
        self.clock.advance(0.99)
        self.assertEqual(received("1.0.1"), {"0"})
        self.clock.advance(0.01)
        self.assertEqual(received("2.0.0"), {"10"})
