"""
Run one server with its load, and measure both its cost and the machine's other work.

Each server runs alone on one core, the load on another.  The measure is the processor
time that the server spends on a message: of all measures, it depends least on what else
the machine does.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
from pathlib import Path
from shutil import which
from signal import SIGKILL, SIGTERM
from subprocess import DEVNULL, Popen, TimeoutExpired, run
from time import monotonic, sleep

from benchmarks.results import Results, Round
from benchmarks.works import HERE, Work

TICK = os.sysconf("SC_CLK_TCK")

BUSY = (0, 1, 2, 7)
"""
The columns of C{/proc/stat} that count as other work: user, nice, system, and steal (the
time that the host gave to other machines).  Interrupts belong to our own packets too.
"""


class Unable(Exception):
    """
    A server cannot do a work.
    """


def freePort() -> int:
    """
    @return: A free port.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def listens(port: int, udp: bool) -> bool:
    """
    @return: True if a server listens on a port.
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
    Start a server in a session of its own.

    @return: The server.  It listens.
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
    End a server and its children.
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
    if work.load[0] == "rule":
        return _ruleTime(server), 0.0
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


def _ruleTime(command: list[str]) -> float:
    done = run(command, capture_output=True, text=True, timeout=60, cwd=HERE.parent)
    if done.returncode:
        raise Unable(done.stderr.strip().splitlines()[-1])
    return float(done.stdout)


def busy(stat: str) -> float:
    """
    @param stat: The content of C{/proc/stat}.

    @return: The processor time that all programs have used, in seconds.
    """
    columns = stat.split(maxsplit=11)[1:11]
    return sum(int(columns[number]) for number in BUSY) / TICK


def _ours() -> float:
    usages = [
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measureRound(work: Work, server: list[str], load: str) -> Round:
    """
    Measure once, and how much of the processors other programs use meanwhile.
    """
    stat = Path("/proc/stat")
    began, all_, ours = monotonic(), busy(stat.read_text()), _ours()
    cost, rate = measure(work, server, load)
    others = busy(stat.read_text()) - all_ - (_ours() - ours)
    share = others / ((monotonic() - began) * (os.cpu_count() or 1))
    return Round(cost, rate, min(1.0, max(0.0, share)))


def compete(work: Work, load: str, rounds: int) -> Results:
    """
    Measure all servers of a work in interleaved rounds: the servers of one round are
    measured at nearly the same time, and each second round in the opposite order.  A
    server that fails once takes no further part.
    """
    able = {name: server for name, server in work.servers.items() if which(server[0])}
    results: Results = {name: [] for name in able}
    for number in range(rounds):
        for name in list(results)[:: -1 if number % 2 else 1]:
            try:
                results[name].append(measureRound(work, able[name], load))
            except Unable as error:
                print(f"{work.name}, {name}: {error}", file=sys.stderr)
                del results[name]
    return results
