"""
Measure echod against others, side by side: C{make bench}.

Each server runs alone on one core, the load on another.  All servers of one
kind of work take their turns in every round, and what is shown is the median of
the rounds, so that a noisy minute spoils one round and favours none.  The
measure is the processor time that the server spends on a message: it depends
less than any other on what else the machine does.
"""

from __future__ import annotations

import os
import platform
import socket
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from statistics import median
from subprocess import DEVNULL, Popen, TimeoutExpired, run
from tempfile import TemporaryDirectory
from time import monotonic, sleep

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = os.environ.get("SECONDS_EACH", "1")
SERVER_CORE, LOAD_CORE = "0", "1"
IDLE = 5000

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]


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


@dataclass
class Work:
    """
    One kind of work: what to call it, what the load does, and who takes part, C
    first.
    """

    name: str
    load: list[str]
    servers: dict[str, list[str]]


def works(peer: str) -> list[Work]:
    """
    @return: All that is measured.
    """
    c = {"C epoll": [peer, "epoll", "PORT"]}
    ours = {"echod": echod("uvloop", "tcp"), "echod, epoll": echod("epoll", "tcp")}
    stock = {"stock Twisted": python("twisted")}
    bare = {"bare uvloop": python("uvloop"), "bare asyncio": python("asyncio")}
    others = {"article": python("article")}
    tcp = {**c, **ours, **bare, **stock}
    datagrams = {
        "C recvmmsg": [peer, "recvmmsg", "PORT"],
        "C recvfrom": [peer, "recvfrom", "PORT"],
        "echod": echod("uvloop", "udp"),
        "echod, epoll": echod("epoll", "udp"),
        **stock,
    }
    greetings = {
        "C": [peer, "greet", "PORT"],
        "echod": echod("uvloop", "greeting"),
        "echod, epoll": echod("epoll", "greeting"),
    }
    return [
        Work("ping-pong, 1 connection, 64 B", ["tcp", SECONDS, "1", "64", "1"], tcp),
        Work(
            "ping-pong, 64 connections, 64 B",
            ["tcp", SECONDS, "64", "64", "1"],
            {**tcp, **others},
        ),
        Work("ping-pong, 1000 connections, 64 B", ["tcp", SECONDS, "1000", "64", "1"], tcp),
        Work("50 lines pipelined, 64 connections", ["tcp", SECONDS, "64", "3200", "50"], tcp),
        Work("64 KiB blocks, 4 connections", ["tcp", SECONDS, "4", "65536", "1"], tcp),
        Work("greetings", ["greet", SECONDS, "16"], greetings),
        Work("datagrams, 1 source, 64 B", ["udp", SECONDS, "1", "64", "64"], datagrams),
        Work("datagrams, 64 sources, 64 B", ["udp", SECONDS, "64", "64", "4"], datagrams),
        Work(f"bytes for an idle connection, of {IDLE}", ["idle", "0", str(IDLE)], tcp),
    ]


def freePort() -> int:
    """
    @return: A port that nobody listens on.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int, udp: bool) -> bool:
    """
    @return: Whether somebody listens on a port by now.
    """
    tables = [Path(f"/proc/net/{'udp' if udp else 'tcp'}{v}") for v in ("", "6")]
    return any(
        line.split()[1].endswith(f":{port:04X}")
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    )


def measure(work: Work, server: list[str], load: str) -> tuple[float, float]:
    """
    @return: The server's processor time for a message in microseconds (for
        idle connections: bytes), and messages a second.
    """
    port = freePort()
    command = [word.replace("PORT", str(port)) for word in server]
    process = Popen(["taskset", "-c", SERVER_CORE, *command], stdout=DEVNULL, stderr=DEVNULL)
    try:
        deadline = monotonic() + 20
        while not listens(port, work.load[0] == "udp"):
            if monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"{command} does not listen")
            sleep(0.02)
        kind, *rest = work.load
        done = run(
            [
                *("taskset", "-c", LOAD_CORE),
                *(load, kind, "127.0.0.1", str(port), str(process.pid), *rest),
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        messages, seconds, spent, *memory = map(float, done.stdout.split())
        if memory:
            return memory[0], 0.0
        return spent / messages * 1e6, messages / seconds
    finally:
        process.terminate()
        try:
            process.wait(10)
        except TimeoutExpired:
            process.kill()
            process.wait()


def table(work: Work, results: dict[str, list[tuple[float, float]]]) -> list[str]:
    """
    @return: The lines of a table in reStructuredText.
    """
    costs = {name: median(cost for cost, _ in rounds) for name, rounds in results.items()}
    rates = {name: median(rate for _, rate in rounds) for name, rounds in results.items()}
    base = next(iter(costs.values()))
    unit = "bytes" if work.load[0] == "idle" else "us"
    head = f"{'':16} {unit:>8} {'to C':>6} {'messages/s':>11}"
    rule = f"{'=' * 16} {'=' * 8} {'=' * 6} {'=' * 11}"
    rows = [
        f"{name:16} {cost:8.2f} {cost / base:6.2f} {rates[name]:11.0f}"
        for name, cost in costs.items()
    ]
    return [work.name, "-" * len(work.name), "", rule, head, rule, *rows, rule, ""]


def picture(tables: dict[str, dict[str, float]]) -> str:
    """
    @return: A bar chart of the ratios to C, as SVG.
    """
    colours = {"echod": "#2f6fde", "echod, epoll": "#9bbcf5"}
    out, y = [], 24
    for work, ratios in tables.items():
        out.append(f'<text x="10" y="{y}" font-weight="bold">{work}</text>')
        for name, ratio in ratios.items():
            y += 20
            width = min(ratio, 8) * 60
            fill = colours.get(name, "#b8b8b8")
            out.append(f'<text x="160" y="{y}" text-anchor="end">{name}</text>')
            out.append(
                f'<rect x="170" y="{y - 11}" width="{width:.0f}" height="13" fill="{fill}"/>'
            )
            out.append(f'<text x="{width + 176:.0f}" y="{y}">{ratio:.2f}</text>')
        y += 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{y}" '
        'font-family="sans-serif" font-size="12">'
        '<rect width="100%" height="100%" fill="white"/>' + "".join(out) + "</svg>\n"
    )


def main() -> None:
    """
    Measure, and print the tables.
    """
    if (os.cpu_count() or 1) < 2 or not which("cc"):
        sys.exit("the benchmark needs two cores and a C compiler")
    with TemporaryDirectory() as directory:
        for name in ("load", "peer"):
            target = f"{directory}/{name}"
            run(["cc", "-O2", "-o", target, str(HERE / f"{name}.c")], check=True)
        ratios: dict[str, dict[str, float]] = {}
        print(f"{platform.platform()}, Python {platform.python_version()}; {ROUNDS} rounds\n")
        for work in works(f"{directory}/peer"):
            results: dict[str, list[tuple[float, float]]] = defaultdict(list)
            for _ in range(ROUNDS):
                for name, server in work.servers.items():
                    try:
                        results[name].append(measure(work, server, f"{directory}/load"))
                    except RuntimeError as error:
                        print(f"{work.name}, {name}: {error}", file=sys.stderr)
            print("\n".join(table(work, results)), flush=True)
            costs = {name: median(c for c, _ in rounds) for name, rounds in results.items()}
            base = next(iter(costs.values()))
            ratios[work.name] = {name: cost / base for name, cost in costs.items()}
        Path("benchmark.svg").write_text(picture(ratios))
        print("The picture is in benchmark.svg.")


if __name__ == "__main__":
    main()
