"""
Count the system calls of a session, with C{strace}: of echod, and of the servers that it is
compared with.  Print them as a table in reStructuredText.
"""

from __future__ import annotations

import re
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import which
from signal import SIGINT
from subprocess import DEVNULL, Popen, run
from tempfile import TemporaryDirectory
from time import monotonic, sleep

HERE = Path(__file__).parent
TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]

SESSIONS = 300
"""
The number of counted sessions, one after another: so many that timers do not show.
"""

WARM_UP = 50
START = 30.0
"""
The longest time for the start of a server, in seconds.
"""

SETTLE = 0.5
"""
The time that a server needs to end its last sessions, and C{strace} to attach, in seconds.
"""

SHOWN = 0.1
"""
The smallest number of calls in one session that is shown: less is caused by timers.
"""

_ROW = re.compile(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)\n")


def greeted(server: socket.socket) -> None:
    """
    Read a greeting to its end.
    """
    while server.recv(4096):
        pass


def echoed(server: socket.socket) -> None:
    """
    Send a message, and read it.
    """
    server.sendall(b"hello\n")
    server.recv(4096)


def echod(reactor: str, option: str) -> list[str]:
    """
    @return: The command of echod.
    """
    quiet = ["--pidfile=", "--logfile=/dev/null"]
    return [*TWISTD, f"--reactor={reactor}", "-n", *quiet, "echod", f"--{option}", "PORT"]


def peer(name: str) -> list[str]:
    """
    @return: The command of another server in Python.
    """
    return [sys.executable, str(HERE / "peers.py"), name, "PORT"]


def servers(program: str) -> dict[str, tuple[Callable[[socket.socket], None], list[str]]]:
    """
    @param program: The server in C.

    @return: The actions of a client in a session with each server, and the server's command.
    """
    return {
        "greeting, C": (greeted, [program, "greet", "PORT"]),
        "greeting, stock Twisted": (greeted, peer("greeting")),
        "greeting, echod": (greeted, echod("uvloop", "greeting")),
        "greeting, echod on epoll": (greeted, echod("epoll", "greeting")),
        "echo, C": (echoed, [program, "epoll", "PORT"]),
        "echo, bare uvloop": (echoed, peer("uvloop")),
        "echo, stock Twisted": (echoed, peer("twisted")),
        "echo, echod": (echoed, echod("uvloop", "tcp")),
        "echo, echod on epoll": (echoed, echod("epoll", "tcp")),
    }


def sessions(number: int, port: int, talk: Callable[[socket.socket], None]) -> None:
    """
    Have sessions, one after another.
    """
    for _ in range(number):
        with socket.create_connection(("127.0.0.1", port)) as server:
            talk(server)


def count(talk: Callable[[socket.socket], None], command: list[str]) -> Counter[str]:
    """
    @return: How many system calls a session costs the server, by name.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Popen(
        [word.replace("PORT", str(port)) for word in command], stdout=DEVNULL, stderr=DEVNULL
    )
    try:
        deadline = monotonic() + START
        while monotonic() < deadline and server.poll() is None:
            with suppress(ConnectionRefusedError):
                sessions(WARM_UP, port, talk)
                break
            sleep(0.1)
        return traced(server.pid, lambda: sessions(SESSIONS, port, talk))
    finally:
        server.kill()
        server.wait()


def traced(process: int, work: Callable[[], None]) -> Counter[str]:
    """
    @return: How many system calls of a process the work has caused, for each session.
    """
    with TemporaryDirectory() as directory:
        output = Path(directory, "output")
        sleep(SETTLE)
        strace = Popen(["strace", "-f", "-c", "-o", str(output), "-p", str(process)])
        sleep(SETTLE)
        work()
        sleep(SETTLE)
        strace.send_signal(SIGINT)
        strace.wait()
        rows = [_ROW.fullmatch(line) for line in output.open()]
    calls = {row[2]: int(row[1]) / SESSIONS for row in rows if row and row[2] != "total"}
    return Counter({name: number for name, number in calls.items() if number >= SHOWN})


def main() -> None:
    """
    Count, and print the table.
    """
    missing = [program for program in ("cc", "strace") if not which(program)]
    if missing:
        sys.exit(f"counting system calls needs {' and '.join(missing)}")
    rule = f"{'=' * 26} {'=' * 5} {'=' * 90}"
    print(f"{rule}\n{'session':26} {'calls':>5} names\n{rule}")
    with TemporaryDirectory() as directory:
        program = f"{directory}/peer"
        run(["cc", "-O2", "-o", program, str(HERE / "peer.c")], check=True)
        for name, (talk, command) in servers(program).items():
            calls = count(talk, command)
            names = ", ".join(
                f"{call} {number:.1f}" if round(number, 1) != 1 else call
                for call, number in calls.most_common()
            )
            print(f"{name:26} {sum(calls.values()):5.1f} {names}", flush=True)
    print(rule)


if __name__ == "__main__":
    main()
