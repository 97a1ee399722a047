"""
The echo servers that README compares, and how each is run.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from subprocess import DEVNULL, Popen
from tempfile import TemporaryDirectory

from tests.support import ENVIRONMENT
from tests.support.daemon import TWISTD

ASKING, ASKED = "192.0.2.1", "192.0.2.2"
"""
Two addresses of the machine: inetd answers no datagrams from 127.0.0.1.
"""

PORT = 7
"""
The one of RFC 862: inetd echoes on no other.
"""

TIMES = 5
"""
How often to try what some do now and then.
"""

PATIENCE = 5.0
"""
How long to wait for what should come at once, in seconds.
"""


class Server:
    """
    An echo server.

    @cvar name: Its name in the table.

    @cvar program: The program that must be installed.
    """

    name: str
    program: str

    limited: tuple[str, ...] | None = None
    """
    The options that limit it to two connections; L{None} if it has none.
    """

    perSource: tuple[str, ...] | None = None
    """
    The options that limit it to two connections from one address.
    """

    impatient: tuple[str, ...] | None = None
    """
    The options that end a connection after a second of silence.
    """

    exclusive: tuple[str, ...] | None = None
    """
    The options that let it serve only L{ASKED}.
    """

    metrics: tuple[str, ...] | None = None
    """
    The options that make it log.
    """

    encrypted: tuple[str, ...] | None = None
    """
    The options for TLS, with C{pem} as the file of key and certificate.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def missing(cls) -> str | None:
        """
        @return: The name of a missing part that it needs, or L{None}.
        """
        return cls.program if which(cls.program) is None else None

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @param protocol: C{tcp} or C{udp}.

        @return: The command that runs it.
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
        @return: The command that runs it.
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

    @classmethod
    def missing(cls) -> str | None:
        """
        @return: The name of a missing part that it needs, or L{None}.
        """
        mayChangeGroups = Path("/proc/self/setgroups").read_text() == "allow\n"
        return super().missing() or (None if mayChangeGroups else "root, for xinetd")

    def command(self, protocol: str, options: tuple[str, ...]) -> list[str]:
        """
        @return: The command that runs it.
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
        @return: The command that runs it.
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
        @return: The command that runs it.
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
        @return: The command that runs it.
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
        @return: The command that runs it.
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
    @return: True if a server listens at the port of the echo.
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
    @return: True if an echo is there.
    """
    client.settimeout(timeout)
    with suppress(OSError):
        client.sendall(b"hello")
        return client.recv(64) == b"hello"
    return False


def word(truth: bool) -> str:
    """
    @return: It, in a cell of the table.
    """
    return "yes" if truth else "no"
