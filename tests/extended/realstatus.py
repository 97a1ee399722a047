"""
Tests of the status with a real browser and a real Prometheus.  They take a
minute, and programs of 500 MB, so C{make test-all} runs them.
"""

from __future__ import annotations

import contextlib
import json
import resource
import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from socket import gethostname
from subprocess import DEVNULL, Popen, run
from time import monotonic, sleep
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from tests.client.test_main import echoc
from tests.support import lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.prometheus import DEPLOY

try:
    from playwright.sync_api import (  # type: ignore[import-not-found,unused-ignore]
        expect,
        sync_playwright,
    )
except ModuleNotFoundError:
    sync_playwright = None  # type: ignore[assignment,unused-ignore]

MANY = 10000


class Observed:
    """
    An echod whose status can be seen.
    """

    def __init__(self, test: SynchronousTestCase, port: int = 0, *arguments: str) -> None:
        self.daemon = Daemon("--tcp", "0", "--udp", "0", f"--status={port}", *arguments)
        match = self.daemon.expect(r"HTTP status listens on (127\.0\.0\.1:(\d+))")
        self.address, self.port = match[1], int(match[2])
        test.addCleanup(self.stop)

    def stop(self) -> None:
        """
        End it, unless it has ended.
        """
        if self.daemon.process.poll() is None:
            self.daemon.stop()

    def connect(self) -> socket.socket:
        """
        @return: A new session.
        """
        return socket.create_connection(self.daemon.tcp, PATIENCE)

    def echo(self, message: bytes) -> None:
        """
        Have something echoed.
        """
        with self.connect() as client:
            client.sendall(message)
            received = b""
            while len(received) < len(message):
                received += client.recv(1 << 16)
            assert received == message


class PageTests(SynchronousTestCase):
    """
    The page, in Chromium.
    """

    def setUp(self) -> None:
        if sync_playwright is None:
            lacking("playwright")
        stack = ExitStack()
        self.addCleanup(stack.close)
        driver = stack.enter_context(sync_playwright())
        self.browser = driver.chromium.launch(
            executable_path=program("chromium"),
            args=["--no-sandbox", "--host-resolver-rules=MAP evil.example 127.0.0.1"],
        )
        stack.callback(self.browser.close)
        self.complaints: list[str] = []

    def open(self, observed: Observed, **options: Any) -> Any:
        """
        @return: The page.
        """
        page = self.browser.new_page(**options)
        page.set_default_timeout(PATIENCE * 1000)
        expect.set_options(timeout=PATIENCE * 1000)
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.goto(f"http://{observed.address}/")
        expect(page.get_by_role("status")).to_have_text("ready")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"echod on {gethostname()}")
        return page

    def test_sessions(self) -> None:
        """
        A session appears with its peer, its bytes are counted, and it goes, to
        be found among those that have ended.
        """
        observed = Observed(self)
        page = self.open(observed)
        sessions = page.get_by_role("table", name="All of them, the busiest first")
        expect(sessions).to_contain_text("Nobody is connected.")
        with observed.connect() as client:
            client.sendall(b"x" * 1500)
            host, port = client.getsockname()
            row = sessions.get_by_role("row").filter(has_text=f"{host}:{port}")
            expect(row).to_contain_text("1.50 kB")
            client.sendall(b"\nbye\n")
        expect(sessions).to_contain_text("Nobody is connected.")
        ended = page.get_by_role("table", name="Since the start", exact=True)
        expect(ended.get_by_role("row").nth(1)).to_contain_text("goodbye")
        self.assertEqual(self.complaints, [])

    def test_plot(self) -> None:
        """
        The plot shows the traffic, and moves.
        """
        observed = Observed(self)
        page = self.open(observed)
        plot = page.get_by_role("img", name="TCP echo")
        observed.echo(b"x" * 1000000)
        expect(plot).not_to_have_accessible_name("0 B/s at most")
        line = plot.locator("path.out")
        shown = [line.get_attribute("d")]
        for _ in range(2):
            expect(line).not_to_have_attribute("d", shown[-1])
            shown.append(line.get_attribute("d"))
        peak = page.locator("article").first.locator(".peak")
        expect(peak).to_contain_text("B/s")
        self.assertNotEqual(peak.text_content(), "peak 0 B/s")
        self.assertEqual(self.complaints, [])

    def test_foreignName(self) -> None:
        """
        A page that has another site's name for echod shows why it gets nothing.
        """
        observed = Observed(self)
        page = self.browser.new_page()
        answer = page.goto(f"http://evil.example:{observed.port}/")
        assert answer is not None
        self.assertEqual(answer.status, 421)
        expect(page.locator("body")).to_contain_text("is not one of this machine")

    def test_markup(self) -> None:
        """
        The page takes nothing that a peer sends for HTML.
        """
        observed = Observed(self, 0, "--show-messages")
        page = self.open(observed)
        scripts = page.locator("script").count()
        observed.echo(b"<script>alert(1)</script><img src=x onerror=alert(2)>\n")
        ended = page.get_by_role("table", name="Since the start", exact=True)
        expect(ended).to_contain_text("closed by peer")
        self.assertEqual(page.locator("script").count(), scripts)
        self.assertEqual(page.locator("img[src]").count(), 0)
        self.assertEqual(self.complaints, [])

    def test_impaired(self) -> None:
        """
        The page warns of impairments and counts them; without impairments it does not
        mention them.
        """
        page = self.open(Observed(self))
        expect(page.locator("article")).to_have_count(2)
        expect(page.locator("#impairment")).to_be_hidden()
        observed = Observed(self, 0, "--impair", "tcp:refuse=100%,seed=7")
        page = self.open(observed)
        impaired = page.get_by_role("region", name="Impaired on purpose")
        expect(impaired).to_contain_text("refuse=100%,seed=7")
        expect(impaired).to_contain_text("Nothing yet.")
        with observed.connect() as client:
            self.assertEqual(client.recv(1), b"")
        row = impaired.get_by_role("row").nth(1)
        expect(row).to_contain_text("refuse")
        self.assertIn("IMPAIRED", page.title())
        self.assertEqual(self.complaints, [])

    def test_policy(self) -> None:
        """
        Markup that got into the page all the same would run nothing.
        """
        page = self.open(Observed(self))
        with page.expect_console_message(lambda said: "Security Policy" in said.text):
            page.evaluate(
                "document.querySelector('h1').insertAdjacentHTML('beforeend',"
                " '<img src=x onerror=\"document.title = 1\">')"
            )
        self.assertNotEqual(page.title(), "1")

    def test_restart(self) -> None:
        """
        A daemon that is gone is missed, and found again when it is back.
        """
        observed = Observed(self)
        page = self.open(observed)
        observed.echo(b"hello")
        expect(page.locator("article").first).to_contain_text("5 B")
        observed.stop()
        expect(page.get_by_role("status")).to_contain_text("lost the daemon")
        self.assertIn("lost", page.title())
        observed = Observed(self, observed.port)
        expect(page.get_by_role("status")).to_have_text("ready")
        expect(page.locator("article").first).to_contain_text(str(observed.daemon.tcp[1]))
        expect(page.locator("article").first).not_to_contain_text("5 B")

    def test_many(self) -> None:
        """
        With thousands of sessions the page is as usable as with one.
        """
        needed = MANY + 1000
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < needed:
            lacking(f"{needed} open files")
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        observed = Observed(self)
        with ExitStack() as stack:
            clients = [stack.enter_context(observed.connect()) for _ in range(MANY)]
            page = self.open(observed)
            expect(page.locator("#open")).to_have_text(f"{MANY:,}")
            clients[77].sendall(b"x" * 1000)
            port = clients[77].getsockname()[1]
            first = page.locator("#sessions tbody tr").first
            expect(first).to_contain_text(f"127.0.0.1:{port}")
            self.assertEqual(page.locator("#sessions tbody tr").count(), 50)
            page.get_by_label("newest").check()
            newest = clients[-1].getsockname()[1]
            expect(page.locator("#sessions")).to_contain_text(f"127.0.0.1:{newest}")
            # The time that the page needs for the news of one second.
            cost = page.evaluate(
                """() => {
                    const began = performance.now();
                    for (let i = 0; i < 100; i++) show();
                    return (performance.now() - began) / 100;
                }"""
            )
            print(f"\n{MANY} sessions: {cost:.2f} ms of the page for a second's news")

    def test_phone(self) -> None:
        """
        On a phone nothing sticks out.
        """
        observed = Observed(self)
        with observed.connect():
            page = self.open(observed, viewport={"width": 360, "height": 740})
            expect(page.locator("#open")).to_have_text("1")
            self.assertLessEqual(page.evaluate("document.documentElement.scrollWidth"), 360)

    def test_pause(self) -> None:
        """
        A reader can stop the updates.
        """
        observed = Observed(self)
        page = self.open(observed)
        page.get_by_role("button", name="Pause").click()
        with observed.connect():
            page.wait_for_timeout(2500)
            self.assertEqual(page.locator("#open").text_content(), "0")
            page.get_by_role("button", name="Pause").click()
            expect(page.locator("#open")).to_have_text("1")


class ClientTests(SynchronousTestCase):
    """
    Clients that mean no good.
    """

    def test_badClients(self) -> None:
        """
        HTTP clients that send too little, too much or nonsense, or do not read, slow down
        neither the echo nor other viewers.
        """
        observed = Observed(self)
        viewer = b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n"
        for data in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nX: " + b"x" * 99999, b"\0", viewer):
            for _ in range(10):
                client = socket.create_connection(("127.0.0.1", observed.port), PATIENCE)
                self.addCleanup(client.close)
                # The server may have refused this client already.
                with contextlib.suppress(ConnectionError):
                    client.sendall(data)
        observed.echo(b"x" * 1000000)
        with urlopen(f"http://{observed.address}/healthz", timeout=PATIENCE) as answer:
            self.assertEqual(answer.read(), b"ok\n")


class PrometheusTests(SynchronousTestCase):
    """
    The metrics, in Prometheus.
    """

    def prometheus(self, jobs: Mapping[str, str], rules: Sequence[Path] = ()) -> str:
        """
        Start Prometheus.

        @param jobs: The address of the target of each job.

        @return: Its address.
        """
        directory = temporaryDirectory(self)
        config = directory / "prometheus.yml"
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": [str(path) for path in rules],
                    "scrape_configs": [
                        {"job_name": name, "static_configs": [{"targets": [target]}]}
                        for name, target in jobs.items()
                    ],
                }
            )
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        process = Popen(
            [
                *(program("prometheus"), f"--config.file={config}"),
                *(f"--web.listen-address={address}", f"--storage.tsdb.path={directory}/data"),
            ],
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return address

    def ask(self, address: str, path: str) -> Any:
        """
        @return: The answer of Prometheus; empty while it starts.
        """
        try:
            with urlopen(f"http://{address}/api/v1/{path}") as answer:
                return json.load(answer)["data"]
        except URLError:
            return {}

    def query(self, address: str, query: str) -> list[str]:
        """
        @return: The values of an expression.
        """
        data = self.ask(address, f"query?query={quote(query)}")
        return [one["value"][1] for one in data.get("result", ())]

    def expect(self, address: str, query: str, *values: str) -> None:
        """
        Wait until an expression has these values.
        """
        deadline = monotonic() + PATIENCE
        while (found := self.query(address, query)) != [*values] and monotonic() < deadline:
            sleep(0.2)
        self.assertEqual(found, [*values], query)

    def test_scraped(self) -> None:
        """
        Prometheus scrapes the metrics, and knows how many bytes were sent.
        """
        observed = Observed(self)
        observed.echo(b"x" * 12345)
        address = self.prometheus({"echod": observed.address})
        self.expect(address, 'echod_received_bytes_total{service="TCP echo"}', "12345")
        self.assertEqual(self.query(address, 'up{job="echod"}'), ["1"])

    def test_alerts(self) -> None:
        """
        Prometheus evaluates all alert rules, and notices a target of C{echoc watch} that is
        down, but no fault of the target that is up.
        """
        observed = Observed(self)
        client = echoc("watch", "--metrics=127.0.0.1:0", "[::1]:9", str(observed.daemon.udp[1]))
        self.addCleanup(client.communicate, timeout=PATIENCE)
        self.addCleanup(client.terminate)
        assert client.stdout is not None
        watched = client.stdout.readline().split("/")[2]
        rules = sorted(DEPLOY.glob("prometheus/*.yaml"))
        jobs = {"echod": observed.address, "echoc-watch": watched}
        address = self.prometheus(jobs, rules)
        self.expect(address, 'count(ALERTS{alertname="EchocTargetDown"})', "1")
        groups = self.ask(address, "rules")["groups"]
        found = [rule for group in groups for rule in group["rules"]]
        self.assertEqual({rule["health"] for rule in found}, {"ok"})
        alerts = {
            alert["labels"]["alertname"]: alert
            for rule in found
            for alert in rule.get("alerts", ())
        }
        self.assertEqual(alerts.keys(), {"EchocTargetDown", "EchocTargetLoses"})
        for alert in alerts.values():
            self.assertEqual(alert["labels"]["target"], "[::1]:9")
            self.assertIn("[::1]:9", alert["annotations"]["summary"])

    def test_watchLint(self) -> None:
        """
        C{promtool} finds no fault in the metrics of C{echoc watch}.
        """
        client = echoc("watch", "--metrics=127.0.0.1:0", "[::1]:9")
        self.addCleanup(client.communicate, timeout=PATIENCE)
        self.addCleanup(client.terminate)
        assert client.stdout is not None
        self.lint(client.stdout.readline().split()[1])

    def lint(self, url: str) -> None:
        """
        Check that C{promtool} finds no fault in metrics.
        """
        with urlopen(url) as metrics:
            result = run(
                [program("promtool"), "check", "metrics"],
                input=metrics.read(),
                capture_output=True,
            )
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, b"", b""))

    def test_lint(self) -> None:
        """
        C{promtool} has nothing to say about the metrics.
        """
        observed = Observed(self)
        observed.echo(b"hello\nbye")
        self.lint(f"http://{observed.address}/metrics")
