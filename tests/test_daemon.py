"""
Tests that run the real daemon and talk to it over sockets.
"""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import os
import re
import select
import shlex
import signal
import socket
import sys
import termios
from array import array
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from subprocess import PIPE, Popen, run
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from unittest import SkipTest

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from echod.net.sockets import SPREADS, keepMore
from echod.tap import Options, makeService
from tests.support import CHECKOUT, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE, TWIST, TWISTD, Daemon, runDaemon, twistd
from tests.support.load import HOST, wait
from tests.support.tls import TLSClient, makeCertificate

Client = socket.socket | TLSClient
"""
The tests of TCP also run over TLS.
"""

GREETING = b"Thank you for connecting\r\n"

SETTLED = 0.1
"""
The time after which the systems of both ends have exchanged their windows, in seconds.
"""


def connect(address: tuple[str, int], kind: int = socket.SOCK_STREAM) -> socket.socket:
    """
    @return: A connected socket with a timeout.
    """
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    client = socket.socket(family, kind)
    client.settimeout(PATIENCE)
    client.connect(address)
    return client


def finish(client: Client, data: bytes) -> None:
    """
    Send the last data, and the end of the stream with it.
    """
    if isinstance(client, TLSClient):
        client.finish(data)
    else:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)


def readAll(client: Client) -> bytes:
    """
    @return: The data that arrives before the peer closes.
    """
    received = bytearray()
    while data := client.recv(1 << 20):
        received += data
    return bytes(received)


def readExactly(client: Client, size: int) -> bytes:
    """
    @return: This number of bytes, or fewer if the peer closes.
    """
    received = b""
    while len(received) < size and (data := client.recv(size - len(received))):
        received += data
    return received


PATTERN = b"0123456789abcdef"


def fill(daemon: Daemon, client: Any) -> int:
    """
    Send without reading, until the daemon reads no more.

    @return: How many bytes were taken, of one L{PATTERN} after the other.
    """
    sent = 0
    client.setblocking(False)
    while select.select([], [client], [], SETTLED)[1] or not daemon.isWaiting():
        with contextlib.suppress(BlockingIOError):
            sent += client.send((PATTERN * 4096)[sent % len(PATTERN) :])
    return sent


def unacknowledged(client: socket.socket) -> int:
    """
    @return: How many sent bytes the peer's system has not acknowledged.
    """
    number = array("i", [0])
    fcntl.ioctl(client.fileno(), termios.TIOCOUTQ, number)
    return number[0]


MORE_REFUSED = r"refused (?:127.0.0.1:\d+|(\d) more): too many connections$"

ARTICLE = CHECKOUT / "tests" / "support" / "article.py"


class Article:
    """
    One of the article's clients, in a process of its own.
    """

    def __init__(self, kind: str, port: int) -> None:
        self.process = Popen(
            [sys.executable, "-u", str(ARTICLE), kind, str(port)],
            stdin=PIPE,
            stdout=PIPE,
            text=True,
        )

    def type(self, line: str) -> None:
        """
        Type a line.
        """
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def printed(self) -> str:
        """
        @return: The next line it has printed.
        """
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def ended(self) -> int:
        """
        @return: Its exit status, when it has ended.
        """
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def overTLS(directory: Path) -> list[str]:
    """
    @return: The options for the TCP services over TLS.
    """
    if find_spec("OpenSSL") is None:
        # The rest is tested even so, where it may be missing.
        with contextlib.suppress(SkipTest):
            lacking("pyopenssl")
        return []
    address = f"ssl:0:interface=127.0.0.1:privateKey={makeCertificate(directory / 'pem')}"
    return ["--greeting", address, "--tcp", address]


@cache
def sharedDaemon(reactor: str) -> Daemon:
    """
    @return: A daemon with all services.  Its start takes half a second of the processor, so
        all tests with a reactor have one together.
    """
    with TemporaryDirectory() as directory:
        daemon = Daemon(
            *("--greeting", "0", "--tcp", "0", "--udp", "127.0.0.1:0", "--udp", "0.0.0.0:0"),
            *("--udp", "[::]:0", "--drain-timeout", "0", "--session-lines", "all"),
            *overTLS(Path(directory)),
            reactor=reactor,
        )
    atexit.register(daemon.stop)
    return daemon


class DaemonTests(SynchronousTestCase):
    """
    Tests that each reactor must pass; here with Twisted's default.
    """

    reactor = "default"

    def setUp(self) -> None:
        self.daemon = sharedDaemon(self.reactor)
        self.read = len(self.daemon.log)

    def tearDown(self) -> None:
        """
        Check that the daemon still serves, and that the log of the test has no traceback.
        """
        with connect(self.daemon.greeting) as last:
            self.assertEqual(readAll(last), GREETING)
            host, port = last.getsockname()
        self.daemon.expect(f"TCP greeting: {host}:{port} ended")
        self.assertNotIn("Traceback", "".join(self.daemon.log[self.read :]))

    def clients(self, service: str = "TCP echo") -> Iterator[Client]:
        """
        @return: A socket that is connected to a TCP service, then one over TLS.
        """
        for kind, address in zip(("TCP", "TLS"), self.daemon.addresses[service], strict=False):
            client = connect(address)
            self.addCleanup(client.close)
            yield client if kind == "TCP" else TLSClient(client)

    def udp(self, host: str, index: int) -> socket.socket:
        """
        @return: A socket that is connected to a UDP echo, the C{index}th, at any
            address of this machine.
        """
        port = self.daemon.addresses["UDP echo"][index][1]
        client = connect((host, port), socket.SOCK_DGRAM)
        self.addCleanup(client.close)
        return client

    def test_articleGreeting(self) -> None:
        """
        The article's first client prints the greeting.
        """
        try:
            socket.gethostbyname(socket.gethostname())
        except OSError:
            raise SkipTest("needs a name of this machine that can be looked up") from None
        client = Article("greeting", self.daemon.greeting[1])
        self.assertEqual(client.printed(), "Thank you for connecting")
        self.assertEqual(client.ended(), 0)

    def test_articleTCP(self) -> None:
        """
        Two of the article's TCP clients at once get each of their lines back,
        and their C{bye} ends their session.
        """
        clients = [Article("tcp", self.daemon.tcp[1]) for _ in range(2)]
        for client in clients:
            self.assertEqual(client.printed(), "From Server : This is from Client")
        for number, client in enumerate(clients):
            client.type(f"Hey this is client {number}")
            self.assertEqual(client.printed(), f"From Server : Hey this is client {number}")
        for client in clients:
            client.type("bye")
            self.assertEqual(client.ended(), 0)
            self.daemon.expect("TCP echo: .* ended: goodbye; .* bytes in")

    def test_articleUDP(self) -> None:
        """
        Two of the article's UDP clients at once get each of their lines back.
        """
        clients = [Article("udp", self.daemon.udp[1]) for _ in range(2)]
        for client in clients:
            self.assertEqual(
                client.printed(), "Message from Server:  Hello server, from UDP client!"
            )
            client.type("hello")
            self.assertEqual(client.printed(), "Message from Server:  hello")
            client.type("bye")
            self.assertEqual(client.ended(), 0)

    def test_greetingForThoseWhoTalk(self) -> None:
        """
        A client that sends before it reads still gets the whole greeting, and no reset.
        """
        for client in self.clients("TCP greeting"):
            # The greeting has come, and with it the end of the stream, before
            # the client says its piece and turns to reading.
            select.select([client], [], [], PATIENCE)
            finish(client, b"x" * 100_000)
            self.assertEqual(readAll(client), GREETING)

    def test_halfClose(self) -> None:
        """
        A client that sends 20 MB of random bytes and then half-closes gets every byte
        back.
        """
        data = os.urandom(20_000_000).replace(b"\nbye", b"\nBYE")
        for client in self.clients():
            sender = Thread(target=finish, args=(client, data))
            sender.start()
            returned = readAll(client)
            sender.join()
            self.assertTrue(returned == data, (len(returned), len(data)))

    def test_withheldAtTheEnd(self) -> None:
        """
        At the end of the stream, withheld bytes are returned, and C{bye} is a goodbye,
        also when all arrives in one segment.
        """
        for sent, expected in ((b"hello\nb", b"hello\nb"), (b"by", b"by"), (b"a\nbye", b"a\n")):
            for client in self.clients():
                finish(client, sent)
                self.assertEqual(readAll(client), expected)

    def test_withheld(self) -> None:
        """
        Bytes that could have become a goodbye are returned after a while.
        """
        clients = list(self.clients())
        for client in clients:
            client.sendall(b"by")
        for client in clients:
            self.assertEqual(readExactly(client, 2), b"by")

    def test_slowReader(self) -> None:
        """
        A client that half-closes before it starts to read gets every byte.
        """
        data = b"0123456789abcdef" * 12_500
        for client in self.clients():
            finish(client, data)
            # Everything that fits is on its way back; only now it is read.
            select.select([client], [], [], PATIENCE)
            self.assertTrue(readAll(client) == data)

    def test_neverReads(self) -> None:
        """
        A peer that sends for ever and never reads is blocked, and costs less
        than 1 MiB.
        """
        for warm in self.clients():
            sender = Thread(target=finish, args=(warm, b"x" * 1_000_000))
            sender.start()
            readAll(warm)
            sender.join()
        clients = list(self.clients())
        before = self.daemon.memory()
        for client in clients:
            fill(self.daemon, client)
        self.assertLess(self.daemon.memory() - before, len(clients) << 20)

    def test_goodbyeWithoutReset(self) -> None:
        """
        After a goodbye, the client gets everything before it and the end of the stream,
        even if it is still sending.
        """
        for client in self.clients():
            client.sendall(b"a\nbye\n" + b"more\n" * 100_000)
            self.assertEqual(readAll(client), b"a\n")
            client.sendall(b"more\n" * 1000)

    def test_everyCut(self) -> None:
        """
        A goodbye ends the session however it is cut into segments, and no data before it
        is lost.
        """
        stream = b"ab\nbye\ncd"
        for cut in range(1, len(stream)):
            for client in self.clients():
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.sendall(stream[:cut])
                received = readExactly(client, min(cut, 3))
                client.sendall(stream[cut:])
                self.assertEqual(received + readAll(client), b"ab\n", cut)

    def test_netcat(self) -> None:
        """
        nc prints what comes before the goodbye, and ends.
        """
        host, port = self.daemon.tcp
        done = run(
            [program("nc"), host, str(port)],
            input=b"a\nbye\nmore\n",
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"a\n", b""))

    def test_openssl(self) -> None:
        """
        C{openssl s_client} prints what comes before the goodbye, and ends.
        """
        try:
            host, port = self.daemon.addresses["TCP echo"][1]
        except IndexError:
            lacking("pyopenssl")
        done = run(
            [program("openssl"), "s_client", "-quiet", "-connect", f"{host}:{port}"],
            input=b"a\nbye\nmore\n",
            capture_output=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stdout), (0, b"a\n"))

    def test_datagrams(self) -> None:
        """
        Datagrams of every size come back whole, also to a client that has
        connected its socket to one of many addresses behind a wildcard.
        """
        for host, index in (
            ("127.0.0.1", 0),
            ("127.0.0.7", 1),
            ("::1", 2),
            ("127.0.0.9", 2),  # IPv4 on a socket for both versions
        ):
            client = self.udp(host, index)
            for datagram in (b"", b"x", os.urandom(65507)):
                client.send(datagram)
                self.assertTrue(client.recv(65536) == datagram, (host, len(datagram)))

    def test_burst(self) -> None:
        """
        Datagrams that arrive while the daemon is stopped are kept, more of them than with
        the system's default.
        """
        client = self.udp("127.0.0.1", 0)
        keepMore(client)
        self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            for number in range(400):
                client.send(b"%d" % number)
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)
        for number in range(400):
            self.assertEqual(client.recv(100), b"%d" % number)

    def test_loops(self) -> None:
        """
        Datagrams from a reserved port and from the server's own are not
        answered.
        """
        server = self.daemon.udp
        for port in (7, server[1]):
            peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.addCleanup(peer.close)
            try:
                peer.bind((HOST, port))
            except PermissionError:
                lacking("the right to bind a port below 1024")
            peer.connect(server)
            peer.send(b"loop")
            # The server answers in order: when this one has its answer, the
            # other will not get any.
            client = self.udp("127.0.0.1", 0)
            client.send(b"x")
            self.assertEqual(client.recv(10), b"x")
            self.assertEqual(select.select([peer], [], [], 0)[0], [])

    def test_drain(self) -> None:
        """
        After a signal to end, each peer gets back the data that was accepted from it
        before, even if it does not read at the moment.
        """
        with self.reserved() as daemon, connect(daemon.tcp) as client:
            sent = fill(daemon, client)
            accepted = sent - unacknowledged(client)
            client.settimeout(PATIENCE)
            daemon.process.terminate()
            daemon.expect("stopping; sessions to finish, in 600 s at most: 1$")
            returned = readAll(client)
            self.assertGreaterEqual(len(returned), accepted)
            self.assertTrue((PATTERN * (sent // 16 + 1)).startswith(returned))
            client.close()
            daemon.expect("stopped; sessions finished: 1, cut: 0$")
            self.assertEqual(daemon.process.wait(PATIENCE), -signal.SIGTERM)

    def test_secondSignal(self) -> None:
        """
        A second signal ends the daemon at once.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.reserved() as daemon, connect(daemon.tcp) as client:
                fill(daemon, client)
                daemon.process.send_signal(number)
                daemon.expect("stopping")
                daemon.process.send_signal(number)
                daemon.expect("stopped; sessions finished: 0, cut: 1$")
                self.assertEqual(daemon.process.wait(PATIENCE), -number)

    def reserved(self) -> Daemon:
        """
        @return: A daemon with all the time it needs to end.
        """
        return Daemon("--tcp", "0", "--drain-timeout", "600", reactor=self.reactor)


class AsyncioDaemonTests(DaemonTests):
    """
    The same tests on Twisted's asyncio reactor.
    """

    reactor = "asyncio"


class UVLoopDaemonTests(DaemonTests):
    """
    The same tests on the uvloop reactor.
    """

    reactor = "uvloop"

    def setUp(self) -> None:
        if find_spec("uvloop") is None:
            lacking("uvloop")
        super().setUp()

    def test_chosen(self) -> None:
        """
        The uvloop reactor is used if none was chosen; a chosen reactor is kept.
        """
        for chosen, name in ((None, "UVLoopReactor"), ("poll", "PollReactor")):
            with Daemon("--tcp", "0", reactor=chosen) as daemon:
                pass
            log = "".join(daemon.log)
            self.assertIn(f" on {name}\n", log)
            self.assertIn(f".{name}.\n", log)


class OptionsTests(SynchronousTestCase):
    """
    Tests for options of the daemon.
    """

    def test_noGoodbye(self) -> None:
        """
        With C{--no-goodbye}, a goodbye is returned like other data.
        """
        with Daemon("--tcp", "0", "--no-goodbye") as daemon, connect(daemon.tcp) as client:
            client.sendall(b"a\nbye\nmore\n")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(readAll(client), b"a\nbye\nmore\n")

    def test_showMessages(self) -> None:
        """
        With C{--show-messages}, each received message is in the log, on one line.
        """
        with Daemon("--tcp", "0", "--show-messages") as daemon, connect(daemon.tcp) as client:
            client.sendall("héhé\r\n[forged] \x1b[2J".encode())
            daemon.expect(r": from 127.0.0.1:\d+: héhé\\r\\n\[forged\] \\x1b\[2J$")

    def test_maxConnections(self) -> None:
        """
        More connections than there may be are closed at once and logged, and there is room
        again when one has ended.
        """
        with Daemon("--tcp", "0", "--max-connections", "1", "--greeting", "0") as daemon:
            with connect(daemon.tcp) as served:
                served.sendall(b"hello")
                self.assertEqual(readExactly(served, 5), b"hello")
                for _ in range(3):
                    with connect(daemon.tcp) as refused, contextlib.suppress(ConnectionError):
                        self.assertEqual(readAll(refused), b"")
                with connect(daemon.greeting) as other:
                    self.assertEqual(readAll(other), GREETING)
                daemon.expect(r"refused 127.0.0.1:\d+: too many connections$")
                count = 1
                # On a slow machine a second may pass between two connections.
                while count < 3:
                    count += int(daemon.expect(MORE_REFUSED)[1] or 1)
            daemon.expect("TCP echo: .* ended")
            with connect(daemon.tcp) as served:
                served.sendall(b"hello")
                self.assertEqual(readExactly(served, 5), b"hello")

    def test_denied(self) -> None:
        """
        None of the three servers serves a denied peer.
        """
        with Daemon(
            *("--tcp", "0", "--udp", "0", "--greeting", "0"),
            *("--allow", "127.0.0.0/8", "--deny", "127.0.0.1"),
        ) as daemon:
            for address in (daemon.tcp, daemon.greeting):
                with connect(address) as refused, contextlib.suppress(ConnectionError):
                    self.assertEqual(readAll(refused), b"")
                daemon.expect("denied address$")
            with connect(daemon.udp, socket.SOCK_DGRAM) as client:
                client.send(b"x")
                daemon.expect("UDP echo: refused .* denied address$")
            allowed = socket.create_connection(daemon.greeting, PATIENCE, ("127.0.0.2", 0))
            with allowed:
                self.assertEqual(readAll(allowed), GREETING)

    def test_idle(self) -> None:
        """
        A peer that sends nothing is disconnected after the idle timeout.
        """
        with (
            Daemon("--tcp", "0", "--idle-timeout", "0.2") as daemon,
            connect(daemon.tcp) as client,
        ):
            self.assertEqual(readAll(client), b"")
            client.close()
            daemon.expect("ended: idle; 0 bytes in")

    def test_killedWithSocket(self) -> None:
        """
        After a daemon with a UNIX socket was killed, the next one takes the socket over,
        although the lock names a process that lives; one that serves keeps its socket.
        """
        directory = temporaryDirectory(self)
        arguments = [
            f"--{option}=unix:{directory / option}" for option in ("tcp", "greeting", "status")
        ]
        arguments.append("--drain-timeout=0")
        if SPREADS:
            arguments.append("--workers=2")
        first = Daemon(*arguments)
        for _ in range(3):
            first.expect("listens on unix:")
        done = twistd("echod", *arguments)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(
            done.stdout,
            r"cannot listen on unix:.*: a process listens on this socket\n$",
        )
        first.process.kill()
        first.process.wait(PATIENCE)
        # Workers end a little later than their parent.
        wait(lambda: self.isDead(directory / "tcp"))
        for option in ("tcp", "greeting", "status"):
            lock = directory / f"{option}.lock"
            lock.unlink()
            lock.symlink_to(str(os.getpid()))
        with Daemon(*arguments) as second:
            for _ in range(3):
                second.expect("listens on unix:")
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE)
                client.connect(str(directory / "tcp"))
                client.sendall(b"hello")
                self.assertEqual(readExactly(client, 5), b"hello")
        self.assertEqual(os.listdir(directory), [])

    def isDead(self, path: Path) -> bool:
        """
        @return: True if no process listens on a UNIX socket.
        """
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(path)) == errno.ECONNREFUSED

    def test_unixSocket(self) -> None:
        """
        An endpoint description serves as well as an address.
        """
        path = temporaryDirectory(self) / "socket"
        with Daemon(f"--tcp=unix:{path}") as daemon, socket.socket(socket.AF_UNIX) as client:
            daemon.expect(f"TCP echo listens on unix:{path}$")
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(b"hello")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(readAll(client), b"hello")


class ErrorTests(SynchronousTestCase):
    """
    Tests for errors: each is one clear line, and an exit status other than zero.
    """

    def test_badValue(self) -> None:
        """
        A bad value is one line, from twistd and from twist.
        """
        for command in ([*TWISTD, "-n"], TWIST):
            done = runDaemon([*command, "echod", "--udp", "x"])
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"^echod: --udp x: [^\n]*\n$")

    def test_portInUse(self) -> None:
        """
        Each address in use is one line, and the last line is the whole command with free
        ports, from twistd and from twist.
        """
        with (
            socket.create_server(("127.0.0.1", 0)) as taken,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as takenUDP,
        ):
            takenUDP.bind(("127.0.0.1", 0))
            port, other = taken.getsockname()[1], takenUDP.getsockname()[1]
            lines = [
                f"{kind} echo cannot listen on 127.0.0.1:{number}: Address already in use; "
                "ss -lntup shows the process that uses it\n"
                for kind, number in (("TCP", port), ("UDP", other))
            ]
            arguments = ["echod", "--greeting", "0", "--tcp", str(port), f"--udp={other}"]
            for command, stream in (
                ([*TWISTD, "-n", "--pidfile="], "stdout"),
                (TWIST, "stderr"),
            ):
                done = runDaemon([*command, *arguments])
                self.assertEqual(done.returncode, 1)
                said = [
                    line
                    for line in getattr(done, stream).splitlines(keepends=True)
                    if re.search("cannot listen|instead", line)
                ]
                free = shlex.join([*command, "echod"]) + " --greeting 0 --tcp 0 --udp 0\n"
                lines[2:] = [f"this uses free ports (0) instead: {free}"]
                self.assertEqual(len(said), 3)
                for found, line in zip(said, lines, strict=True):
                    self.assertTrue(found.endswith(line), found)

    def test_pidFile(self) -> None:
        """
        A daemon that cannot listen leaves no PID file behind, and says why to who
        started it.
        """
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            directory = temporaryDirectory(self)
            pidFile, logFile = directory / "pid", directory / "log"
            done = runDaemon(
                [
                    *TWISTD,
                    f"--pidfile={pidFile}",
                    f"--logfile={logFile}",
                    *("echod", "--tcp", str(port)),
                ]
            )
        self.assertEqual(done.returncode, 1)
        self.assertIn("CannotServe: TCP echo cannot listen on 127.0.0.1", done.stderr)
        # The daemon removes the file after it has told the starting process why.
        wait(lambda: not pidFile.exists())
        log = logFile.read_text()
        self.assertIn(f"TCP echo cannot listen on 127.0.0.1:{port}: Address already", log)
        self.assertNotIn("Traceback", log)

    def test_articleWithoutServer(self) -> None:
        """
        The article's UDP client says that no server is running when there is
        none.
        """
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unused:
            unused.bind(("127.0.0.1", 0))
            # It takes datagrams of this peer only, and no other process can have its port.
            unused.connect((HOST, 9))
            client = Article("udp", unused.getsockname()[1])
            self.assertEqual(client.printed(), "[!] Server not running")
            self.assertEqual(client.ended(), 0)


class RestartTests(TestCase):
    """
    A service in the reactor of this process.
    """

    @inlineCallbacks
    def test_startsAgain(self):  # type: ignore[no-untyped-def]
        """
        A service can be stopped and started again, and serves again.
        """
        options = Options(reactor)
        options.parseOptions(["--greeting", "0", "--tcp", "0", "--udp", "0"])
        service = makeService(options)

        class Greeted(Protocol):
            """
            Fires when the peer has closed.
            """

            def __init__(self) -> None:
                self.said = b""
                self.lost: Deferred[bytes] = Deferred()

            def dataReceived(self, data: bytes) -> None:
                self.said += data

            def connectionLost(self, reason: object = None) -> None:
                self.lost.callback(self.said)

        for _ in range(2):
            service.startService()
            greeting = next(iter(service))
            port = greeting.port.getHost().port
            client = yield connectProtocol(
                TCP4ClientEndpoint(reactor, "127.0.0.1", port), Greeted()
            )
            said = yield client.lost
            self.assertEqual(said, GREETING)
            yield service.stopService()
