"""
Tests for the HTTP status: L{echod.status.httpserver}, L{echod.status.routes},
L{echod.status.events} and L{echod.status.metrics}.
"""

from __future__ import annotations

import json
import os
from io import BytesIO
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.impair.spec import DatagramImpairments
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.capacity import STATUS_CONNECTIONS
from echod.limits.networks import DENIED
from echod.service.echoservice import EchoService, ListeningService
from echod.status.monitor import Monitor
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.service.test_echoservice import Endpoint
from tests.support import PEER, UNTIMED, clock, connect, lacking, logged, turn

try:
    from prometheus_client.parser import text_string_to_metric_families

    from echod.status import events, routes
    from echod.status import httpserver as site
except ModuleNotFoundError:
    site = None  # type: ignore[assignment]


class Transport(StringTransport):
    """
    A transport in memory which tells a hard end from a soft one.
    """

    aborted = False

    def abortConnection(self) -> None:
        """
        Take note.
        """
        self.aborted = True


class Client:
    """
    An HTTP client in memory.
    """

    def __init__(self, server: Any) -> None:
        self.transport = Transport(peerAddress=PEER)
        self.channel = server.buildProtocol(PEER)
        self.channel.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """
        @return: What comes back at once.
        """
        self.transport.clear()
        self.channel.dataReceived(data)
        answer: bytes = self.transport.value()
        return answer

    def ask(
        self, path: str, method: str = "GET", **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """
        @return: The status, headers and body of an answer.
        """
        lines = [f"{method} {path} HTTP/1.1", "Host: x"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head, body = (
            self.send("\r\n".join([*lines, "", ""]).encode()).decode().split("\r\n\r\n", 1)
        )
        status, *fields = head.split("\r\n")
        named = dict(field.split(": ", 1) for field in fields)
        return int(status.split()[1]), named, body

    def lose(self) -> None:
        """
        The connection is over.
        """
        self.channel.connectionLost(Failure(ConnectionDone()))


class StatusTests(SynchronousTestCase):
    """
    What everything about the HTTP status is tested with.
    """

    def setUp(self) -> None:
        if site is None:
            lacking("prometheus_client")
        self.clock = clock()
        self.echo = EchoService(self.clock)
        self.tcp = EchoFactory(self.clock, limits=UNTIMED)
        self.udp = UDPEchoProtocol(self.clock)
        for server in (self.tcp, self.udp):
            ListeningService("127.0.0.1:0", Endpoint(), server).setServiceParent(self.echo)
        self.monitor = Monitor(self.clock, self.echo)
        self.monitor.setServiceParent(self.echo.observers)
        self.site = site.StatusSite(self.clock, self.monitor)
        self.echo.startService()
        self.site.startFactory()
        self.client = Client(self.site)


class SiteTests(StatusTests):
    """
    Tests for L{site.StatusSite}: whoever asks for whatever.
    """

    def test_wrongMethod(self) -> None:
        """
        Who wants to do anything but read is told so, whatever he sends.
        """
        for path in ("/", "/metrics", "/events", "/healthz"):
            for method in ("POST", "PUT", "DELETE", "OPTIONS", "FOO"):
                status, headers, _ = self.client.ask(path, method)
                self.assertEqual((status, headers["Allow"]), (405, "GET, HEAD"))

    def test_wrongPath(self) -> None:
        """
        There is nothing at any other path, above or below.
        """
        for path in ("/x", "/metrics/", "/metrics/x", "//", "/../etc/passwd", "/%00", "/app"):
            for method in ("GET", "HEAD", "POST"):
                self.assertEqual(self.client.ask(path, method)[0], 404, path)

    def test_absolute(self) -> None:
        """
        Who asks as one asks a proxy, with the whole address, is answered likewise.
        """
        for address in ("http://x/healthz", "HTTPS://x:8000/healthz?y", "http:///healthz"):
            self.assertEqual(self.client.ask(address)[::2], (200, "ok\n"))
        for address in ("http://x", "http://x?y"):
            self.assertEqual(self.client.ask(address)[::2], self.client.ask("/")[::2])
        for address in ("http://x/y", "ftp://x/healthz", "http:/healthz"):
            self.assertEqual(self.client.ask(address)[0], 404, address)

    def test_head(self) -> None:
        """
        Of everything the head can be had alone, and is the same.
        """
        for path in ("/", "/metrics", "/healthz", "/readyz", "/status.json", "/x"):
            with logged() as lines:
                full, alone = [self.client.ask(path, method) for method in ("GET", "HEAD")]
            self.assertEqual(full[0], alone[0])
            self.assertEqual(full[1].keys(), alone[1].keys())
            self.assertEqual(alone[2], "")
            self.assertEqual(lines, [])
        status, headers, body = self.client.ask("/events", "HEAD")
        self.assertEqual(
            (status, headers["Content-Type"], body), (200, "text/event-stream", "")
        )
        self.assertEqual(len(self.monitor.listeners), 0)

    def test_headers(self) -> None:
        """
        Every answer forbids the browser what the page does without.
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

    def test_body(self) -> None:
        """
        What comes with a request is forgotten, and the next one is answered.
        """
        size = 1 << 20
        self.client.send(
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        )
        (request,) = self.client.channel.requests
        # No file on a disk, as it would be otherwise.
        self.assertIsInstance(request.content, BytesIO)
        for _ in range(16):
            self.assertEqual(request.content.read(), b"")
            answer = self.client.send(b"x" * (size // 16))
        self.assertTrue(answer.startswith(b"HTTP/1.1 405 "), answer)
        self.assertEqual(self.client.ask("/healthz")[0], 200)

    def test_manyAtOnce(self) -> None:
        """
        Of many requests that come in one piece one is answered in each turn of
        the reactor, and none while the answers are not read.
        """
        request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(self.client.send(request * 5).count(b"ok\n"), 1)
        turn(self.clock)
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 2)
        self.client.channel.pauseProducing()
        turn(self.clock)
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 2)
        self.client.channel.resumeProducing()
        self.client.lose()
        self.assertEqual(self.client.transport.value().count(b"ok\n"), 3)
        client = Client(self.site)
        client.send(request * 3)
        turn(self.clock)
        turn(self.clock)
        self.assertEqual(client.transport.value().count(b"ok\n"), 3)
        self.assertEqual(client.send(request).count(b"ok\n"), 1)

    def test_giantHeaders(self) -> None:
        """
        A giant header, and headers without number, are refused, and the end.
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
        What is no HTTP is a bad request, and the end.
        """
        answer = self.client.send(b"\x16\x03\x01\x02\r\n\r\n")
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer)
        self.assertTrue(self.client.transport.disconnecting)

    def test_slowClient(self) -> None:
        """
        A request that is not there in time is late, however it trickles in.
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
        Who asks for nothing for as long is left, without a word; if he does not
        leave, at once.
        """
        self.client.ask("/healthz")
        self.client.transport.clear()
        with logged() as lines:
            self.clock.advance(site.REQUEST_TIME)
            self.assertTrue(self.client.transport.disconnecting)
            self.assertFalse(self.client.transport.aborted)
            self.clock.advance(site.Channel.abortTimeout)
        self.assertTrue(self.client.transport.aborted)
        self.assertEqual(self.client.transport.value(), b"")
        self.assertEqual(lines, [])

    def test_connections(self) -> None:
        """
        There are so many connections, and no more until one is over.
        """
        clients = [self.client] + [Client(self.site) for _ in range(STATUS_CONNECTIONS - 1)]
        self.assertIsNone(self.site.buildProtocol(PEER))
        clients[5].lose()
        self.assertEqual(Client(self.site).ask("/healthz")[0], 200)

    def test_quiet(self) -> None:
        """
        That somebody looks is not logged.
        """
        with logged() as lines:
            self.client.ask("/")
        self.assertEqual(lines, [])
        self.assertEqual(self.site.logPrefix(), "HTTP status")

    def test_drain(self) -> None:
        """
        When the site stops, the connections are closed.
        """
        self.successResultOf(self.site.drain())
        self.assertTrue(self.client.transport.disconnecting)


class ResourcesTests(StatusTests):
    """
    What there is at each path.
    """

    def test_page(self) -> None:
        """
        The page is made of what is served here.
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
        The process answers, also while it drains.
        """
        connect(self.tcp)
        self.assertEqual(self.client.ask("/healthz")[::2], (200, "ok\n"))
        self.echo.stopService()
        self.assertEqual(self.client.ask("/healthz")[::2], (200, "ok\n"))

    def test_readiness(self) -> None:
        """
        Peers may come for as long as everything listens; else it says why not.
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

    def test_everything(self) -> None:
        """
        All that the page shows can be had as JSON.
        """
        status, headers, body = self.client.ask("/status.json")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(json.loads(body), json.loads(self.monitor.full))


class MetricsTests(StatusTests):
    """
    Tests for L{echod.status.metrics}.
    """

    def metrics(self) -> dict[str, float]:
        """
        @return: The samples, as they are written, without their addresses.
        """
        _, _, body = self.client.ask("/metrics")
        samples = {}
        for family in text_string_to_metric_families(body):
            self.assertTrue(family.documentation)
            for sample in family.samples:
                labels = [sample.labels.pop("service", ""), sample.labels.pop("address", "")]
                names = [sample.name, labels[0], *sample.labels.values()]
                samples[" ".join(filter(None, names))] = sample.value
        return samples

    def test_sessions(self) -> None:
        """
        What sessions have done is counted, open ones included.
        """
        (first, transport), (second, _) = connect(self.tcp), connect(self.tcp)
        first.dataReceived(b"hello")
        second.dataReceived(b"b")
        self.tcp.refusals.add(DENIED, "192.0.2.1:40000")
        self.clock.advance(0.05)
        transport.connectionDone()
        metrics = self.metrics()
        for name, value in {
            "echod_listening TCP echo": 1,
            "echod_received_bytes_total TCP echo": 6,
            "echod_returned_bytes_total TCP echo": 5,
            "echod_connections TCP echo": 1,
            "echod_connections_accepted_total TCP echo": 2,
            f"echod_connections_refused_total TCP echo {DENIED}": 1,
            "echod_sessions_ended_total TCP echo closed by peer": 1,
            "echod_session_duration_seconds_count TCP echo": 1,
            "echod_session_duration_seconds_sum TCP echo": 0.05,
            "echod_session_duration_seconds_bucket TCP echo 0.01": 0,
            "echod_session_duration_seconds_bucket TCP echo 0.1": 1,
            "echod_session_duration_seconds_bucket TCP echo +Inf": 1,
        }.items():
            self.assertEqual(metrics[name], value, name)

    def test_workers(self) -> None:
        """
        Workers are counted, and what the system knows of each has its label; of a
        single process it has none.
        """
        metrics = self.metrics()
        self.assertEqual(
            (metrics["echod_workers"], metrics["echod_worker_deaths_total"]), (0, 0)
        )
        self.assertNotIn("process_open_fds 2", metrics)
        workers = [
            {"worker": "1", "process": 0, "serves": False},
            {"worker": "2", "process": os.getpid(), "serves": True},
        ]
        self.patch(Monitor, "workers", workers)
        self.patch(Monitor, "deaths", 3)
        metrics = self.metrics()
        self.assertEqual(
            (metrics["echod_workers"], metrics["echod_worker_deaths_total"]), (1, 3)
        )
        for labels in ("", " 2"):
            self.assertGreater(metrics[f"process_open_fds{labels}"], 0)
        self.assertNotIn("process_open_fds 1", metrics)

    def test_datagrams(self) -> None:
        """
        What became of datagrams is counted.
        """
        self.udp.received, self.udp.answered = 12, 2
        self.udp.refuse("reason", ("192.0.2.1", 7), 4)
        metrics = self.metrics()
        for name, value in {
            "echod_received_bytes_total UDP echo": 12,
            "echod_returned_bytes_total UDP echo": 8,
            "echod_datagrams_received_total UDP echo": 3,
            "echod_datagrams_answered_total UDP echo": 2,
            "echod_datagrams_refused_total UDP echo reason": 1,
        }.items():
            self.assertEqual(metrics[name], value, name)

    def test_impaired(self) -> None:
        """
        What was done on purpose is counted by kind.
        """
        self.assertNotIn("echod_impaired_total", " ".join(self.metrics()))
        impaired = ImpairedUDPEchoProtocol(
            self.clock, impairments=DatagramImpairments.parse("drop=100%")
        )
        ListeningService("127.0.0.1:0", Endpoint(), impaired).setServiceParent(self.echo)
        for _ in range(3):
            impaired.datagramReceived(b"lost", ("192.0.2.1", 40000))
        metrics = self.metrics()
        self.assertEqual(metrics["echod_impaired_total UDP echo drop"], 3)
        self.assertEqual(metrics["echod_datagrams_received_total UDP echo"], 0)

    def test_process(self) -> None:
        """
        There is what runs, how late it is, and what it costs.
        """
        self.clock.advance(1.25)
        metrics = self.metrics()
        self.assertEqual(metrics["echod_draining"], 0)
        self.assertEqual(metrics["echod_reactor_lag_seconds_sum"], 0.25)
        self.assertEqual(metrics["echod_reactor_lag_seconds_bucket 0.1"], 0)
        self.assertEqual(metrics["echod_reactor_lag_seconds_bucket 0.25"], 1)
        self.assertEqual(
            len([name for name in metrics if name.startswith("echod_build_info")]), 1
        )
        self.assertIn("process_cpu_seconds_total", metrics)

    def test_draining(self) -> None:
        """
        That echod is about to stop shows.
        """
        connect(self.tcp)
        self.echo.stopService()
        metrics = self.metrics()
        self.assertEqual(metrics["echod_draining"], 1)
        self.assertEqual(metrics["echod_listening TCP echo"], 0)

    def test_formats(self) -> None:
        """
        Who likes OpenMetrics gets that.
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
        Who likes what makes no sense gets what everybody gets.
        """
        for accept in (
            "\xff",
            "application/openmetrics-text;version=x",
            "text/plain;version=x",
        ):
            status, answer, _ = self.client.ask("/metrics", Accept=accept)
            self.assertEqual(status, 200)
            self.assertTrue(answer["Content-Type"].startswith("text/plain"), answer)


class EventsTests(StatusTests):
    """
    Tests for L{echod.status.events}.
    """

    def watch(self) -> Client:
        """
        @return: A viewer.
        """
        client = Client(self.site)
        client.send(b"GET /events HTTP/1.0\r\n\r\n")
        return client

    def seen(self, client: Client) -> list[str]:
        """
        @return: The kinds of events that came.
        """
        shown = client.transport.value().decode().rpartition("\r\n")[2]
        client.transport.clear()
        kinds = []
        for event in shown.split("\n\n")[:-1]:
            kind, data = event.split("\n")
            self.assertTrue(json.loads(data.removeprefix("data: "))["services"])
            kinds.append(kind.removeprefix("event: "))
        return kinds

    def test_events(self) -> None:
        """
        A viewer sees everything, and from then on what is new.
        """
        viewers = [self.watch() for _ in range(2)]
        self.clock.pump([1, 1])
        for viewer in viewers:
            self.assertEqual(self.seen(viewer), ["full", "latest", "latest"])

    def test_oneSnapshot(self) -> None:
        """
        All viewers see the same, which is made once.
        """
        viewers = [self.watch() for _ in range(2)]
        for viewer in viewers:
            viewer.transport.clear()
        self.clock.advance(1)
        expected = b"event: latest\ndata: " + self.monitor.latest + b"\n\n"
        self.assertEqual([viewer.transport.value() for viewer in viewers], [expected] * 2)

    def test_leaves(self) -> None:
        """
        Nothing is kept of a viewer who has left.
        """
        viewer = self.watch()
        self.assertEqual(len(self.monitor.listeners), 1)
        viewer.lose()
        self.assertEqual(len(self.monitor.listeners), 0)

    def test_manyViewers(self) -> None:
        """
        However many want to view, there is room for others.
        """
        for _ in range(routes.VIEWERS):
            self.watch()
        self.assertEqual(
            self.client.ask("/events")[::2], (503, "There are too many viewers.\n")
        )
        self.assertEqual(self.client.ask("/healthz")[0], 200)

    def test_slowViewer(self) -> None:
        """
        A viewer who does not keep up is passed over, and sees everything again
        when he does.
        """
        viewer = self.watch()
        self.seen(viewer)
        viewer.channel.pauseProducing()
        self.clock.pump([1, 1])
        self.assertEqual(self.seen(viewer), [])
        viewer.channel.resumeProducing()
        self.clock.pump([1, 1])
        self.assertEqual(self.seen(viewer), ["full", "latest"])

    def test_deadViewer(self) -> None:
        """
        A viewer who does not keep up at all is cut.
        """
        viewer = self.watch()
        viewer.channel.pauseProducing()
        self.clock.pump([1] * events.PATIENCE)
        self.assertFalse(viewer.transport.aborted)
        self.clock.advance(1)
        self.assertTrue(viewer.transport.aborted)
        viewer.channel.stopProducing()
