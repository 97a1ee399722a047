"""
Measure echod against others, side by side: C{make bench}.

Each server runs alone on one core, the load on another.  All servers of one
kind of work take their turns in every round, and what is shown is the median of
the rounds, so that a noisy minute spoils one round and favours none.  The
measure is the processor time that the server spends on a message: it depends
less than any other on what else the machine does.

Prints the tables, and writes them and their picture into the documentation.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import socket
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from shutil import which
from signal import SIGKILL, SIGTERM
from statistics import median
from subprocess import DEVNULL, Popen, TimeoutExpired, run
from tempfile import TemporaryDirectory
from time import monotonic, sleep

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.rst"
PICTURE = PAGE.with_suffix(".svg")
MEASURED = ".. What follows is written by benchmarks/run.py.\n"

ROUNDS = int(os.environ.get("ROUNDS", "5"))
SECONDS = os.environ.get("SECONDS_EACH", "1")
IDLE = 5000

TOOLS = {"cc": "a C compiler", "taskset": "taskset"}
FILES = 3 * IDLE
"""
How many a server or its load may have to open, and some to spare.
"""

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]

Figures = dict[str, tuple[float, float]]
"""
For each server: the cost of a message, and messages a second.
"""


class Unable(Exception):
    """
    A server cannot do a work.
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


@dataclass
class Work:
    """
    One kind of work: what to call it, what the load does, and who takes part, C
    first.
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
    c = {"C epoll": [peer, "epoll", "PORT"]}
    ours = {"echod": echod("uvloop", "tcp"), "echod, epoll": echod("epoll", "tcp")}
    stock = {"stock Twisted": python("twisted")}
    bare = {"bare uvloop": python("uvloop"), "bare asyncio": python("asyncio")}
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
        "echod": echod("uvloop", "udp"),
        "echod, epoll": echod("epoll", "udp"),
        "Go": [goPeer, "udp", "PORT"],
        **stock,
    }
    greetings = {
        "C": [peer, "greet", "PORT"],
        "echod": echod("uvloop", "greeting"),
        "echod, epoll": echod("epoll", "greeting"),
    }
    return [
        Work("ping-pong, 1 connection, 64 B", ["tcp", SECONDS, "1", "64", "1"], tcp),
        Work("ping-pong, 64 connections, 64 B", ["tcp", SECONDS, "64", "64", "1"], tcp),
        Work("ping-pong, 1000 connections, 64 B", ["tcp", SECONDS, "1000", "64", "1"], tcp),
        Work("50 lines pipelined, 64 connections", ["tcp", SECONDS, "64", "3200", "50"], tcp),
        Work("64 KiB blocks, 4 connections", ["tcp", SECONDS, "4", "65536", "1"], tcp),
        Work("greetings", ["greet", SECONDS, "16"], greetings),
        Work("datagrams, 1 source, 64 B", ["udp", SECONDS, "1", "64", "64"], datagrams),
        Work("datagrams, 64 sources, 64 B", ["udp", SECONDS, "64", "64", "4"], datagrams),
        Work(f"memory of an idle connection, of {IDLE}", ["idle", "0", str(IDLE)], few),
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
    state = "07" if udp else "0A"
    tables = [Path(f"/proc/net/{'udp' if udp else 'tcp'}{v}") for v in ("", "6")]
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == state
        for table in tables
        if table.exists()
        for line in table.read_text().splitlines()[1:]
    )


def start(work: Work, server: list[str], port: int) -> Popen[bytes]:
    """
    @return: The server, in a session of its own, which has begun to listen.
    """
    core = str(min(os.sched_getaffinity(0)))
    command = [word.replace("PORT", str(port)) for word in server]
    process = Popen(
        ["taskset", "-c", core, *command],
        stdout=DEVNULL,
        stderr=DEVNULL,
        start_new_session=True,
    )
    deadline = monotonic() + 20
    while not listens(port, work.load[0] == "udp"):
        if monotonic() > deadline or process.poll() is not None:
            stop(process)
            raise Unable("does not listen")
        sleep(0.02)
    return process


def stop(process: Popen[bytes]) -> None:
    """
    Have done with a server, and with its children.
    """
    try:
        os.killpg(process.pid, SIGTERM)
        process.wait(10)
    except ProcessLookupError:
        process.wait()
    except TimeoutExpired:
        os.killpg(process.pid, SIGKILL)
        process.wait()


def measure(work: Work, server: list[str], load: str) -> tuple[float, float]:
    """
    @return: The server's processor time for a message in microseconds (for
        idle connections: bytes), and messages a second.
    """
    port = freePort()
    process = start(work, server, port)
    core = str(max(os.sched_getaffinity(0)))
    kind, *rest = work.load
    command = [load, kind, "127.0.0.1", str(port), str(process.pid), *rest]
    try:
        done = run(
            ["taskset", "-c", core, *command], capture_output=True, text=True, timeout=30
        )
    except TimeoutExpired:
        raise Unable("takes too long") from None
    finally:
        stop(process)
    if done.returncode:
        raise Unable(done.stderr.strip())
    messages, seconds, spent, *memory = map(float, done.stdout.split())
    if memory:
        return memory[0], 0.0
    return spent / messages * 1e6, messages / seconds


def compare(work: Work, load: str) -> Figures:
    """
    @return: The medians of all rounds.  A server that fails once takes no
        further part.
    """
    able = {name: server for name, server in work.servers.items() if which(server[0])}
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in able}
    for _ in range(ROUNDS):
        for name in tuple(results):
            try:
                results[name].append(measure(work, able[name], load))
            except Unable as error:
                print(f"{work.name}, {name}: {error}", file=sys.stderr)
                del results[name]
    return {
        name: (median(cost for cost, _ in rounds), median(rate for _, rate in rounds))
        for name, rounds in results.items()
    }


def table(work: Work, figures: Figures) -> str:
    """
    @return: A table in reStructuredText, with an empty row for a server that cannot do
        the work.
    """
    base, baseRate = next(iter(figures.values()))
    idle = work.load[0] == "idle"
    rule = f"{'=' * 16} {'=' * 8} {'=' * 6}" + ("" if idle else f" {'=' * 11} {'=' * 6}")
    head = f"{'':16} {'bytes' if idle else 'us':>8} {'to C':>6}"
    rows = []
    for name in work.servers:
        row = f"{name:16}"
        if name in figures:
            cost, rate = figures[name]
            row += f" {cost:8.{0 if idle else 2}f} {cost / base:6.2f}"
            row += "" if idle else f" {rate:11.0f} {rate / baseRate:6.2f}"
        rows.append(row.rstrip())
    head += "" if idle else f" {'messages/s':>11} {'to C':>6}"
    lines = [work.name, "~" * len(work.name), "", rule, head, rule, *rows, rule]
    return "\n".join(lines) + "\n"


def bars(figures: Figures, unit: str, y: int) -> str:
    """
    @return: The bars of one work, in SVG: costs on the left, rates on the right.
    """
    out = []
    base = next(iter(figures.values()))
    most = [max(values) or 1 for values in zip(*figures.values(), strict=True)]
    for row, (name, values) in enumerate(figures.items()):
        line = y + 20 * row
        fill = {"echod": "#2f6fde", "echod, epoll": "#9bbcf5"}.get(name, "#b8b8b8")
        out.append(f'<text x="110" y="{line}" text-anchor="end">{name}</text>')
        labels = f"{values[0]:,.{0 if unit == 'bytes' else 2}f} {unit}", f"{values[1]:,.0f}/s"
        for column, (value, label) in enumerate(zip(values, labels, strict=True)):
            if not value:
                continue
            x, width = 120 + 370 * column, 200 * value / most[column]
            out.append(
                f'<rect x="{x}" y="{line - 11}" width="{width:.1f}" height="14" fill="{fill}"/>'
                f'<text x="{x + width + 6:.1f}" y="{line}">{label}'
                f'<tspan fill="#777"> {value / base[column]:.2f} C</tspan></text>'
            )
    return "".join(out)


def picture(results: dict[str, Figures]) -> str:
    """
    @return: A chart, as SVG: what a message costs, and how many there are in a
        second.
    """
    out, y = [], 30
    for name, figures in results.items():
        unit = "bytes" if name.startswith("memory") else "µs"
        out.append(f'<text x="10" y="{y}" font-weight="bold">{name}</text>')
        out.append(bars(figures, unit, y + 22))
        y += 20 * len(figures) + 50
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="860" height="{y - 20}" '
        'font-family="sans-serif" font-size="12">'
        "<title>Processor time of the server for a message, and messages a second</title>"
        '<rect width="100%" height="100%" fill="white"/>' + "\n".join(out) + "</svg>\n"
    )


def machine() -> str:
    """
    @return: The machine and the versions of the measurement.
    """
    models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    parts = [
        f"{models[0] if models else platform.machine()}, {len(models)} cores",
        f"Linux {platform.release()}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name.lower())}" for name in ("Twisted", "uvloop")),
    ]
    if which("go"):
        go = run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout
        parts.append(go.strip().replace("go", "Go "))
    return f"Measured on {'; '.join(parts)}. Medians of {ROUNDS} x {SECONDS} s.\n"


def main() -> None:
    """
    Measure, and tell.
    """
    missing = [what for tool, what in TOOLS.items() if not which(tool)]
    if len(os.sched_getaffinity(0)) < 2:
        missing.append("two cores")
    if missing:
        sys.exit(f"the benchmark needs {' and '.join(missing)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, hard) if hard > 0 else FILES, hard))
    results, page = {}, [machine()]
    print(page[0])
    with TemporaryDirectory() as directory:
        build(directory)
        for work in works(directory):
            results[work.name] = compare(work, f"{directory}/load")
            page.append(table(work, results[work.name]))
            print(page[-1], flush=True)
    PICTURE.write_text(picture(results), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8").partition(MEASURED)[0]
    PAGE.write_text("\n".join([text + MEASURED, *page]), encoding="utf-8")
    print(f"These figures, and {PICTURE.name}, are in {PAGE.parent}.")


if __name__ == "__main__":
    main()
