"""
Tests of the status and the session log of a real daemon.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from http.client import HTTPConnection
from importlib.util import find_spec
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon, twistd


class StatusDaemonTests(SynchronousTestCase):
    """
    The HTTP status and the session log of a daemon.
    """

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        self.path = temporaryDirectory(self) / "log"
        self.daemon = Daemon(
            *("--tcp", "0", "--udp", "0", "--status", "0"), f"--session-log={self.path}"
        )
        self.addCleanup(self.end)
        match = self.daemon.expect(r"HTTP status listens on 127\.0\.0\.1:(\d+)")
        self.port = int(match[1])
        self.client = self.connect(socket.SOCK_STREAM)

    def end(self) -> None:
        """
        End the daemon, unless it has ended.
        """
        if self.daemon.process.poll() is None:
            self.daemon.stop()

    def connect(self, kind: int) -> socket.socket:
        """
        @return: A connection to an echo that has returned a first message.
        """
        client = socket.socket(socket.AF_INET, kind)
        self.addCleanup(client.close)
        client.settimeout(PATIENCE)
        client.connect(self.daemon.tcp if kind == socket.SOCK_STREAM else self.daemon.udp)
        client.sendall(b"hello\n")
        self.assertEqual(client.recv(100), b"hello\n")
        return client

    def ask(self, path: str) -> tuple[int, str]:
        """
        @return: The status and the body of an answer.
        """
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def await_(self, path: str, expected: tuple[int, str]) -> None:
        """
        Wait until an answer is as expected.
        """
        deadline = monotonic() + PATIENCE
        while (answer := self.ask(path)) != expected and monotonic() < deadline:
            pass
        self.assertEqual(answer, expected)

    def test_fromStartToEnd(self) -> None:
        """
        The status answers while echod runs and while it drains; sessions are in the
        session log, which is opened again on the signal.
        """
        self.connect(socket.SOCK_DGRAM)
        label = f'{{address="127.0.0.1:{self.daemon.tcp[1]}",service="TCP echo"}}'
        self.assertIn(f"echod_received_bytes_total{label} 6.0\n", self.ask("/metrics")[1])
        self.assertEqual(self.ask("/readyz"), (200, "ready\n"))
        self.path.unlink()
        os.kill(self.daemon.process.pid, signal.SIGUSR1)
        self.daemon.process.terminate()
        self.await_(
            "/readyz",
            (
                503,
                f"TCP echo on 127.0.0.1:{self.daemon.tcp[1]} is draining\n"
                f"UDP echo on 127.0.0.1:{self.daemon.udp[1]} is stopped\n",
            ),
        )
        self.assertEqual(self.ask("/healthz"), (200, "ok\n"))
        self.assertEqual(self.client.recv(1), b"")
        self.client.close()
        self.daemon.stop()
        records = [json.loads(line) for line in self.path.read_text().splitlines()]
        self.assertIn("drained", [record.get("outcome") for record in records])
        log = "".join(self.daemon.log)
        self.assertNotIn("starting on", log)
        self.assertNotIn("Traceback", log)
        self.assertIn("] limits: ", log)


class SessionLogDaemonTests(SynchronousTestCase):
    """
    A session log that cannot be written.
    """

    def test_unwritable(self) -> None:
        """
        A file that cannot be opened is one line in the log, and exit status 1.
        """
        result = twistd("echod", "--tcp=0", "--session-log=/dev/null/log")
        lines = [line for line in result.stdout.splitlines() if "/dev/null/log" in line]
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(lines), 1, result.stdout)
        self.assertIn("cannot write /dev/null/log: Not a directory", lines[0])
        self.assertNotIn("Traceback", result.stdout + result.stderr)
