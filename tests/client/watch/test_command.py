"""
Tests for L{echod.client.watch.command} and L{echod.client.watch.httpserver}.
"""

from __future__ import annotations

import errno
import re
import signal
import socket
from importlib.util import find_spec
from time import monotonic
from typing import Any, NoReturn
from urllib.request import urlopen

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import CannotListenError
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import ClientError, Outcome
from echod.client.options import parseCommandLine
from echod.client.target import Address, Description
from echod.client.watch.command import MISSING, lookUpOf, watch
from echod.client.watch.options import Place
from echod.client.watch.results import Results
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.client.test_commands import CommandTestCase
from tests.client.test_main import echoc
from tests.support import lacking, temporaryDirectory
from tests.support.clients import Steps, reactor
from tests.support.daemon import PATIENCE, Daemon


def get(address: str) -> str:
    """
    @return: The answer to a request.
    """
    with urlopen(address, timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
    return text


class WatchTestCase(CommandTestCase):
    """
    The common parts of the tests.
    """

    def setUp(self) -> None:
        super().setUp()
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")

    @inlineCallbacks
    def watched(self, pattern: str, *arguments: str):  # type: ignore[no-untyped-def]
        """
        Watch until the metrics match a pattern, and stop.

        @return: Fires with the outcome.
        """
        reading, self.run_.stdout = self.pipe()
        done = self.start("watch", "--metrics=127.0.0.1:0", "-i", "0.1", *arguments)
        with open(reading, closefd=False) as printed:
            url = printed.readline().split()[1]
        text = ""
        while not re.search(pattern, text):
            yield deferLater(reactor, 0.1)
            text = yield deferToThread(get, url)
        self.run_.interrupt()
        outcome = yield done
        return outcome


class WatchTests(WatchTestCase):
    """
    Tests for C{echoc watch}, in the reactor of this process.
    """

    @inlineCallbacks
    def test_udp(self) -> Steps:
        """
        The targets are probed by UDP; the end has status 0.
        """
        up, down = self.udp(UDPEchoProtocol(reactor)), self.unused()
        pattern = (
            rf'echoc_up{{protocol="UDP",target="{up}"}} 1.0\n'
            rf'echoc_up{{protocol="UDP",target="{down}"}} 0.0\n(?s:.*)'
            rf'received_total{{protocol="UDP",target="{up}"}} (?:[3-9]|[1-9][0-9])'
            rf'(?s:.*)errors_total{{protocol="UDP",reason="refused",target="{down}"}} [1-9]'
        )
        outcome = yield self.watched(pattern, up, down)
        self.assertEqual(outcome, Outcome(0))

    @inlineCallbacks
    def test_tcp(self) -> Steps:
        """
        The targets are probed by TCP or a UNIX socket, on one connection or on a new one for
        each probe.
        """
        up, down = self.tcp(EchoFactory(reactor)), self.unused()
        path = str(temporaryDirectory(self) / "socket")
        self.listening(reactor.listenUNIX(path, EchoFactory(reactor)))
        pattern = (
            rf'received_total{{protocol="TCP",target="{up}"}} (?:[3-9]|[1-9][0-9])'
            rf'(?s:.*)received_total{{protocol="UNIX",target="unix:{path}"}} [1-9]'
            rf'(?s:.*)lost_total{{protocol="TCP",target="{down}"}} [1-9]'
        )
        for more in ((), ("--anew",)):
            outcome = yield self.watched(pattern, "--tcp", up, f"unix:{path}", down, *more)
            self.assertEqual(outcome, Outcome(0))

    @inlineCallbacks
    def test_wrongDescription(self) -> Steps:
        """
        A wrong endpoint description ends the command at the start, and one line names it.
        """
        outcome = yield self.start("watch", "--metrics=127.0.0.1:0", "--tcp", "7", "foo:bar")
        self.assertEqual(outcome.status, 2)
        self.assertTrue(outcome.message.startswith("foo:bar: "), outcome.message)

    @inlineCallbacks
    def test_inUse(self) -> Steps:
        """
        If the port for the metrics is in use, one line says so.
        """
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            outcome = yield self.start("watch", "--metrics", str(port), self.unused())
        self.assertEqual(outcome.status, 1)
        self.assertIn(f"cannot listen on 127.0.0.1:{port}: Address already", outcome.message)

    @inlineCallbacks
    def test_closedPipe(self) -> Steps:
        """
        If nobody reads what is printed, the command ends.
        """
        reading, self.run_.stdout = self.pipe()
        self.close(reading)
        outcome = yield self.start("watch", "--metrics=127.0.0.1:0", self.unused())
        self.assertEqual(outcome.status, 141)


class MissingTests(SynchronousTestCase):
    """
    Tests without the status extra.
    """

    def test_missing(self) -> None:
        """
        Without C{prometheus_client}, one line says how to install it.
        """

        def importing(name: str) -> NoReturn:
            raise ImportError(name)

        options = parseCommandLine(["watch", "--metrics=0"])
        run: Any = None
        watching = Deferred.fromCoroutine(watch(run, options, importing))  # type: ignore[arg-type]
        problem = self.failureResultOf(watching, ClientError).value
        self.assertEqual(problem.outcome, Outcome(2, MISSING))


class LookUpTests(SynchronousTestCase):
    """
    Tests for L{lookUpOf}.
    """

    def test_names(self) -> None:
        """
        Only names are looked up, not addresses and descriptions.
        """
        options = parseCommandLine(["watch", "--metrics=0"])
        found = [
            lookUpOf(None, options, target) is not None  # type: ignore[arg-type]
            for target in (
                Address("host.example", 7),
                Address("192.0.2.1", 7),
                Address("fe80::1%eth0", 7),
                Description("tls:host:7"),
            )
        ]
        self.assertEqual(found, [True, False, False, False])


class ListeningReactor:
    """
    A reactor that can only listen, and not on all addresses.

    @ivar failures: The errors for these addresses.

    @ivar open: The addresses that are listened on.
    """

    def __init__(self) -> None:
        self.failures: dict[str, OSError] = {}
        self.open: list[tuple[str, int]] = []

    def listenTCP(self, port: int, factory: object, *, interface: str) -> Any:
        """
        Listen, or fail.  Port 0 is another port each time.
        """
        if interface in self.failures:
            raise CannotListenError(interface, port, self.failures[interface])
        listening = ListeningPort(self, interface, port or 40000 + len(self.open))
        self.open.append(listening.address)
        return listening


class ListeningPort:
    """
    A port in memory.
    """

    def __init__(self, reactor: ListeningReactor, host: str, port: int) -> None:
        self.address = (host, port)
        self._reactor = reactor

    def getHost(self) -> IPv4Address:
        """
        @return: Its address.
        """
        return IPv4Address("TCP", *self.address)

    def stopListening(self) -> None:
        """
        Close it.
        """
        self._reactor.open.remove(self.address)


class ServerTests(SynchronousTestCase):
    """
    Tests for L{echod.client.watch.httpserver}, in memory.
    """

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        from echod.client.watch import httpserver

        self.server = httpserver
        self.reactor: Any = ListeningReactor()

    def listen(self, port: int = 9101) -> list[tuple[str, int]]:
        """
        @return: The addresses that are listened on.
        """
        self.server.listen(self.reactor, Place(("127.0.0.1", "::1"), port), None)
        opened: list[tuple[str, int]] = self.reactor.open
        return opened

    def test_thisMachine(self) -> None:
        """
        A port alone is open on both addresses of this machine, and so is a free port.
        """
        self.assertEqual(self.listen(), [("127.0.0.1", 9101), ("::1", 9101)])
        self.reactor.open.clear()
        self.assertEqual(self.listen(0), [("127.0.0.1", 40000), ("::1", 40000)])

    def test_withoutIPv6(self) -> None:
        """
        If the system has no IPv6, IPv4 is enough.
        """
        self.reactor.failures["::1"] = OSError(errno.EADDRNOTAVAIL, "no such address")
        self.assertEqual(self.listen(), [("127.0.0.1", 9101)])

    def test_cannotListen(self) -> None:
        """
        If an address is in use, or the only one is not there, one line says so, and nothing
        stays open.
        """
        for host, place, number, why in (
            ("::1", "[::1]:9101", errno.EADDRINUSE, "in use"),
            ("127.0.0.1", "127.0.0.1:9101", errno.EADDRNOTAVAIL, "no such address"),
        ):
            self.reactor.failures = {host: OSError(number, why)}
            problem = self.assertRaises(ClientError, self.listen)
            message = f"--metrics: cannot listen on {place}: {why}"
            self.assertEqual(problem.outcome, Outcome(1, message))
            self.assertEqual(self.reactor.open, [])

    def test_index(self) -> None:
        """
        The index page shows each target, and takes nothing for HTML.
        """
        one, other = Results("<b>", "UDP"), Results("it:7", "UDP")
        one.miss(1)
        other.up = True
        page = self.server.index([one, other]).decode()
        self.assertIn("<tr><td>&lt;b&gt;<td>1<td>1<td>down\n<tr><td>it:7<td>0<td>0<td>up", page)


class ProgramTests(SynchronousTestCase):
    """
    C{echoc watch} as a program, with a real echod.
    """

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")

    def test_program(self) -> None:
        """
        The program serves the index page, the metrics and the health check until SIGTERM or
        SIGINT, which end it at once with status 0.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            with Daemon("--udp", "0") as daemon:
                client = echoc("watch", "--metrics=127.0.0.1:0", str(daemon.udp[1]))
                self.addCleanup(client.kill)
                assert client.stdout is not None
                url = client.stdout.readline().split()[1]
                self.assertEqual(get(url.replace("metrics", "healthz")), "ok\n")
                self.assertIn(str(daemon.udp[1]), get(url.replace("metrics", "")))
                deadline = monotonic() + PATIENCE
                while not re.search("echoc_up{.*} 1.0", text := get(url)):
                    self.assertLess(monotonic(), deadline, text)
                client.send_signal(number)
                self.assertEqual(client.communicate(timeout=PATIENCE), ("", ""))
                self.assertEqual(client.returncode, 0)
