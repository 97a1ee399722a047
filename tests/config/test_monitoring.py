"""
Tests for L{echod.config.monitoring}.
"""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from math import inf

from twisted.trial.unittest import SynchronousTestCase

from echod.config.addresses import statusAddress
from echod.limits.capacity import SESSION_LINES
from echod.limits.descriptors import SPARE, openDescriptors, openFilesLimit
from echod.net.extras import needed
from echod.tap import makeService
from tests.support import lacking
from tests.support.config import options
from tests.support.status import Client
from tests.support.workers import ProcessReactor


class StatusTests(SynchronousTestCase):
    """
    Tests for C{--status}.
    """

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")

    def test_pages(self) -> None:
        """
        The status page listens on the given addresses, on loopback if only a port is
        given, and within the capacity for status pages.
        """
        service = makeService(options("--status=8000", "--status=unix:/run/echod.http"))
        monitor, first, second = list(service.observers)
        self.assertEqual(
            [(each.server.service, each.address) for each in (first, second)],
            [("HTTP status", "127.0.0.1:8000"), ("HTTP status", "unix:/run/echod.http")],
        )
        self.assertEqual(len(monitor.services), 3)
        for page in (first, second):
            self.assertIs(page.server.capacity, service.room.page)
        service.room.measure()
        rest = service.room.connections.most + 2 * service.room.page.most
        self.assertEqual(rest, int(openFilesLimit()) - openDescriptors() - SPARE)

    def test_names(self) -> None:
        """
        The page is served for the names of the machine, of the address and of
        C{--status-name}, and for no other name with a dot.
        """
        names = ["--status-name=Echod.Example", "--status-name=b.example"]
        service = makeService(options("--status=here.example:8000", *names))
        *_, site = list(service.observers)
        machine = f"{socket.gethostname().partition('.')[0]}.local"
        for host, status in (
            *((machine, b"200"), ("here.example", b"200"), ("echod.example", b"200")),
            *(("b.example:8000", b"200"), ("c.example", b"421")),
        ):
            head = f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
            answer = Client(site.server).send(head)
            self.assertTrue(answer.startswith(b"HTTP/1.1 %b " % status), host)

    def test_proxyNote(self) -> None:
        """
        The log shows that a status page expects PROXY headers.
        """
        service = makeService(options("--tcp=0", "--status=haproxy:0"))
        *_, page = list(service.observers)
        self.assertIn("expects a PROXY header, from everyone", page.note)

    def test_missingPackage(self) -> None:
        """
        If a package that the page needs is missing, the message says how to install it.
        """
        error = self.assertRaises(ValueError, statusAddress, "8000", lambda name: None)
        self.assertEqual(str(error), needed("status"))


class LogTests(SynchronousTestCase):
    """
    Tests for C{--session-log} and C{--session-lines}.
    """

    def test_none(self) -> None:
        """
        Without the options, there is no status page and no session log.
        """
        self.assertEqual(list(makeService(options()).observers), [])

    def test_sessionLog(self) -> None:
        """
        The session log is a file, wherever the daemon goes to, and with it the
        datagrams of each source are counted.  It is reopened with the service.
        """
        parsed = options("--udp=0", "--session-log=log")
        self.assertEqual(parsed.config.sessionLog, os.path.abspath("log"))
        service = makeService(parsed)
        (udp,), (log,) = list(service), list(service.observers)
        self.assertIsNotNone(udp.server.sources)
        self.assertEqual(service.onReopen, [log.reopen])

    def test_sessionLines(self) -> None:
        """
        The rate of log lines about sessions is that of the option; the workers share it.
        """
        for arguments, rate in (
            ([], SESSION_LINES),
            (["--session-lines=0"], 0),
            (["--session-lines=7"], 7),
            (["--session-lines=7", "--workers=2"], 3.5),
            (["--session-lines=all", "--workers=2"], inf),
        ):
            parsed = options("--tcp=0", *arguments, reactor=ProcessReactor())
            (service,) = makeService(parsed).listening
            self.assertEqual(service.server.limits.sessionLines, rate)  # type: ignore[attr-defined]
