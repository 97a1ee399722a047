"""
The kinds of work that are measured, and the servers that take part.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from subprocess import run

from benchmarks.contents import CONTENTS

HERE = Path(__file__).parent

SECONDS = os.environ.get("SECONDS_EACH", "1")
IDLE = 5000
"""
The number of idle connections.
"""

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]

ECHOD = "echod"
C = "C"
TWISTED = "stock Twisted"
UVLOOP = "bare uvloop"
STRINGZILLA = "stringzilla"

COMPARED = (C, ECHOD, "echod, epoll", "Go", TWISTED, UVLOOP, STRINGZILLA)
"""
The servers that a target is compared with, and echod.
"""


def python(name: str) -> list[str]:
    """
    @return: The command of one of the peers in Python.
    """
    return [sys.executable, str(HERE / "peers.py"), name, "PORT"]


def echod(reactor: str, option: str) -> list[str]:
    """
    @return: The command of echod, with all that a user has by default.
    """
    command = [*TWISTD, f"--reactor={reactor}", "-n", "--pidfile=", "--logfile=/dev/null"]
    return [*command, "echod", f"--{option}", "PORT"]


def rule(content: str) -> dict[str, list[str]]:
    """
    @return: The commands that measure the goodbye rule alone.
    """
    command = [sys.executable, "-m", "benchmarks.rule", content]
    return {STRINGZILLA: command, "without stringzilla": [*command, "without"]}


@dataclass
class Work:
    """
    One kind of work: its name, the arguments of the load, and the commands of the
    servers.  The first one is what the others are compared with.
    """

    name: str
    load: list[str]
    servers: dict[str, list[str]]


def works(directory: str) -> list[Work]:
    """
    @param directory: The directory of the built programs.

    @return: The servers and clients to measure.
    """
    peer, goPeer = f"{directory}/peer", f"{directory}/gopeer"
    c = {C: [peer, "epoll", "PORT"]}
    ours = {ECHOD: echod("uvloop", "tcp"), "echod, epoll": echod("epoll", "tcp")}
    stock = {TWISTED: python("twisted")}
    bare = {UVLOOP: python("uvloop"), "bare asyncio": python("asyncio")}
    # A process or a thread for each connection.
    socat = "TCP-LISTEN:PORT,bind=127.0.0.1,reuseaddr,fork,backlog=4096"
    many = {
        "article": python("article"),
        "socat": ["socat", socat, "PIPE"],
        "ncat": ["ncat", "-l", "-k", "-e", "/bin/cat", "127.0.0.1", "PORT"],
    }
    few = {**c, **ours, "Go": [goPeer, "tcp", "PORT"], **bare, **stock}
    tcp = {**few, **many}
    datagrams = {
        "C recvmmsg": [peer, "recvmmsg", "PORT"],
        "C recvfrom": [peer, "recvfrom", "PORT"],
        ECHOD: echod("uvloop", "udp"),
        "echod, epoll": echod("epoll", "udp"),
        "Go": [goPeer, "udp", "PORT"],
        **stock,
    }
    greetings = {
        C: [peer, "greet", "PORT"],
        ECHOD: echod("uvloop", "greeting"),
        "echod, epoll": echod("epoll", "greeting"),
        "Go": [goPeer, "greet", "PORT"],
        TWISTED: python("greeting"),
    }
    return [
        Work("ping-pong, 1 connection, 64 B", ["tcp", SECONDS, "1", "64", "1"], tcp),
        Work("ping-pong, 64 connections, 64 B", ["tcp", SECONDS, "64", "64", "1"], tcp),
        Work("ping-pong, 1000 connections, 64 B", ["tcp", SECONDS, "1000", "64", "1"], tcp),
        Work("50 lines pipelined, 64 connections", ["tcp", SECONDS, "64", "3200", "50"], tcp),
        Work("64 KiB blocks, 4 connections", ["tcp", SECONDS, "4", "65536", "1"], tcp),
        Work("greetings, 32 at once", ["greet", SECONDS, "32"], greetings),
        Work("datagrams, 1 source, 64 B", ["udp", SECONDS, "1", "64", "64"], datagrams),
        Work("datagrams, 64 sources, 64 B", ["udp", SECONDS, "64", "64", "4"], datagrams),
        Work("memory of an idle connection that has spoken", ["idle", "0", str(IDLE)], few),
        *(Work(f"goodbye rule, 64 KiB of {name}", ["rule"], rule(name)) for name in CONTENTS),
    ]


def build(directory: str) -> None:
    """
    Build the load and the peers.
    """
    for name in ("load", "peer"):
        run(["cc", "-O2", "-o", f"{directory}/{name}", str(HERE / f"{name}.c")], check=True)
    if which("go"):
        run(
            ["go", "build", "-o", f"{directory}/gopeer", str(HERE / "peer.go")],
            env={**os.environ, "GOCACHE": f"{directory}/gocache", "GOTOOLCHAIN": "local"},
            check=True,
        )
