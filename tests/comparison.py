"""
Is README's table of echo servers true?  Each cell is found out anew: every server is
run, and asked.

Not among the tests: it takes two minutes, and programs that few people have.  What is
not there is passed over.  xinetd wants to be run as root.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from fcntl import ioctl
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from shutil import which
from subprocess import DEVNULL, Popen, run
from tempfile import TemporaryDirectory
from termios import TIOCOUTQ
from threading import Thread
from unittest import SkipTest
from urllib.request import urlopen

from soak.namespaces import forged
from tests.daemon import TWISTD
from tests.story import ALONE
from tests.support import CHECKOUT, ENVIRONMENT, lacking

ASKING, ASKED = "192.0.2.1", "192.0.2.2"
"""
Two addresses of the machine: inetd answers no datagrams from 127.0.0.1.
"""

MARK = ".. What follows is checked by tests/comparison.py."

PORT = 7
"""
The one of RFC 862: inetd echoes on no other.
"""

LARGEST = 65507
"""
What UDP can carry over IPv4, in bytes.
"""

STREAM = bytes(range(256)) * 16384
"""
Four megabytes: more than the system's buffers take.
"""

MOST_UNREAD = 64 << 20
"""
Who takes as much from a peer that does not read takes everything.
"""

CLIENTS = 1000

TIMES = 5
"""
How often to try what some do now and then.
"""

PATIENCE = 5.0
"""
How long to wait for what should come at once, in seconds.
"""

LOOPS = 100
"""
So many datagrams, where one was sent, are a loop.
"""


class Server:
    """
    An echo server.

    @cvar name: What it is called in the table.

    @cvar program: What must be there.
    """

    name: str
    program: str

    limited: tuple[str, ...] | None = None
    """
    What has it serve two connections at most; L{None} if there is nothing.
    """

    perSource: tuple[str, ...] | None = None
    """
    What has it serve two connections from one address.
    """

    impatient: tuple[str, ...] | None = None
    """
    What has it end a connection after a second of silence.
    """

    exclusive: tuple[str, ...] | None = None
    """
    What has it serve L{ASKED} alone.
    """

    metrics: tuple[str, ...] | None = None
    """
    What has it tell what it does.
    """

    encrypted: tuple[str, ...] | None = None
    """
    What has it speak TLS, with C{pem} as the file of key and certificate.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @param protocol: C{tcp} or C{udp}.

        @return: What runs it.
        """
        raise NotImplementedError

    def configuration(self, text: str) -> str:
        """
        @return: The name of a file with that text.
        """
        path = self.directory / "configuration"
        path.write_text(text)
        return str(path)


class Inetd(Server):
    """
    The echo that is built into Debian's C{openbsd-inetd}.
    """

    name = "inetd"
    program = "inetd"

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        service = {
            "tcp": "echo stream tcp nowait root internal",
            "udp": "echo dgram udp wait root internal",
        }[protocol]
        return [self.program, "-i", self.configuration(service + "\n")]


class Xinetd(Server):
    """
    The echo that is built into xinetd.
    """

    name = "xinetd"
    program = "xinetd"
    limited = ("instances = 2",)
    perSource = ("per_source = 2",)
    exclusive = (f"only_from = {ASKED}",)

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        kind = {
            "tcp": ("socket_type = stream", "protocol = tcp", "wait = no"),
            "udp": ("socket_type = dgram", "protocol = udp", "wait = yes"),
        }[protocol]
        lines = ("service echo", "{", "type = INTERNAL", "user = root", *kind, *options, "}")
        file = self.configuration("\n".join((*lines, "")))
        log, pid = str(self.directory / "log"), str(self.directory / "pid")
        return [*(self.program, "-dontfork"), *("-filelog", log, "-pidfile", pid, "-f", file)]


class Ncat(Server):
    """
    Nmap's netcat, and cat.
    """

    name = "ncat"
    program = "ncat"
    limited = ("-m", "2")
    exclusive = ("--allow", ASKED)
    impatient = ("-i", "1")
    encrypted = ("--ssl", "--ssl-key", "{pem}", "--ssl-cert", "{pem}")

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        udp = ["-u"] if protocol == "udp" else []
        return [self.program, *udp, "-4", "-l", "-k", "-e", "/bin/cat", *options, str(PORT)]


class Socat(Server):
    """
    socat, with a process for each peer.
    """

    name = "socat"
    program = "socat"
    limited = (",max-children=2",)
    exclusive = (f",range={ASKED}/32",)
    impatient = ("-T1",)
    encrypted = ("OPENSSL-LISTEN", ",cert={pem},verify=0")

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        listen = {"tcp": "TCP4-LISTEN", "udp": "UDP4-RECVFROM"}[protocol]
        listen = "".join(option for option in options if option[0] not in "-,") or listen
        flags = [option for option in options if option[0] == "-"]
        more = "".join(option for option in options if option[0] == ",")
        return [self.program, *flags, f"{listen}:{PORT},fork,reuseaddr{more}", "PIPE"]


class Stock(Server):
    """
    Twisted's own echo.
    """

    name = "stock Twisted"
    program = sys.executable

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        return [
            *(self.program, "-m", "soak.stock", "epoll"),
            *(f"--{protocol}", f"0.0.0.0:{PORT}", *options),
        ]


class Echod(Server):
    """
    Ours.
    """

    name = "echod"
    program = sys.executable
    limited = ("--max-connections", "2")
    perSource = ("--max-per-source", "2")
    exclusive = ("--allow", ASKED)
    impatient = ("--idle-timeout", "1")
    metrics = ("--status", "8000")
    encrypted = ("--tcp", "ssl:7:privateKey={pem}:certKey={pem}")

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: What runs it.
        """
        where = () if "--tcp" in options else (f"--{protocol}", f"0.0.0.0:{PORT}")
        return [*TWISTD, "-n", "--pidfile=", "echod", *where, *options]


SERVERS = (Inetd, Xinetd, Ncat, Socat, Stock, Echod)


@contextmanager
def running(kind: type[Server], protocol: str, options: tuple[str, ...] = ()) -> Iterator[int]:
    """
    Run a server until it listens, and end it with all that it has started.

    @return: Its process number, which is that of its group as well.
    """
    with TemporaryDirectory() as directory:
        process = Popen(
            kind(Path(directory)).command(protocol, options),
            env=ENVIRONMENT,
            start_new_session=True,
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        try:
            waitFor(lambda: listens(protocol))
            yield process.pid
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            waitFor(lambda: not listens(protocol))


def waitFor(condition: Callable[[], bool]) -> None:
    """
    @raise AssertionError: if a condition does not come true.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listens(protocol: str) -> bool:
    """
    @return: Whether somebody does, at the port of the echo.
    """
    state = "0A" if protocol == "tcp" else "07"
    tables = [Path(f"/proc/net/{protocol}{version}").read_text() for version in ("", "6")]
    return re.search(rf":{PORT:04X} \w+:0000 {state}", "".join(tables)) is not None


def connected(source: str = ASKING) -> socket.socket:
    """
    @return: A connection to the server.
    """
    client = socket.create_connection((ASKED, PORT), PATIENCE, (source, 0))
    client.settimeout(PATIENCE)
    return client


def answers(client: socket.socket, timeout: float = PATIENCE) -> bool:
    """
    @return: Whether an echo is there.
    """
    client.settimeout(timeout)
    with suppress(OSError):
        client.sendall(b"hello")
        return client.recv(64) == b"hello"
    return False


def afterHalfClose(kind: type[Server]) -> str:
    """
    Does all come back to a peer that has shut down its sending side?
    """
    with running(kind, "tcp"):
        return word(all(comesBack() for _ in range(TIMES)))


def comesBack() -> bool:
    """
    @return: Whether all that is sent before a half-close does.
    """
    with connected() as client:

        def send() -> None:
            with suppress(OSError):
                client.sendall(STREAM)
                client.shutdown(socket.SHUT_WR)

        sender = Thread(target=send)
        sender.start()
        # What is in the buffers then, is still to be sent.
        time.sleep(0.5)
        came = bytearray()
        with suppress(OSError):
            while data := client.recv(1 << 16):
                came += data
        client.close()
        sender.join()
    return came == STREAM


def boundedMemory(kind: type[Server]) -> str:
    """
    Is a peer that does not read, not read from?
    """
    with running(kind, "tcp"), connected() as client:
        return word(sendable(client) < MOST_UNREAD)


def clientsAtOnce(kind: type[Server]) -> str:
    """
    How many of a thousand clients, connected one after the other, are served?
    """
    served: list[socket.socket] = []
    with running(kind, "tcp"):
        with suppress(OSError):
            while len(served) < CLIENTS:
                served.append(connected())
                if not answers(served[-1], 2.0):
                    served.pop().close()
                    break
        for client in served:
            client.close()
    return "yes" if len(served) == CLIENTS else str(len(served))


def answersFromThere(kind: type[Server]) -> str:
    """
    Does an answer come from the address that was asked?
    """
    with running(kind, "udp"), datagrams() as client:
        client.connect((ASKED, PORT))
        return word(answers(client, 1.0))


def largestDatagram(kind: type[Server]) -> str:
    """
    How much of the largest datagram there can be comes back?
    """
    with running(kind, "udp"), datagrams() as client:
        client.connect((ASKING, PORT))
        client.send(bytes(LARGEST))
        size = len(client.recv(LARGEST))
    return "yes" if size == LARGEST else f"{size:,}"


def emptyDatagram(kind: type[Server]) -> str:
    """
    Does an empty datagram come back, and is the server there afterwards?
    """
    with running(kind, "udp"), datagrams() as client:
        client.connect((ASKING, PORT))
        client.send(b"")
        came = b"nothing"
        with suppress(OSError):
            came = client.recv(64)
        return word(came == b"" and answers(client, 1.0))


def guarded(kind: type[Server]) -> str:
    """
    Does one forged datagram not make a loop?
    """
    with (
        running(kind, "udp"),
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
    ):
        there, here = (socket.inet_aton(host) for host in (ASKED, ASKING))
        raw.sendto(forged((there, PORT), (here, PORT), b"forged"), (ASKING, 0))
        before = received()
        time.sleep(1.0)
        return word(received() - before < LOOPS)


def received() -> int:
    """
    @return: How many datagrams have been delivered to anybody.
    """
    lines = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index("InDatagrams")])


def limited(kind: type[Server]) -> str:
    """
    Can the number of connections be limited?
    """
    return thirdIsRefused(kind, kind.limited)


def limitedPerSource(kind: type[Server]) -> str:
    """
    Can it be limited for each address?
    """
    return thirdIsRefused(kind, kind.perSource)


def thirdIsRefused(kind: type[Server], options: tuple[str, ...] | None) -> str:
    """
    @return: Whether two are served, and one more is not.
    """
    if options is None:
        return "no"
    with running(kind, "tcp", options), connected() as first, connected() as second:
        assert answers(first)
        assert answers(second)
        with connected() as third:
            return word(not answers(third, 1.0))


def endsTheIdle(kind: type[Server]) -> str:
    """
    Can a connection be ended that says nothing?
    """
    if kind.impatient is None:
        return "no"
    with running(kind, "tcp", kind.impatient), connected() as client:
        assert answers(client)
        with suppress(TimeoutError):
            return word(client.recv(1) == b"")
    return "no"


def speaksTLS(kind: type[Server]) -> str:
    """
    Can it speak TLS?
    """
    if kind.encrypted is None:
        return "no"
    import ssl

    from tests.tls import makeCertificate

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with TemporaryDirectory() as directory:
        pem = makeCertificate(Path(directory) / "both.pem")
        options = tuple(option.format(pem=pem) for option in kind.encrypted)
        with running(kind, "tcp", options), context.wrap_socket(connected()) as client:
            return word(answers(client))


def stopped(kind: type[Server]) -> str:
    """
    Does SIGTERM take nothing from a peer that the server's system had accepted?
    """
    return word(all(sentDespiteStop(kind) for _ in range(TIMES)))


def sentDespiteStop(kind: type[Server]) -> bool:
    """
    @return: Whether all of that comes back.
    """
    with running(kind, "tcp") as pid, connected() as client:
        sent = sendable(client)
        accepted = sent - unacknowledged(client)
        client.settimeout(PATIENCE)
        os.kill(pid, signal.SIGTERM)
        came = 0
        with suppress(OSError):
            while came < accepted and (data := client.recv(1 << 16)):
                came += len(data)
    return came >= accepted


def exclusive(kind: type[Server]) -> str:
    """
    Can it serve some networks, and nobody else?
    """
    if kind.exclusive is None:
        return "no"
    with running(kind, "tcp", kind.exclusive):
        with connected(ASKED) as client:
            assert answers(client)
        with connected(ASKING) as client:
            return word(not answers(client, 1.0))


def manyPeers(kind: type[Server]) -> str:
    """
    Are twenty peers served who ask at the same time, again and again?
    """
    with running(kind, "udp"), ExitStack() as clients:
        peers = [clients.enter_context(datagrams()) for _ in range(20)]
        for client in peers:
            client.connect((ASKING, PORT))
        return word(all(allAnswered(peers) for _ in range(50)))


def allAnswered(peers: list[socket.socket]) -> bool:
    """
    @return: Whether each of them has an answer to its datagram.
    """
    with suppress(OSError):
        for client in peers:
            client.send(b"hello")
        return all(client.recv(64) == b"hello" for client in peers)
    return False


def metrics(kind: type[Server]) -> str:
    """
    Does it tell what it does?
    """
    if kind.metrics is None:
        return "no"
    with running(kind, "tcp", kind.metrics), urlopen("http://127.0.0.1:8000/metrics") as page:
        said = page.read()
    return word(b"\nechod_received_bytes_total{" in said)


def processorTime(kind: type[Server]) -> str:
    """
    What has C{make bench} found?
    """
    text = (CHECKOUT / "docs" / "benchmarks.rst").read_text()
    figures = text[text.index("\nping-pong, 64 connections") :]
    figures = figures[: figures.index("\nping-pong, 1000 connections")]
    match = re.search(rf"^{kind.name} +[0-9.]+ +([0-9.]+)", figures, re.MULTILINE)
    return match[1] if match else "not measured"


def sendable(client: socket.socket) -> int:
    """
    @return: How much could be sent until there was no room any more.
    """
    client.settimeout(1.0)
    sent = 0
    with suppress(TimeoutError):
        while sent < MOST_UNREAD:
            sent += client.send(STREAM)
    return sent


def unacknowledged(client: socket.socket) -> int:
    """
    @return: How many bytes are still to be received by the system of the server.
    """
    (number,) = struct.unpack("i", ioctl(client, TIOCOUTQ, bytes(4)))
    return int(number)


def datagrams() -> socket.socket:
    """
    @return: A client's socket.
    """
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((ASKING, 0))
    client.settimeout(2.0)
    return client


ROWS: dict[str, Callable[[type[Server]], str]] = {
    "all comes back after a half-close": afterHalfClose,
    "who does not read is not read from": boundedMemory,
    "a stop takes nothing from a peer": stopped,
    "1000 connections at once": clientsAtOnce,
    "TLS": speaksTLS,
    "limits connections": limited,
    "limits those of one source": limitedPerSource,
    "serves some networks only": exclusive,
    "ends idle connections": endsTheIdle,
    "UDP: a datagram of 65,507 bytes": largestDatagram,
    "UDP: an empty datagram": emptyDatagram,
    "UDP: 20 peers at a time": manyPeers,
    "UDP: answers from where it was asked": answersFromThere,
    "UDP: a forged datagram makes no loop": guarded,
    "metrics": metrics,
    "processor time, C is 1": processorTime,
}


def word(truth: bool) -> str:
    """
    @return: It, in a cell of the table.
    """
    return "yes" if truth else "no"


def cells(kind: type[Server]) -> list[str]:
    """
    @return: What there is to say of a server, from top to bottom.
    """
    if which(kind.program) is None:
        lacking(kind.program)
    return [str(check(kind)) for check in ROWS.values()]


def claimed(text: str) -> dict[str, list[str]]:
    """
    @param text: The README.

    @return: What it says of each server.
    """
    table = text[text.index(MARK) + len(MARK) :].lstrip().splitlines()
    spans = [(found.start(), found.end()) for found in re.finditer("=+", table[0])]
    last = next(n for n in range(3, len(table)) if table[n] == table[0])
    lines = [[line[start:end].strip() for start, end in spans] for line in table[1:last]]
    assert [line[0] for line in lines[2:]] == list(ROWS), "other rows"
    return {name: [line[i] for line in lines[2:]] for i, name in enumerate(lines[0]) if i}


def alone() -> int:
    """
    Compare, in a network of our own.

    @return: 0 if the README is true.
    """
    for host in (ASKING, ASKED):
        run(["ip", "address", "add", f"{host}/24", "dev", "lo"], check=True)
    _, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (most, most))
    said = claimed((CHECKOUT / "README.rst").read_text())
    wrong = 0
    for kind in SERVERS:
        try:
            found = cells(kind)
        except SkipTest as reason:
            print(f"{kind.name}: {reason}", flush=True)
            continue
        for row, cell, claim in zip(ROWS, found, said[kind.name], strict=True):
            lie = "" if cell == claim else f", and not {claim}"
            print(f"{kind.name}: {row}: {cell}{lie}", flush=True)
            wrong += bool(lie)
    return int(wrong > 0)


def main() -> int:
    """
    @return: 0 if the README is true.
    """
    if sys.argv[1:] == ["alone"]:
        return alone()
    return run([*ALONE, sys.executable, "-m", "tests.comparison", "alone"]).returncode


if __name__ == "__main__":
    sys.exit(main())
