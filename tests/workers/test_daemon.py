"""
Tests of C{twistd -n echod --workers 2}: real processes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections import Counter
from http.client import HTTPConnection
from importlib.util import find_spec
from pathlib import Path
from subprocess import run
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.net.sockets import SPREADS
from echod.workers.spawner import CHILD
from soak.workers import owners, workers
from tests.service.test_systemd import HAND_OVER
from tests.support import ENVIRONMENT, MEASURED, lacking, temporaryDirectory
from tests.support.daemon import NO_TERMINAL, PATIENCE, Daemon, checkServed, session, twistd
from tests.support.load import DatagramLoad, Load, wait
from tests.support.tls import TLSClient, makeCertificate

SESSIONS = 16
"""
The number of sessions: with this many, each worker has some.
"""

COVERAGE = {name: value for name, value in MEASURED.items() if "COVERAGE" in name}


class WorkersTests(SynchronousTestCase):
    """
    A daemon with two workers.
    """

    def setUp(self) -> None:
        if not SPREADS:
            lacking("Linux")

    def serve(self, *arguments: str, **more: Any) -> Daemon:
        """
        @return: A daemon whose workers serve.
        """
        daemon = Daemon("--workers", "2", *arguments, **more)
        self.addCleanup(daemon.stop)
        for _ in range(2):
            daemon.expect(r"worker \S+ serves \(process")
        return daemon

    def connect(self, address: tuple[str, int], count: int) -> list[socket.socket]:
        """
        @return: This number of sessions, all of which are served already.
        """
        return [session(self, address) for _ in range(count)]

    def test_killed(self) -> None:
        """
        If a worker is killed, only its own sessions are lost, new sessions are served,
        and another worker replaces it, which the log shows. If the parent is killed, the
        workers end too.
        """
        daemon = self.serve("--tcp", "0")
        clients = self.connect(daemon.tcp, SESSIONS)
        victim, _ = workers(daemon)
        served = owners(daemon)
        self.assertEqual(set(served.values()), set(workers(daemon)))
        os.kill(victim, signal.SIGKILL)
        lost = 0
        for client in clients:
            if served[client.getsockname()] == victim:
                lost += 1
                with self.assertRaises(ConnectionError):
                    client.sendall(b"x")
                    if not client.recv(1):
                        raise ConnectionError
            else:
                checkServed(self, client)
        self.assertTrue(0 < lost < SESSIONS)
        self.connect(daemon.tcp, SESSIONS)
        daemon.expect(rf"\(process {victim}\) has died: signal 9")
        daemon.expect(r"worker \S+ serves")
        processes = workers(daemon)
        daemon.process.kill()
        wait(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in processes))

    def test_renewed(self) -> None:
        """
        After SIGHUP, all workers are new processes, every new connection is served, and
        no datagram is lost. No other program can use the same address, not even an echod
        with workers: that prints one line, and starts no worker.
        """
        daemon = self.serve("--tcp", "0", "--udp", "0", below=NO_TERMINAL)
        before = set(workers(daemon))
        loads = [Load(daemon.tcp), DatagramLoad(daemon.udp)]
        daemon.process.send_signal(signal.SIGHUP)
        for name in ("1.2", "2.2"):
            daemon.expect(rf"worker {name} serves")
        wait(lambda: len(workers(daemon)) == 2)
        self.assertFalse(before & set(workers(daemon)))
        for load in loads:
            load.stop()
            self.assertEqual(set(load.outcomes), {"answered"})
        tcp, udp = daemon.tcp[1], daemon.udp[1]
        done = twistd("echod", "--workers=2", f"--tcp={tcp}", f"--udp={udp}")
        for kind, port in (("TCP", tcp), ("UDP", udp)):
            line = f"{kind} echo cannot listen on 127.0.0.1:{port}: Address already in use; "
            self.assertIn(line, done.stdout)
        free = "echod --workers 2 --tcp 0 --udp 0\n"
        self.assertTrue(done.stdout.endswith(free), done.stdout)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertNotIn("worker 1", done.stdout)

    def test_drained(self) -> None:
        """
        SIGTERM, even if systemd sends it to all processes as well, and SIGINT from a
        terminal return everything that each session has sent; then no process is left.
        """
        for interrupt in (False, True):
            daemon = self.serve("--tcp", "0", "--drain-timeout", "20", below=NO_TERMINAL)
            clients = self.connect(daemon.tcp, SESSIONS)
            message = b"x" * 50_000
            for client in clients:
                client.sendall(message)
            processes = workers(daemon)
            if interrupt:
                os.killpg(daemon.process.pid, signal.SIGINT)
            else:
                for pid in (daemon.process.pid, *processes):
                    os.kill(pid, signal.SIGTERM)
            for client in clients:
                with client, client.makefile("rb") as stream:
                    self.assertEqual(stream.read(), message)
            daemon.stop()
            for pid in processes:
                self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    def test_cut(self) -> None:
        """
        A second SIGTERM cuts the sessions.
        """
        daemon = self.serve(
            *("--tcp", "0", "--drain-timeout", "1000", "--impair", "delay=1000s")
        )
        for _ in range(2):
            client = socket.create_connection(daemon.tcp, PATIENCE)
            self.addCleanup(client.close)
            client.sendall(b"hello\n")
            daemon.expect("connected")
        daemon.process.terminate()
        daemon.expect("stopping; sessions to finish")
        daemon.stop()
        self.assertRegex("".join(daemon.log), r"worker \d: .* cut: [12]\n")

    def checkBadWorker(self, daemon: Daemon, key: Path) -> None:
        """
        If a new worker cannot read its options, the log of the parent says so, and the old
        workers serve on.
        """
        before = set(workers(daemon))
        key.unlink()
        daemon.process.send_signal(signal.SIGHUP)
        daemon.expect(rf"\[worker 1\.3: stderr#error\] echod: --tcp ssl:.*{key}")
        daemon.expect(r"worker 1\.3 .* has died: exit status 1")
        # The parent starts worker 1.3 again after a short delay.
        self.assertLessEqual(before, set(workers(daemon)))

    def certificate(self, path: Path) -> None:
        """
        Make a certificate.
        """
        if not (find_spec("OpenSSL") and find_spec("cryptography")):
            lacking("the tls extra")
        makeCertificate(path)

    def test_everything(self) -> None:
        """
        Two processes serve everything that one process serves, and the status shows both
        together.  Workers that cannot start replace no others.
        """
        if not find_spec("prometheus_client"):
            lacking("the status extra")
        directory = temporaryDirectory(self)
        key, path, log = (directory / name for name in ("key.pem", "socket", "log"))
        self.certificate(key)
        with socket.create_server(("127.0.0.1", 0)) as handed:
            daemon = self.serve(
                *("--tcp", "0", "--udp", "0"),
                *(f"--tcp=ssl:0:interface=127.0.0.1:privateKey={key}",),
                *(f"--tcp=haproxy:unix:{path}", "--tcp=systemd:domain=INET:name=tcp"),
                *("--status=0", "--session-log", str(log)),
                below=[*NO_TERMINAL, sys.executable, "-c", HAND_OVER, str(handed.fileno())],
                descriptors=[handed.fileno()],
                environment=COVERAGE,
            )
            address = handed.getsockname()
        for client in self.connect(address, 2):
            client.close()
        text = "".join(daemon.log)
        (udp,) = re.findall(r"UDP echo listens on 127.0.0.1:(\d+)", text, re.M)
        (tls,) = re.findall(r"TCP echo listens on 127.0.0.1:(\d+)", text, re.M)[1:2]
        (port,) = re.findall(r"HTTP status listens on 127.0.0.1:(\d+)", text, re.M)
        self.assertEqual(text.count("listens on"), 6)
        for client in self.connect(daemon.tcp, 4):
            client.close()
        with socket.create_connection(("127.0.0.1", int(tls)), PATIENCE) as client:
            checkServed(self, TLSClient(client))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(b"PROXY TCP4 192.0.2.1 127.0.0.1 1234 8080\r\n")
            checkServed(self, client)
        for _ in range(SESSIONS):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.connect(("127.0.0.1", int(udp)))
                client.send(b"hello")
                self.assertEqual(client.recv(100), b"hello")

        def get(path: str) -> tuple[int, str]:
            connection = HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
            connection.request("GET", path)
            response = connection.getresponse()
            with response:
                return response.status, response.read().decode()

        def counted() -> Counter[str]:
            counts: Counter[str] = Counter()
            for service in json.loads(get("/status.json")[1])["services"]:
                counts["accepted"] += service.get("accepted", 0)
                counts["answered"] += service.get("answered", 0)
                counts["ended"] += sum(service.get("ended", {}).values())
            return counts

        expected = {"accepted": 8, "answered": SESSIONS, "ended": 8}
        wait(lambda: counted() == expected)
        self.assertEqual(get("/readyz"), (200, "ready\n"))
        metrics = get("/metrics")[1]
        for line in (
            "echod_workers 2.0",
            r'process_open_fds{worker="2"} \d',
            "process_open_fds ",
        ):
            self.assertRegex(metrics, f"(?m)^{line}")
        # The counts stay when the workers are replaced, and the session log continues in
        # the new file of this name.
        log.rename(directory / "old")
        os.kill(daemon.process.pid, signal.SIGUSR1)
        wait(log.exists)
        os.kill(daemon.process.pid, signal.SIGHUP)
        daemon.expect("worker 2.2 serves")
        daemon.expect("worker 2 has ended")
        self.assertEqual(counted(), expected)
        client = session(self, daemon.tcp)
        client.close()
        daemon.expect("ended: closed by peer")
        self.checkBadWorker(daemon, key)
        daemon.stop()
        self.assertFalse(path.exists())
        for name, count in (("old", 8), ("log", 1)):
            records = map(json.loads, (directory / name).read_text().splitlines())
            self.assertEqual([each["event"] for each in records].count("session"), count)
        self.assertNotIn("Traceback", "".join(daemon.log))

    def test_currentDirectory(self) -> None:
        """
        A worker does not import modules from the current directory.
        """
        directory = temporaryDirectory(self)
        (directory / "json.py").write_text("raise SystemExit('taken')")
        environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # Without arguments it does not get far.
        done = run(
            [sys.executable, "-c", CHILD],
            cwd=directory,
            env=environment,
            capture_output=True,
            text=True,
        )
        self.assertIn("not enough values to unpack", done.stderr)
