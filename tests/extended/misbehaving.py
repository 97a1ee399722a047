"""
A table of what C{echoc} says about servers that misbehave: for each server the command, the
exit status and the last line of the output.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from subprocess import run
from threading import Thread
from time import sleep
from typing import NamedTuple

from tests.support import ENVIRONMENT
from tests.support.daemon import PATIENCE

LINES = "hello\nworld\n"

COMMANDS = {
    "tcp": ("tcp", "-w", "0.5"),
    "greet": ("greet", "-w", "0.5"),
    "ping --tcp": ("ping", "--tcp", "-q", "-c", "3", "-i", "0.1", "-W", "0.5"),
    "udp": ("udp", "-w", "0.3"),
    "ping": ("ping", "-q", "-c", "3", "-i", "0.1", "-W", "0.5"),
}

Answer = Callable[[bytes], bytes]


class Behaviour(NamedTuple):
    """
    @ivar answer: The answer to each piece of data; L{None} if the server does not read.

    @ivar closes: True if a TCP server closes after the peer has finished sending.

    @ivar statuses: The expected exit status of each command; a command without one is
        not run.

    @ivar noise: True if a TCP server sends other data for ever.
    """

    answer: Answer | None
    closes: bool
    statuses: dict[str, int]
    noise: bool = False


def statuses(*values: int) -> dict[str, int]:
    """
    @return: The exit statuses in the order of L{COMMANDS}.
    """
    return dict(zip(COMMANDS, values, strict=False))


BEHAVIOURS = {
    "discards everything": Behaviour(lambda data: b"", True, statuses(1, 4, 4, 4, 4)),
    "returns half": Behaviour(
        lambda data: data[: len(data) // 2], True, statuses(1, 4, 5, 1, 5)
    ),
    "returns other bytes": Behaviour(
        lambda data: bytes(byte ^ 0x55 for byte in data), True, statuses(5, 4, 5, 5, 5)
    ),
    "returns everything twice": Behaviour(lambda data: data * 2, True, statuses(5, 4, 0, 5, 5)),
    "closes at once": Behaviour(None, True, statuses(1, 1, 1)),
    "never closes": Behaviour(bytes, False, statuses(1, 4, 0)),
    "never reads": Behaviour(None, False, statuses(1, 4, 4, 4, 4)),
    "never answers": Behaviour(lambda data: b"", False, statuses(1, 4, 4)),
    "never stops sending": Behaviour(None, False, statuses(5, 0), noise=True),
}


def serveStreams(behaviour: Behaviour, server: socket.socket) -> None:
    """
    Serve TCP connections, each in a thread, until the server socket is closed.
    """
    open_: list[socket.socket] = []
    with suppress(OSError):
        while True:
            session, _ = server.accept()
            open_.append(session)
            Thread(target=serveStream, args=(behaviour, session), daemon=True).start()
    for session in open_:
        session.close()


def serveStream(behaviour: Behaviour, session: socket.socket) -> None:
    """
    Serve a connection.
    """
    with suppress(OSError):
        while behaviour.noise:
            session.sendall(b"?")
            sleep(0.1)
        while behaviour.answer is not None and (data := session.recv(1 << 16)):
            session.sendall(behaviour.answer(data))
        if behaviour.closes:
            session.close()


def serveDatagrams(behaviour: Behaviour, server: socket.socket) -> None:
    """
    Answer datagrams until the socket is closed.
    """
    with suppress(OSError):
        while behaviour.answer is not None:
            datagram, peer = server.recvfrom(1 << 16)
            answer = behaviour.answer(datagram)
            if answer:
                server.sendto(answer, peer)


def check(behaviour: Behaviour, command: str, expected: int) -> bool:
    """
    Run a command with a server, and print a row of the table.

    @return: True if the exit status is the expected one.
    """
    streams = "tcp" in command or command == "greet"
    kind = socket.SOCK_STREAM if streams else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if streams:
            server.listen()
        serve = serveStreams if streams else serveDatagrams
        Thread(target=serve, args=(behaviour, server), daemon=True).start()
        target = "{}:{}".format(*server.getsockname())
        ended = run(
            [sys.executable, "-m", "echod.client", *COMMANDS[command], target],
            input=LINES.encode(),
            env=ENVIRONMENT,
            capture_output=True,
            timeout=PATIENCE,
        )
    output = (ended.stderr or ended.stdout).decode().splitlines()
    said = (output or [""])[-1].replace(target, "TARGET")
    line = " ".join(COMMANDS[command])
    wrong = "" if ended.returncode == expected else f" (expected {expected})"
    print(f"    echoc {line}\n        {ended.returncode}{wrong}: {said}", flush=True)
    return not wrong


def main() -> int:
    """
    Print the table.

    @return: 0 if all exit statuses are as expected.
    """
    right = []
    for name, behaviour in BEHAVIOURS.items():
        print(f"A server that {name}:", flush=True)
        right += [check(behaviour, *each) for each in behaviour.statuses.items()]
    return int(not all(right))


if __name__ == "__main__":
    sys.exit(main())
