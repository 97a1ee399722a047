"""
A test that a running daemon loads nothing: after C{--chroot} or C{--uid} it may not be able
to read Python's files.
"""

from __future__ import annotations

import contextlib
import re
import signal
import socket
from importlib.util import find_spec

from twisted.trial.unittest import SynchronousTestCase

from tests.support import lacking, temporaryDirectory
from tests.support.daemon import NO_TERMINAL, PATIENCE, Daemon
from tests.support.load import wait
from tests.support.tls import TLSClient, makeCertificate

REPORT_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""
Have Python write a line for each module and each codec that it loads.
"""

SERVES = "reactor class: "
"""
twistd logs this when it has read the command line, and then changes root directory and
user.
"""

MESSAGES = (b"hello\n", b"\xff\x01\x1b\xe2\x80\xae\n", b"by", b"bye\n")

PROXY_HEADERS = (
    b"PROXY TCP4 192.0.2.1 127.0.0.1 1234 8080\r\n",
    b"PROXY TCP6 ::1 ::1 1 2\r\n",
    # Version 2, with two names of UNIX sockets.
    b"\r\n\r\n\0\r\nQUIT\n\x21\x31\x00\xd8" + b"\x01".ljust(108, b"\0") * 2,
    b"nonsense\r\n",
)

PATHS = ("/", "/metrics", "/healthz", "/readyz", "/status.json", "/events", "/nothing")


class LateImportTests(SynchronousTestCase):
    """
    A daemon with all that it can serve.
    """

    def setUp(self) -> None:
        if not (find_spec("OpenSSL") and find_spec("prometheus_client")):
            lacking("the tls and status extras")
        self.directory = temporaryDirectory(self)
        self.log = self.directory / "sessions"

    def serve(self, *more: str) -> Daemon:
        """
        @return: A daemon that serves.
        """
        key = makeCertificate(self.directory / "key.pem")
        daemon = Daemon(
            *(
                "--greeting=127.0.0.1:0",
                "--tcp=127.0.0.1:0",
                f"--tcp=ssl:0:interface=127.0.0.1:privateKey={key}",
            ),
            *(
                f"--tcp=unix:{self.directory / 'socket'}",
                "--tcp=haproxy:127.0.0.1:0",
                "--udp=127.0.0.1:0",
            ),
            *("--show-messages", f"--session-log={self.log}", "--drain-timeout=600"),
            *("--status=127.0.0.1:0", *more),
            below=NO_TERMINAL,
            environment=REPORT_IMPORTS,
        )
        self.addCleanup(daemon.stop)
        daemon.expect("HTTP status listens on")
        text = "".join(daemon.log)
        ports = re.findall(r"listens on 127\.0\.0\.1:(\d+)$", text, re.M)
        self.greeting, self.tcp, self.tls, self.proxied, self.udp, self.status = map(int, ports)
        return daemon

    def talk(self, port: int, data: bytes, *, tls: bool = False) -> None:
        """
        Send data, and read an answer, whatever it is.
        """
        with (
            socket.create_connection(("127.0.0.1", port), PATIENCE) as client,
            # A refusal may be a reset.
            contextlib.suppress(ConnectionError),
        ):
            peer = TLSClient(client) if tls else client
            peer.sendall(data)
            peer.recv(100)

    def useAll(self) -> None:
        """
        Use everything that the daemon serves.
        """
        self.talk(self.greeting, b"")
        for message in MESSAGES:
            self.talk(self.tcp, message)
            self.talk(self.tls, message, tls=True)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.connect(("127.0.0.1", self.udp))
                client.send(message)
                client.recv(100)
        # No TLS at all.
        self.talk(self.tls, b"hello\n\n\n\n")
        for header in PROXY_HEADERS:
            self.talk(self.proxied, header + b"hello\x01\n")
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.directory / "socket"))
            client.sendall(b"hello\n")
            client.recv(100)
        for path in PATHS:
            for fields in ("", "Accept-Encoding: gzip\r\n"):
                request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
                self.talk(self.status, request.encode())
        self.talk(self.status, b"nonsense\r\n\r\n")

    def stop(self, daemon: Daemon) -> None:
        """
        Reopen the files, reload, drain, and cut a session.
        """
        for number in (signal.SIGUSR1, signal.SIGHUP):
            self.log.rename(self.log.with_suffix(f".{number}"))
            daemon.process.send_signal(number)
            wait(self.log.exists)
        with socket.create_connection(("127.0.0.1", self.tcp), PATIENCE) as client:
            client.sendall(b"hello\n")
            client.recv(100)
            for _ in range(2):
                daemon.process.terminate()
                daemon.expect("stop")
        daemon.stop()

    def test_nothingIsLoaded(self) -> None:
        """
        After the start a daemon loads no module and no codec, whatever it is used for.
        """
        for more in (
            (),
            ("--impair=delay=1ms,jitter=1ms", "--impair=tcp:rate=1MB/s,pieces=1-7"),
        ):
            daemon = self.serve(*more)
            self.useAll()
            self.stop(daemon)
            before, found, after = "".join(daemon.log).partition(SERVES)
            self.assertTrue(found)
            self.assertIn("| echod.tap", before.replace("  ", ""))
            loaded = [
                line.split("|")[-1].strip()
                for line in after.splitlines()
                if "import time:" in line
            ]
            self.assertEqual(loaded, [])
