"""
Tests for L{echod.client.main.COMMANDS}: the clients, with echod's servers and others, over
real sockets, pipes and terminals, in one process.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import termios
from collections.abc import Callable
from time import monotonic
from typing import Any, ClassVar, NoReturn

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHalfCloseableProtocol, IListeningPort
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.tcp import Server
from twisted.internet.threads import deferToThread
from zope.interface import implementer

from echod.client.exitstatus import CLOSED_PIPE, INTERRUPTED, ClientError, Outcome
from echod.client.main import COMMANDS
from echod.client.options import parseCommandLine
from echod.client.ping.command import reporter
from echod.client.ping.options import PingOptions
from echod.client.ping.reports.live import Plot, Progress
from echod.client.ping.reports.output import BufferedPrinter
from echod.client.ping.reports.report import Quiet
from echod.client.run import Run
from echod.client.talk.terminal import Terminal
from echod.net.extras import needed
from echod.tcp.echo import EchoFactory
from echod.tcp.greeting import GreetingFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import lacking, temporaryDirectory
from tests.support.clients import ClientTestCase, Steps, reactor
from tests.support.daemon import PATIENCE
from tests.support.impaired import CORRUPTED, DROPPED, DUPLICATED, REORDERED, ImpairedEcho


class Silent(DatagramProtocol):
    """
    Receives datagrams and never answers.

    @ivar heard: How many it has received.
    """

    noisy = False
    heard = 0

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Count the datagram.
        """
        self.heard += 1


class Counting(Silent):
    """
    Returns and counts datagrams.
    """

    transport: Any

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Return the datagram.
        """
        super().datagramReceived(datagram, addr)
        self.transport.write(datagram, addr)


class Closing(Protocol):
    """
    Closes when it receives something.
    """

    def dataReceived(self, data: bytes) -> None:
        """
        Close.
        """
        assert self.transport is not None
        self.transport.loseConnection()


class Mute(Protocol):
    """
    Closes each connection at once.
    """

    def connectionMade(self) -> None:
        """
        Close.
        """
        assert self.transport is not None
        self.transport.loseConnection()


@implementer(IHalfCloseableProtocol)
class Faulty(Protocol):
    """
    An echo server with a fault.

    @cvar answer: Makes the answer to each segment.
    """

    answer: ClassVar[Callable[[bytes], bytes]]
    transport: Any

    def dataReceived(self, data: bytes) -> None:
        """
        Answer.
        """
        self.transport.write(type(self).answer(data))

    def readConnectionLost(self) -> None:
        """
        Close, as an echo server does.
        """
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """
        Not called: the server closes both sides at once.
        """


class NeverReading(Protocol):
    """
    Reads nothing.
    """

    def connectionMade(self) -> None:
        """
        Stop reading.
        """
        transport: Any = self.transport
        transport.pauseProducing()


class NeverClosing(Faulty):
    """
    Returns everything, and leaves the connection open.
    """

    answer = bytes

    def readConnectionLost(self) -> None:
        """
        Do nothing.
        """


def faulty(answer: Callable[[bytes], bytes]) -> type[Faulty]:
    """
    @return: An echo server with this answer to each segment.
    """
    return type("Faulty", (Faulty,), {"answer": staticmethod(answer)})


class FaultyDatagrams(DatagramProtocol):
    """
    A UDP echo server with a fault.
    """

    noisy = False
    transport: Any

    def __init__(self, answers: Callable[[bytes], list[bytes]]) -> None:
        self.answers = answers

    def datagramReceived(self, datagram: bytes, addr: object) -> None:
        """
        Send the answers.
        """
        for answer in self.answers(datagram):
            self.transport.write(answer, addr)


class CommandTestCase(ClientTestCase):
    """
    The common parts of the tests.

    @ivar run_: The run of a client.
    """

    def setUp(self) -> None:
        super().setUp()
        self.run_ = Run(reactor)
        self.addCleanup(signal.signal, signal.SIGQUIT, signal.getsignal(signal.SIGQUIT))
        self.read = b""

    def tcp(self, factory: Factory) -> str:
        """
        @return: The address on which a TCP server listens.
        """
        factory.noisy = False
        port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
        return self.target(port)

    def udp(self, protocol: DatagramProtocol) -> str:
        """
        @return: The address on which a UDP server listens.
        """
        return self.target(reactor.listenUDP(0, protocol, "127.0.0.1", 65535))

    def target(self, port: IListeningPort) -> str:
        """
        @return: The address of a port, which listens until the end of the test.
        """
        self.listening(port)
        return f"127.0.0.1:{port.getHost().port}"  # type: ignore[attr-defined]

    def listening(self, port: IListeningPort) -> None:
        """
        Let a port listen until the end of the test.
        """
        self.addCleanup(self.sessionsEnd)
        self.addCleanup(port.stopListening)

    @inlineCallbacks
    def sessionsEnd(self) -> Steps:
        """
        Wait until the sessions have seen the end of their clients.
        """
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline and any(
            isinstance(each, Server) for each in (*reactor.getReaders(), *reactor.getWriters())
        ):
            yield deferLater(reactor, 0.005)

    def start(self, *arguments: str) -> Deferred[Outcome]:
        """
        Run a client, as C{echoc} would.
        """
        options = parseCommandLine(list(arguments))
        return self.run_.start(COMMANDS[options.command](self.run_, options), options["target"])

    def piped(self, *arguments: str, said: bytes = b"") -> Deferred[tuple[Outcome, bytes]]:
        """
        Run a client in a pipe.

        @return: Its outcome and its output.
        """
        self.run_.stdin, source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        os.write(source, said)
        self.close(source)

        def read(outcome: Outcome) -> tuple[Outcome, bytes]:
            self.close(self.run_.stdout)
            return outcome, os.read(sink, 1 << 20)

        return self.start(*arguments).addCallback(read)


class PipeTests(CommandTestCase):
    """
    The clients in a pipe.
    """

    @inlineCallbacks
    def test_greet(self) -> Steps:
        """
        C{echoc greet} prints the greeting.
        """
        got = yield self.piped("greet", self.tcp(GreetingFactory(reactor)))
        self.assertEqual(got, ((0, ""), b"Thank you for connecting\r\n"))

    @inlineCallbacks
    def test_greetSilent(self) -> Steps:
        """
        If the server sends nothing, the status is 4.  If it closes the connection first, the
        status is 1.
        """
        silent, _ = yield self.piped("greet", "-w", ".05", self.tcp(EchoFactory(reactor)))
        self.assertEqual(silent.status, 4)
        self.assertIn("connected, but no word within 0.05 s", silent.message)
        closed, _ = yield self.piped("greet", self.tcp(Factory.forProtocol(Mute)))
        self.assertEqual(closed.status, 1)
        self.assertIn("connected, and closed without a word", closed.message)

    @inlineCallbacks
    def test_tcp(self) -> Steps:
        """
        C{echoc tcp} returns what it reads, also by IPv6 or a description.
        """
        said = bytes(range(256)) * 200
        target = self.tcp(EchoFactory(reactor, goodbye=False))
        for arguments in (
            ["tcp", target],
            ["tcp", f"tcp:{target}"],
            ["tcp", "-I", "127.0.0.1", target],
            ["tcp", "-I", "lo", "-Q", "EF", "-t", "65", target],
        ):
            got = yield self.piped(*arguments, said=said)
            self.assertEqual(got, ((0, ""), said))
        port = reactor.listenTCP(0, EchoFactory(reactor, goodbye=False), interface="::1")
        self.target(port)
        got = yield self.piped("tcp", "-6", f"[::1]:{port.getHost().port}", said=said)
        self.assertEqual(got, ((0, ""), said))

    @inlineCallbacks
    def test_file(self) -> Steps:
        """
        Megabytes go from one regular file to another.
        """
        directory = temporaryDirectory(self)
        said = os.urandom(5_000_000)
        (directory / "in").write_bytes(said)
        target = self.tcp(EchoFactory(reactor, goodbye=False))
        with open(directory / "in") as source, open(directory / "out", "w") as sink:
            self.run_.stdin, self.run_.stdout = source.fileno(), sink.fileno()
            outcome = yield self.start("tcp", target)
        self.assertEqual(outcome, (0, ""))
        self.assertTrue((directory / "out").read_bytes() == said)

    @inlineCallbacks
    def test_serverEnds(self) -> Steps:
        """
        The client notices that the server closes while standard input is still open.
        """
        self.run_.stdin, source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        os.write(source, b"hello\nbye\n")
        outcome = yield self.start("tcp", self.tcp(EchoFactory(reactor)))
        self.assertEqual(outcome.status, 1)
        self.assertEqual(
            outcome.message, "10 bytes sent, 6 received; the server closed the connection"
        )
        self.assertEqual(os.read(sink, 100), b"hello\n")
        self.assertTrue(os.get_blocking(self.run_.stdout))

    @inlineCallbacks
    def test_faultyStreams(self) -> Steps:
        """
        For each fault of a TCP echo, C{echoc tcp} has a status and a message.
        """
        lines = b"".join(b"%d\n" % number for number in range(5_000))
        for server, status, words in (
            (faulty(lambda data: b""), 1, "connected, but no echo: is this an echo server?"),
            (faulty(lambda data: data[: len(data) // 2]), 1, "the first that is missing is"),
            (faulty(lambda data: data.replace(b"7", b"8")), 5, "differs at byte 15"),
            (faulty(lambda data: data * 2), 5, "differs at byte"),
            (Mute, 1, "connected, but no echo"),
            (NeverClosing, 1, "received; the server did not close within 0.3 s"),
            (NeverReading, 1, "connected, but no echo"),
        ):
            for said in (lines[:30], lines):
                got, _ = yield self.piped(
                    "tcp", "-w", ".3", self.tcp(Factory.forProtocol(server)), said=said
                )
                self.assertEqual(got.status, status, (server, len(said), got))
                self.assertIn(words, got.message)

    @inlineCallbacks
    def test_faultyDatagrams(self) -> Steps:
        """
        For each fault of a UDP echo, C{echoc udp} has a status and a message.
        """
        for answers, status, words in (
            (lambda data: [], 4, "no answer within 0.2 s"),
            (lambda data: [data] if data < b"5" else [], 1, "5 came back, 5 lost"),
            (lambda data: [data[:1]], 1, "0 came back, 10 shortened"),
            (lambda data: [data, data], 5, "10 came back, 10 repeated"),
            (lambda data: [b"other"], 5, "0 came back, 10 wrong"),
        ):
            server = self.udp(FaultyDatagrams(answers))
            said = b"".join(b"%d0\n" % number for number in range(1, 11))
            got, _ = yield self.piped("udp", "-w", ".2", server, said=said)
            self.assertEqual(got.status, status, got)
            self.assertIn(words, got.message)

    @inlineCallbacks
    def test_closedPipe(self) -> Steps:
        """
        If nobody reads the output, the client ends without a message.
        """
        servers = {
            "greet": self.tcp(GreetingFactory(reactor)),
            "tcp": self.tcp(EchoFactory(reactor)),
            "udp": self.udp(UDPEchoProtocol(reactor)),
            "ping": self.udp(UDPEchoProtocol(reactor)),
        }
        for name, target in servers.items():
            self.run_ = Run(reactor)
            self.run_.stdin, source = self.pipe()
            sink, self.run_.stdout = self.pipe()
            self.close(sink)
            os.write(source, b"hello\n")
            outcome = yield self.start(name, target)
            self.assertEqual(outcome, (CLOSED_PIPE, ""), name)

    @inlineCallbacks
    def test_fullDisk(self) -> Steps:
        """
        If the output cannot be written, one line says why.
        """
        for name, target in (
            ("tcp", self.tcp(EchoFactory(reactor))),
            ("greet", self.tcp(GreetingFactory(reactor))),
            ("udp", self.udp(UDPEchoProtocol(reactor))),
        ):
            self.run_ = Run(reactor)
            self.run_.stdin, source = self.pipe()
            os.write(source, b"hello\n")
            with open("/dev/full", "w") as full:
                self.run_.stdout = full.fileno()
                outcome = yield self.start(name, target)
            self.assertEqual(outcome, (1, "standard output: No space left on device"))

    @inlineCallbacks
    def test_backpressure(self) -> Steps:
        """
        If the output is not read, the client stops reading: its memory is bounded.
        """
        self.run_.stdin, source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        os.set_blocking(source, False)
        running = self.start("tcp", self.tcp(EchoFactory(reactor, goodbye=False)))
        sent = 0
        quiet = 0
        while quiet < 20:
            try:
                sent += os.write(source, bytes(1 << 16))
                quiet = 0
            except BlockingIOError:
                quiet += 1
            yield deferLater(reactor, 0.005)
        self.close(source)
        received = 0
        os.set_blocking(sink, False)
        while received < sent:
            try:
                received += len(os.read(sink, 1 << 20))
            except BlockingIOError:
                yield deferLater(reactor, 0.001)
        outcome = yield running
        self.assertEqual((outcome.status, received), (0, sent))

    @inlineCallbacks
    def test_udp(self) -> Steps:
        """
        C{echoc udp} returns each line it reads.
        """
        target = self.udp(UDPEchoProtocol(reactor))
        got = yield self.piped("udp", target, said=b"one\n\nthree")
        self.assertEqual(got, ((0, ""), b"one\n\nthree\n"))

    @inlineCallbacks
    def test_udpRefused(self) -> Steps:
        """
        A closed port and a silent port have different statuses and messages.
        """
        closed, _ = yield self.piped("udp", self.unused(), said=b"one\n")
        self.assertEqual(closed.status, 3)
        self.assertIn("[!] Server not running: its port is closed", closed.message)
        silent, _ = yield self.piped("udp", "-w", ".05", self.udp(Silent()), said=b"one\n")
        self.assertEqual(silent.status, 4)
        self.assertIn("[!] Server not running: no answer within 0.05 s", silent.message)

    @inlineCallbacks
    def test_cannotConnect(self) -> Steps:
        """
        A failed connection gives one line with the reason.
        """
        directory = temporaryDirectory(self)
        for arguments, status, words in (
            (["tcp", self.unused(socket.SOCK_STREAM)], 3, "refused"),
            (["greet", f"unix:{directory}/none"], 3, "there is no socket at"),
            (["ping", "--tcp", self.unused(socket.SOCK_STREAM)], 3, "refused"),
            (["tcp", "what:ever"], 2, "Unknown endpoint type"),
            (["udp", "255.255.255.255"], 1, "Permission denied"),
            (["udp", "none.invalid"], 2, "cannot be resolved"),
        ):
            outcome, _ = yield self.piped(*arguments)
            self.assertEqual(outcome.status, status, arguments)
            self.assertIn(words, outcome.message)

    @inlineCallbacks
    def test_interrupted(self) -> Steps:
        """
        Ctrl-C ends each client, before it has connected and after.
        """
        self.run_.interrupt()
        for name, target in (
            ("greet", self.tcp(EchoFactory(reactor))),
            ("tcp", self.tcp(EchoFactory(reactor))),
            ("udp", self.udp(UDPEchoProtocol(reactor))),
            ("ping", self.udp(Silent())),
        ):
            for turns in (0, 1, 20):
                self.run_ = Run(reactor)
                self.run_.stdin, _source = self.pipe()
                _sink, self.run_.stdout = self.pipe()
                running = self.start(name, target)
                for _ in range(turns):
                    yield deferLater(reactor, 0.001)
                self.run_.cancel()
                outcome = yield running
                self.assertEqual(outcome, (INTERRUPTED, ""), (name, turns))

    def test_interruptedLookup(self) -> None:
        """
        Ctrl-C while a name is being looked up says nothing of that name.
        """

        async def client() -> Outcome:
            looked: Deferred[Outcome] = Deferred(lambda each: each.errback(DNSLookupError()))
            return await looked

        running = self.run_.start(client(), "somewhere")
        self.run_.cancel()
        self.assertEqual(self.successResultOf(running), (INTERRUPTED, ""))


class PingTests(CommandTestCase):
    """
    C{echoc ping}.
    """

    @inlineCallbacks
    def test_udp(self) -> Steps:
        """
        echod returns every probe.
        """
        target = self.udp(UDPEchoProtocol(reactor))
        for options in (["-c", "3"], ["-s", "0-65507:13000", "--df"]):
            outcome, printed = yield self.piped("ping", "-i", "0.001", *options, target)
            self.assertEqual(outcome, (0, ""))
            self.assertIn(b"all came back", printed)

    @inlineCallbacks
    def test_tcp(self) -> Steps:
        """
        echod returns every probe on a stream.
        """
        target = self.tcp(EchoFactory(reactor))
        outcome, printed = yield self.piped(
            "ping", "--tcp", "-q", "-c", "50", "--flood", "-s", "60000", target
        )
        self.assertEqual(outcome, (0, ""))
        self.assertIn(b"all came back", printed)

    @inlineCallbacks
    def test_severalTargets(self) -> Steps:
        """
        Several targets are probed at the same time, also the same one twice.  A target that
        cannot be resolved does not stop the others, and the highest status counts.
        """
        target, wrong, nowhere = (
            self.udp(UDPEchoProtocol(reactor)),
            "no.invalid:7",
            "never.invalid:7",
        )
        outcome, printed = yield self.piped(
            *("ping", "-c", "2", "-i", "0.01", "-W", "10"),
            *(target, target, wrong, self.unused(), nowhere),
        )
        _, *lines = printed.decode().splitlines()
        findings = [re.split(" {2,}", line)[-1].partition(" (")[0] for line in lines]
        unresolved = "the name cannot be resolved"
        self.assertEqual(
            findings, ["all came back", "all came back", unresolved, "refused", unresolved]
        )
        self.assertEqual(outcome.status, 3)
        for name, message in zip((wrong, nowhere), outcome.message.splitlines(), strict=True):
            self.assertTrue(message.startswith(f"{name}: {unresolved} ("), message)

    @inlineCallbacks
    def test_severalStreams(self) -> Steps:
        """
        Several targets work with one connection each, with a new one for each probe, and
        with UNIX sockets.
        """
        path = str(temporaryDirectory(self) / "socket")
        port = reactor.listenUNIX(path, EchoFactory(reactor))
        self.listening(port)
        targets = (self.tcp(EchoFactory(reactor)), f"unix:{path}")
        for option in ("--tcp", "--anew"):
            outcome, printed = yield self.piped(
                *("ping", "--tcp", option, "-c", "3", "-i", "0.01", "--json", *targets)
            )
            said = json.loads(printed)["targets"]
            self.assertEqual(outcome.status, 0)
            self.assertEqual(
                [(each["received"], each["address"]) for each in said],
                [(3, targets[0]), (3, None)],
            )

    @inlineCallbacks
    def test_severalInterrupted(self) -> Steps:
        """
        Ctrl-C ends all targets, and interim statistics have a line for each.
        """
        self.run_.stdin, _source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        servers = Silent(), Silent()
        running = self.start("ping", "-W", "1000", *map(self.udp, servers))
        yield self.until(lambda: all(server.heard for server in servers))
        signal.raise_signal(signal.SIGQUIT)
        yield deferLater(reactor, 0.01)
        self.run_.interrupt()
        self.run_.interrupt()
        outcome = yield running
        self.assertEqual(outcome.status, 4)
        printed = os.read(sink, 1 << 16).decode().splitlines()
        self.assertEqual([line.count("so far: ") for line in printed], [0, 1, 1, 0, 0], printed)

    @inlineCallbacks
    def test_interruptedLookup(self) -> Steps:
        """
        Ctrl-C while the name is looked up ends it, and prints nothing.
        """
        self.run_.stdin, _source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        running = self.start("ping", "--json", "name.invalid")
        self.run_.interrupt()
        outcome = yield running
        self.assertEqual(outcome, (INTERRUPTED, ""))
        self.close(self.run_.stdout)
        self.assertEqual(os.read(sink, 100), b"")

    @inlineCallbacks
    def test_mtu(self) -> Steps:
        """
        The path MTU is one line, and a value in JSON.
        """
        target = self.udp(UDPEchoProtocol(reactor))
        outcome, printed = yield self.piped("ping", "--mtu", target)
        self.assertEqual(outcome, (0, ""))
        line = f"{target}: path MTU 65535 bytes (payload 65507 bytes)\n"
        self.assertEqual(printed, line.encode())
        outcome, printed = yield self.piped("ping", "--mtu", "--json", target)
        self.assertEqual(json.loads(printed)["path_mtu_payload_bytes"], 65507)
        outcome, printed = yield self.piped("ping", "--mtu", self.unused())
        self.assertEqual(outcome.status, 3)

    @inlineCallbacks
    def test_stoppedReader(self) -> Steps:
        """
        If the reader of the output stops until all probes have left, no probe is late and no
        line is lost.
        """
        self.run_.stdin, _ = self.pipe()
        sink, self.run_.stdout = self.pipe()
        # The smallest pipe: it holds about 70 lines.
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, 4096)
        server = Counting()
        running = self.start("ping", "-c", "500", "-i", "0.001", self.udp(server))
        yield self.until(lambda: server.heard >= 500)
        reading = deferToThread(lambda: b"".join(iter(lambda: os.read(sink, 1 << 16), b"")))
        outcome = yield running
        self.close(self.run_.stdout)
        self.assertEqual(outcome, (0, ""))
        self.assertEqual((yield reading).count(b"64 bytes seq="), 500)

    @inlineCallbacks
    def test_anew(self) -> Steps:
        """
        With C{--anew}, each probe has a connection of its own.
        """
        server = EchoFactory(reactor)
        outcome, printed = yield self.piped(
            "ping", "--tcp", "--anew", "-q", "-c", "20", "--flood", self.tcp(server)
        )
        self.assertEqual(outcome, (0, ""))
        self.assertIn(b"all came back", printed)
        self.assertEqual(server.ended.sessions + len(server.sessions), 20)

    @inlineCallbacks
    def test_noEcho(self) -> Steps:
        """
        A server that is not an echo server is reported as such.
        """
        outcome, printed = yield self.piped(
            "ping", "--tcp", "--json-lines", self.tcp(GreetingFactory(reactor))
        )
        self.assertEqual(outcome, (5, ""))
        outcome, printed = yield self.piped(
            "ping", "--tcp", "--json", self.tcp(Factory.forProtocol(Closing))
        )
        self.assertEqual(json.loads(printed)["exit_status"], 1)

    @inlineCallbacks
    def test_refused(self) -> Steps:
        """
        A port that is closed is reported at once, also as JSON.
        """
        outcome, printed = yield self.piped("ping", self.unused())
        self.assertEqual(outcome.status, 3)
        self.assertIn(b"seq=0 refused", printed)
        unused = self.unused(socket.SOCK_STREAM)
        outcome, printed = yield self.piped("ping", "--tcp", "--json", unused)
        self.assertEqual(json.loads(printed)["exit_status"], 3)
        outcome, printed = yield self.piped("ping", "--tcp", "--anew", unused)
        self.assertTrue(
            printed.startswith(
                f"PING {unused} by TCP: 64 bytes every 1 s\n- seq=0 refused\n".encode()
            ),
            printed,
        )

    @inlineCallbacks
    def test_histogram(self) -> Steps:
        """
        The round-trip times are written to a file.  If this fails, one line says why.
        """
        path = temporaryDirectory(self) / "times.csv"
        target = self.udp(UDPEchoProtocol(reactor))
        outcome, _ = yield self.piped(
            "ping", "-q", "-c", "3", "-i", "0.001", "--histogram", str(path), target
        )
        self.assertEqual(outcome.status, 0)
        names, *rows = path.read_text().splitlines()
        self.assertEqual(names, "rtt_us,count,cumulative_percent")
        self.assertEqual(sum(int(row.split(",")[1]) for row in rows), 3)
        self.assertEqual(rows[-1].split(",")[2], "100.000000")
        for file, reason in (
            (path.parent, "Is a directory"),
            ("/dev/full", "No space left on device"),
        ):
            outcome, _ = yield self.piped(
                "ping", "-q", "-c", "1", "--histogram", str(file), target
            )
            self.assertEqual(outcome, (1, f"--histogram {file}: {reason}"))

    @inlineCallbacks
    def test_interim(self) -> Steps:
        """
        SIGQUIT and C{--every} print the statistics so far.
        """
        self.run_.stdin, _source = self.pipe()
        sink, self.run_.stdout = self.pipe()
        target = self.udp(UDPEchoProtocol(reactor))
        running = self.start("ping", "-q", "-i", "0.02", "--every", "0.05", target)
        self.read = b""
        os.set_blocking(sink, False)
        signal.raise_signal(signal.SIGQUIT)
        while self.read.count(b"so far: sent ") < 3:
            yield deferLater(reactor, 0.005)
            with contextlib.suppress(BlockingIOError):
                self.read += os.read(sink, 1 << 16)
        self.run_.interrupt()
        outcome = yield running
        self.assertEqual(outcome.status, 0)
        signal.raise_signal(signal.SIGQUIT)
        yield deferLater(reactor, 0)

    @inlineCallbacks
    def test_csv(self) -> Steps:
        """
        With C{--csv}, each probe is a line.
        """
        target = self.udp(UDPEchoProtocol(reactor))
        outcome, printed = yield self.piped("ping", "--csv", "-c", "2", "-i", "0.001", target)
        self.assertEqual((outcome.status, len(printed.splitlines())), (0, 3))

    @inlineCallbacks
    def test_impaired(self) -> Steps:
        """
        The summary counts exactly the datagrams that a server drops, duplicates, reorders
        and corrupts.
        """
        server = ImpairedEcho(5)
        outcome, printed = yield self.piped(
            *("ping", "--json", "-c", "1500", "--rate", "3000", "-W", "2"),
            self.udp(server),
        )
        server.end()
        said = json.loads(printed)
        self.assertEqual(outcome.status, 5)
        self.assertGreater(min(server.did.values()), 5)
        self.assertEqual(
            [said[name] for name in ("lost", "duplicated", "reordered", "corrupted")],
            [server.did[what] for what in (DROPPED, DUPLICATED, REORDERED, CORRUPTED)],
        )
        self.assertEqual((said["sent"], said["late"], said["foreign"]), (1500, 0, 0))

    @inlineCallbacks
    def test_onSchedule(self) -> Steps:
        """
        Probes leave on time, even if no answer ever comes.
        """
        _, printed = yield self.piped(
            "ping", "--json", "-c", "400", "-i", "0.001", "-W", "0.05", self.udp(Silent())
        )
        said = json.loads(printed)
        self.assertEqual((said["sent"], said["lost"], said["exit_status"]), (400, 400, 4))
        # A busy machine may be late with the last one; to wait for answers takes
        # fifty times as long.
        self.assertGreater(said["interval_mean_us"], 900)
        self.assertLess(said["interval_mean_us"], 25_000)


class TerminalTests(CommandTestCase):
    """
    The clients at a terminal.
    """

    def setUp(self) -> None:
        super().setUp()
        self.person, terminal = pty.openpty()
        self.open.update((self.person, terminal))
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.run_.stdin = self.run_.stdout = terminal
        self.before = termios.tcgetattr(terminal)

    def type(self, keys: bytes) -> None:
        """
        Type.
        """
        os.write(self.person, keys)

    @inlineCallbacks
    def see(self, text: bytes) -> Steps:
        """
        Wait until a text is on the screen.
        """
        os.set_blocking(self.person, False)
        while text not in self.read:
            yield deferLater(reactor, 0.005)
            with contextlib.suppress(BlockingIOError):
                self.read += os.read(self.person, 1 << 16)
        self.read = self.read.partition(text)[2]

    @inlineCallbacks
    def ended(self, running: Deferred[Outcome], outcome: Outcome) -> Steps:
        """
        Check that the run has ended, and that the terminal has its old settings.
        """
        got = yield running
        self.assertEqual(got, outcome)
        self.assertEqual(termios.tcgetattr(self.run_.stdin), self.before)

    @inlineCallbacks
    def test_tcp(self) -> Steps:
        """
        Lines are edited and sent, what comes is shown above the line that is being
        typed, and C{bye} ends it.
        """
        running = self.start("tcp", self.tcp(EchoFactory(reactor)))
        yield self.see(b"> ")
        self.type(b"hallo\x7f\x7f\x7f\x7fello\rhow are")
        yield self.see(b"From Server : hello\r\n\r\x1b[K> how are")
        self.type(b" you?\r")
        yield self.see(b"From Server : how are you?")
        self.type(b"\x1b[A\x1b[A\rbye\rignored\r")
        yield self.see(b"From Server : hello")
        yield self.ended(running, Outcome(0))

    @inlineCallbacks
    def test_endOfInput(self) -> Steps:
        """
        Ctrl-D ends the conversation.
        """
        for name, target in (
            ("tcp", self.tcp(EchoFactory(reactor))),
            ("udp", self.udp(UDPEchoProtocol(reactor))),
        ):
            running = self.start(name, target)
            yield self.see(b"> ")
            self.type(b"\x04")
            yield self.ended(running, Outcome(0))

    @inlineCallbacks
    def test_serverEnds(self) -> Steps:
        """
        The server's end is noticed at once, also while something is being typed.
        """
        running = self.start("tcp", self.tcp(Factory.forProtocol(Closing)))
        yield self.see(b"> ")
        self.type(b"hello\rhalf a li")
        outcome = yield running
        self.assertEqual(outcome.status, 1)
        self.assertIn("the server closed the connection", outcome.message)
        self.assertEqual(termios.tcgetattr(self.run_.stdin), self.before)

    @inlineCallbacks
    def test_udp(self) -> Steps:
        """
        A conversation works with datagrams.
        """
        running = self.start("udp", self.udp(UDPEchoProtocol(reactor)))
        yield self.see(b"> ")
        self.type(b"hello\r")
        yield self.see(b"From Server : hello")
        self.type(b"bye\r")
        yield self.see(b"From Server : bye")
        yield self.ended(running, Outcome(0))

    @inlineCallbacks
    def test_udpRefused(self) -> Steps:
        """
        A closed port is known after the first line, or at the end if there was none.
        """
        for keys in (b"hello\r", b"\x04"):
            running = self.start("udp", self.unused())
            yield self.see(b"> ")
            self.type(keys)
            outcome = yield running
            self.assertEqual(outcome.status, 3)

    @inlineCallbacks
    def test_udpLost(self) -> Steps:
        """
        A lost answer is one line, and the conversation goes on.
        """
        server = FaultyDatagrams(lambda data: [] if data == b"lost" else [data])
        running = self.start("udp", "-w", ".1", self.udp(server))
        for keys, answer in (
            (b"lost\r", b"[!] No answer within 0.1 s: lost"),
            (b"hello\r", b"From Server : hello"),
        ):
            self.type(keys)
            yield self.see(answer)
        self.type(b"\x04")
        yield self.ended(running, Outcome(1, "2 lines sent, 1 came back, 1 lost"))
        self.assertEqual(termios.tcgetattr(self.run_.stdin), self.before)

    @inlineCallbacks
    def test_stopped(self) -> Steps:
        """
        Ctrl-Z gives the terminal back as it was; when it goes on, what was being typed
        is there again.
        """
        stopped: list[object] = []
        typed: list[str] = []
        terminal = Terminal(
            reactor,
            (self.run_.stdin, self.run_.stdout),
            lambda: stopped.append(termios.tcgetattr(self.run_.stdin)),
        )
        terminal.open(typed.append, list)
        yield self.see(b"> ")
        self.type(b"half a li")
        yield self.see(b"> half a li")
        signal.raise_signal(signal.SIGTSTP)
        yield self.see(b"> half a li")
        self.assertEqual(stopped, [self.before])
        self.type(b"ne\r")
        yield self.see(b"> half a line")
        terminal.close()
        self.assertEqual(typed, ["half a line"])

    @inlineCallbacks
    def test_stoppedTooLate(self) -> Steps:
        """
        Ctrl-Z after the end does not change the terminal.
        """
        stopped: list[object] = []
        terminal = Terminal(
            reactor, (self.run_.stdin, self.run_.stdout), lambda: stopped.append(None)
        )
        terminal.open(stopped.append, lambda: None)
        signal.raise_signal(signal.SIGTSTP)
        terminal.close()
        yield deferLater(reactor, 0.01)
        self.assertEqual(stopped, [])

    def printer(self) -> BufferedPrinter:
        """
        @return: A printer that ends with the test.
        """
        printer = BufferedPrinter(self.run_)
        self.addCleanup(lambda: Deferred.fromCoroutine(printer.finish()))
        return printer

    def test_withoutRich(self) -> None:
        """
        Without rich, a long run has no progress bar.
        """

        def missing(*arguments: object) -> NoReturn:
            raise ClientError(Outcome(2, needed("plot")))

        options = parseCommandLine(["ping", "-q", "-c", "9"])
        assert isinstance(options, PingOptions)
        self.assertIs(type(reporter(self.run_, options, self.printer(), missing)), Quiet)

    @inlineCallbacks
    def test_noSize(self) -> Steps:
        """
        A terminal that does not know its size shows the line.
        """
        fcntl.ioctl(self.run_.stdin, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        running = self.start("udp", self.udp(UDPEchoProtocol(reactor)))
        yield self.see(b"> ")
        self.type(b"x" * 60)
        yield self.see(b"x" * 60)
        self.run_.cancel()
        yield self.ended(running, Outcome(INTERRUPTED))

    def test_live(self) -> None:
        """
        At a terminal, C{--plot} shows a graph, and a long, quiet run has a progress bar.
        """
        try:
            import rich  # noqa: F401
        except ImportError:
            lacking("rich")
        for arguments, kind in (
            (["--plot"], Plot),
            (["-q", "-c", "9"], Progress),
            (["-q", "-c", "1"], Quiet),
        ):
            options = parseCommandLine(["ping", *arguments])
            assert isinstance(options, PingOptions)
            self.assertIs(type(reporter(self.run_, options, self.printer())), kind)
