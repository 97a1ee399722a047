"""
Tests of C{deploy/haproxy} and C{deploy/nginx}: the real programs, with the files
as they are there but for the addresses, in front of three daemons.

They take half a minute, and print figures: C{make test-all} runs them.
"""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import monotonic
from typing import Any
from urllib.request import urlopen

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, ENVIRONMENT, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.load import ANSWERED, HOST, DatagramLoad, Load, freePort, wait

DEPLOY = CHECKOUT / "deploy"

PEERS = 8
"""
How many ask at the same time.
"""

STEP = 2000
"""
How many answers are waited for between one event and the next.
"""

RATE = 500
"""
How many probes C{echoc ping} sends in a second while machines are restarted.
"""

STALLED = 1.0
"""
How long nothing can be sent before all buffers on the way are full, in seconds.
"""

ROUNDS = 3
"""
How often each of them is.
"""

PATIENTLY = ("--timeout", str(PATIENCE))
"""
A busy machine loses nothing.
"""


class Ping:
    """
    C{echoc ping}, until it is enough.
    """

    def __init__(self, case: BalancerTests, address: tuple[str, int], *options: str) -> None:
        self.output = temporaryDirectory(case) / "output"
        target = "{}:{}".format(*address)
        with self.output.open("w") as output:
            self.process = Popen(
                [
                    *(sys.executable, "-m", "echod.client", "ping", "--json-lines"),
                    *("--rate", str(RATE), *options, target),
                ],
                env=ENVIRONMENT,
                stdout=output,
            )
        case.addCleanup(self.process.wait, PATIENCE)
        case.addCleanup(self.process.kill)
        wait(lambda: self.output.stat().st_size)

    def finish(self) -> dict[str, Any]:
        """
        @return: Its summary.
        """
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        summary: dict[str, Any] = json.loads(self.output.read_text().splitlines()[-1])
        names = ("sent", "lost", "late", "rtt_p50_us", "rtt_p99_us", "rtt_max_us")
        print({name: summary[name] for name in names}, file=sys.stderr)
        return summary


class Machine:
    """
    One echod, which tells whether it is ready.
    """

    def __init__(self, name: str, *arguments: str) -> None:
        self.name = name
        self.arguments = arguments
        self.tcp = freePort(socket.SOCK_STREAM)
        self.udp = freePort(socket.SOCK_DGRAM)
        self.health = freePort(socket.SOCK_STREAM)
        self.start()

    def start(self) -> None:
        """
        Start, on the same ports as ever.
        """
        self.daemon = Daemon(
            *("--tcp", f"haproxy:{HOST}:{self.tcp}", "--udp", f"{HOST}:{self.udp}"),
            *("--status", f"{HOST}:{self.health}"),
            *self.arguments,
        )

    def connections(self) -> int:
        """
        @return: How many connections to the echo it has accepted or refused.
        """
        with urlopen(f"http://{HOST}:{self.health}/status.json", timeout=PATIENCE) as answer:
            tcp = next(each for each in json.load(answer)["services"] if "open" in each)
        return int(tcp["accepted"] + sum(tcp["refused"].values()))

    def end(self, number: int) -> None:
        """
        End, by a signal, unless that is over.
        """
        if self.daemon.process.poll() is not None:
            return
        self.daemon.process.send_signal(number)
        self.daemon.process.wait(PATIENCE)


class BalancerTests(SynchronousTestCase):
    """
    The parts that both balancers have in common.
    """

    program = ""
    directory: Path

    def setUp(self) -> None:
        self.path = program(self.program)
        self.directory = temporaryDirectory(self)
        self.machines = [self.machine(name) for name in "abc"]
        self.tcp = (HOST, freePort(socket.SOCK_STREAM))
        self.lost: Counter[str] = Counter()

    def machine(self, name: str) -> Machine:
        """
        @return: One more machine.
        """
        machine = Machine(name)
        self.addCleanup(machine.end, signal.SIGKILL)
        return machine

    def run_(self, *arguments: str) -> None:
        """
        Run the program.
        """
        self.process = Popen([self.path, *arguments], stdout=DEVNULL, stderr=sys.stderr)
        self.addCleanup(self.process.wait, PATIENCE)
        self.addCleanup(self.process.terminate)

    def answers(self) -> bool:
        """
        @return: True if the program answers.
        """
        with socket.socket() as probe:
            return probe.connect_ex(self.tcp) == 0

    def load(self, kind: type[Load], address: tuple[str, int], peers: int) -> None:
        """
        Have peers ask.
        """

        wait(self.answers)
        self.loads = [*getattr(self, "loads", []), *(kind(address) for _ in range(peers))]

    def outcomes(self, kind: type[Load] = Load) -> Counter[str]:
        """
        @return: The results of the questions so far.
        """
        total: Counter[str] = Counter()
        for load in self.loads:
            if type(load) is kind:
                total += load.outcomes
        return total

    def after(self, event: str, kinds: Iterable[type[Load]]) -> list[int]:
        """
        Wait until each kind of peers has many more answers.

        @return: For each kind of peers, how many questions were lost since the last call.
        """
        ends = {kind: self.outcomes(kind)[ANSWERED] + STEP for kind in kinds}
        wait(lambda: all(self.outcomes(kind)[ANSWERED] >= end for kind, end in ends.items()))
        losses = []
        for kind in kinds:
            outcomes = self.outcomes(kind)
            lost = sum(outcomes.values()) - outcomes[ANSWERED]
            losses.append(lost - self.lost[kind.__name__])
            self.lost[kind.__name__] = lost
            print(
                f"{self.program}, {event}: {kind.__name__} answered {outcomes[ANSWERED]}, "
                f"lost {losses[-1]} more",
                dict(outcomes),
                file=sys.stderr,
            )
        return losses

    def finish(self) -> None:
        """
        Let nobody ask any more.
        """
        for load in self.loads:
            load.stop()


class HAProxyTests(BalancerTests):
    """
    HAProxy.
    """

    program = "haproxy"

    def configure(self) -> Path:
        """
        @return: The configuration, with our addresses.
        """
        text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
        text = text.replace("/run/haproxy/admin.sock", f"{self.directory}/admin")
        text = text.replace("bind :8080", "bind {}:{}".format(*self.tcp))
        for machine in self.machines:
            text = re.sub(
                rf"server {machine.name} \S+",
                f"server {machine.name} {HOST}:{machine.tcp} check port {machine.health}",
                text,
            )
        path = self.directory / "haproxy.cfg"
        path.write_text(text)
        return path

    def command(self, command: str) -> str:
        """
        @return: The answer of HAProxy to a command.
        """
        with socket.socket(socket.AF_UNIX) as skt:
            skt.connect(f"{self.directory}/admin")
            skt.sendall(command.encode() + b"\n")
            with skt.makefile() as lines:
                return lines.read()

    def state(self, machine: Machine) -> tuple[str, int]:
        """
        @return: The state of a machine, and its number of sessions.
        """
        row = self.row(machine)
        return row["status"], int(row["scur"])

    def row(self, machine: Machine) -> dict[str, str]:
        """
        @return: The statistics of HAProxy about a machine.
        """
        header, *rows = self.command("show stat").splitlines()
        names = header.lstrip("# ").split(",")
        for row in rows:
            fields = dict(zip(names, row.split(","), strict=False))
            if (fields.get("pxname"), fields.get("svname")) == ("echod", machine.name):
                return fields
        raise AssertionError(rows)

    def test_machines(self) -> None:
        """
        A new question is always answered, even if machines die; a machine that dies
        costs only its own sessions.
        """
        self.run_("-db", "-f", str(self.configure()))
        self.load(Load, self.tcp, PEERS)
        self.assertEqual(self.after("three", [Load]), [0])
        b = self.machines[1]
        killed = monotonic()
        b.end(signal.SIGKILL)
        wait(lambda: self.state(b)[0].startswith("DOWN"))
        print(f"haproxy: seen to be down after {monotonic() - killed:.3f} s")
        (lost,) = self.after("one killed", [Load])
        self.assertLessEqual(lost, PEERS)
        d = self.machine("d")
        for command in (
            f"add server echod/d {HOST}:{d.tcp} check port {d.health} inter 1s fall 2 rise 2 "
            "send-proxy-v2",
            "enable health echod/d",
            "enable server echod/d",
        ):
            self.command(command)
        d.daemon.expect("connected")
        self.assertEqual(self.after("one added", [Load]), [0])
        self.finish()

    def test_checks(self) -> None:
        """
        HAProxy's checks ask the status, so none of them is a session. A machine that
        drains leaves the pool before it ends, and its session gets everything back.
        """
        self.run_("-db", "-f", str(self.configure()))
        wait((self.directory / "admin").exists)
        wait(lambda: all(self.checked(machine) for machine in self.machines))
        with socket.create_connection(self.tcp, PATIENCE) as peer:
            # A peer that does not read yet keeps the machine from ending.
            peer.settimeout(STALLED)
            sent = 0
            with contextlib.suppress(TimeoutError):
                while True:
                    sent += peer.send(b"x" * 65536)
            wait(lambda: any(each.connections() for each in self.machines))
            busy = max(self.machines, key=Machine.connections)
            self.assertEqual(sum(each.connections() for each in self.machines), 1)
            busy.daemon.process.send_signal(signal.SIGTERM)
            wait(lambda: self.state(busy)[0] == "DOWN")
            self.assertEqual(self.row(busy)["check_code"], "503")
            peer.settimeout(PATIENCE)
            received = 0
            while received < sent:
                received += len(peer.recv(65536))
            self.assertEqual(received, sent)

    def checked(self, machine: Machine) -> bool:
        """
        @return: True if a check has found that a machine is ready.
        """
        return "L7OK" in self.row(machine)["check_status"]

    def test_restart(self) -> None:
        """
        When the machines are restarted one by one, nobody who asks anew notices.
        """
        self.run_("-db", "-f", str(self.configure()))
        wait(self.answers)
        ping = Ping(self, self.tcp, "--tcp", "--anew", *PATIENTLY)
        for machine in self.machines * ROUNDS:
            self.command(f"set server echod/{machine.name} state drain")
            wait(lambda gone=machine: self.state(gone)[1] == 0)  # type: ignore[misc]
            machine.end(signal.SIGTERM)
            machine.start()
            self.command(f"set server echod/{machine.name} state ready")
            machine.daemon.expect("connected")
        self.assertEqual(ping.finish()["exit_status"], 0)


class NginxTests(BalancerTests):
    """
    nginx.
    """

    program = "nginx"

    def setUp(self) -> None:
        super().setUp()
        self.udp = (HOST, freePort(socket.SOCK_DGRAM))
        self.down: set[str] = set()

    def configure(self) -> Path:
        """
        @return: The configuration, with our addresses.
        """
        text = (DEPLOY / "nginx" / "nginx.conf").read_text()
        text = text.replace("user www-data", "user root")
        text = text.replace("/run/nginx.pid", f"{self.directory}/pid")
        text = text.replace("/var/log/nginx/error.log", f"{self.directory}/error.log")
        text = text.replace("listen 8080 udp", "listen {}:{} udp".format(*self.udp))
        text = text.replace("listen 8080 ", "listen {}:{} ".format(*self.tcp))
        for kind in ("tcp", "udp"):
            servers = "".join(
                f"server {HOST}:{getattr(machine, kind)} max_fails=1 fail_timeout=2s"
                f"{' down' * (machine.name in self.down)};\n"
                for machine in self.machines
            )
            before, after = re.split(rf"(?<=upstream echod_{kind} {{)", text)
            text = before + re.sub(r"( +server [\d.:]+ .*\n){3}", servers, after, count=1)
        path = self.directory / "nginx.conf"
        path.write_text(text)
        return path

    def workers(self) -> set[str]:
        """
        @return: The workers' process ids.
        """
        pid = self.process.pid
        return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())

    def reload(self) -> None:
        """
        Read the configuration again, and wait until only it is used.
        """
        self.configure()
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        wait(lambda: self.workers() and not before & self.workers())

    def test_machines(self) -> None:
        """
        A new question is always answered, even if machines die.  A machine that dies
        costs its own sessions, and the datagrams by which nginx notices.  A reload
        costs the datagrams that are on their way.
        """
        kinds = (Load, DatagramLoad)
        path = self.configure()
        self.run_("-g", "daemon off;", "-e", "stderr", "-c", str(path))
        self.load(Load, self.tcp, PEERS)
        self.load(DatagramLoad, self.udp, PEERS)
        self.assertEqual(self.after("three", kinds), [0, 0])
        b = self.machines[1]
        b.end(signal.SIGKILL)
        lost, _ = self.after("one killed", kinds)
        self.assertLessEqual(lost, PEERS)
        self.machines[1] = d = self.machine("d")
        self.reload()
        d.daemon.expect("connected")
        self.assertEqual(self.after("one added in its place", kinds)[0], 0)
        self.finish()

    def test_restart(self) -> None:
        """
        When the machines are restarted one by one, nobody who asks anew notices;
        datagrams are lost when nginx reads its configuration again, and then only.
        """
        self.run_("-g", "daemon off;", "-e", "stderr", "-c", str(self.configure()))
        wait(self.answers)
        ping = Ping(self, self.tcp, "--tcp", "--anew", *PATIENTLY)
        datagrams = Ping(self, self.udp)
        for machine in self.machines * ROUNDS:
            self.down = {machine.name}
            self.reload()
            machine.end(signal.SIGTERM)
            machine.start()
            self.down = set()
            self.reload()
            machine.daemon.expect("connected")
        self.assertEqual(ping.finish()["exit_status"], 0)
        summary = datagrams.finish()
        self.assertLess(summary["lost"], summary["sent"] / 50)
