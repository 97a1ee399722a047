"""
Tests of C{echoc ping} as a program, with a real echod.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from time import sleep
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.client.test_main import ECHOC, address
from tests.support import ENVIRONMENT, lacking, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.load import HOST, freePort, wait
from tests.support.tls import makeCertificate

PROBES = 20
SIZE = 64

TIMEOUT = 3
"""
The time for one answer where a process is stopped, in seconds: it is stopped in time on a busy
machine, too.
"""

BACK = ("answered", "late")

STEP = """
import os, time
ofDay = time.time
time.time = lambda: ofDay() - 3600 * os.path.exists({path!r})
from echod.client.main import main
main()
"""
"""
C{echoc}, whose time of day steps back by an hour when there is a file.
"""


class ProgramTests(SynchronousTestCase):
    """
    C{echoc ping} and a real echod.
    """

    def daemon(self, *arguments: str) -> Daemon:
        """
        @return: A daemon that runs until the end of the test.
        """
        daemon = Daemon(*arguments)
        self.addCleanup(daemon.stop)
        return daemon

    def start(
        self, output: Path, *arguments: str, program: Sequence[str] = ECHOC
    ) -> Popen[bytes]:
        """
        Start C{echoc ping}.

        @param output: The file for its output.
        """
        with output.open("wb") as stdout:
            client = Popen([*program, "ping", *arguments], env=ENVIRONMENT, stdout=stdout)

        def stop() -> None:
            client.kill()
            client.wait()

        self.addCleanup(stop)
        return client

    def events(self, output: Path) -> list[dict[str, Any]]:
        """
        @return: The events that were printed so far.
        """
        *lines, _ = output.read_text().split("\n")
        return [json.loads(line) for line in lines]

    def sequences(self, output: Path, *kinds: str) -> set[int]:
        """
        @return: The numbers of the probes with events of these kinds.
        """
        return {each["sequence"] for each in self.events(output) if each["event"] in kinds}

    def listen(self, kind: socket.SocketKind) -> socket.socket:
        """
        @return: A socket for a server, open until the end of the test.
        """
        server = socket.socket(socket.AF_INET, kind)
        self.addCleanup(server.close)
        server.settimeout(PATIENCE)
        server.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            server.listen(PROBES)
        return server

    def accept(self, server: socket.socket) -> socket.socket:
        """
        @return: The next connection, open until the end of the test.
        """
        connection, _ = server.accept()
        self.addCleanup(connection.close)
        connection.settimeout(PATIENCE)
        return connection

    def test_stopped(self) -> None:
        """
        If the process is stopped until the time of the probes is over, the answers that have
        arrived are no losses.
        """
        folder = temporaryDirectory(self)
        datagrams = self.listen(socket.SOCK_DGRAM)
        stream, anew = (self.listen(socket.SOCK_STREAM) for _ in range(2))
        options = ("--flood", f"-c{PROBES}", f"-W{TIMEOUT}", "--json-lines")
        clients = [
            self.start(folder / "udp", *options, address(datagrams)),
            self.start(folder / "tcp", *options, "--tcp", address(stream)),
            self.start(folder / "anew", *options, "--tcp", "--anew", address(anew)),
        ]
        received = [datagrams.recvfrom(100) for _ in range(PROBES)]
        connections = [(self.accept(stream), PROBES * SIZE)]
        connections += [(self.accept(anew), SIZE) for _ in range(PROBES)]
        answers = [(each, self.receive(each, size)) for each, size in connections]
        for client in clients:
            client.send_signal(signal.SIGSTOP)
        for probe, source in received:
            datagrams.sendto(probe, source)
        for each, answer in answers:
            each.sendall(answer)
        sleep(1.1 * TIMEOUT)
        for client in clients:
            client.send_signal(signal.SIGCONT)
        for client, name in zip(clients, ("udp", "tcp", "anew"), strict=True):
            client.wait(PATIENCE)
            self.assertEqual(self.sequences(folder / name, "lost"), set(), name)
            self.assertEqual(self.sequences(folder / name, *BACK), set(range(PROBES)), name)

    def receive(self, connection: socket.socket, size: int) -> bytes:
        """
        @return: The next bytes of a connection.
        """
        data = b""
        while len(data) < size:
            data += connection.recv(size - len(data))
        return data

    def test_clockStep(self) -> None:
        """
        If somebody sets the time of day back, the run ends on time.
        """
        folder = temporaryDirectory(self)
        program = [sys.executable, "-c", STEP.format(path=str(folder / "step"))]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.settimeout(PATIENCE)
            silent.bind(("127.0.0.1", 0))
            client = self.start(folder / "out", "-c2", address(silent), program=program)
            silent.recv(100)
            (folder / "step").touch()
            self.assertEqual(client.wait(PATIENCE), 4)

    def test_handshake(self) -> None:
        """
        The times of connecting and of the TLS handshake are reported, each on its own.
        """
        folder = temporaryDirectory(self)
        try:
            certificate = makeCertificate(folder / "one.pem")
        except ImportError:
            lacking("cryptography")
        daemon = self.daemon("--tcp", f"ssl:0:privateKey={certificate}:interface=127.0.0.1")
        target = f"tls:127.0.0.1:{daemon.tcp[1]}:trustRoots={folder}"
        client = self.start(folder / "out", "--tcp", "--json", "-c2", "-i.01", target)
        self.assertEqual(client.wait(PATIENCE), 0)
        (values,) = self.events(folder / "out")
        self.assertGreater(values["connect_us"], 0)
        self.assertGreater(values["tls_handshake_us"], 0)
        self.assertEqual((values["received"], values["reconnected"]), (2, 0))

    def test_reconnected(self) -> None:
        """
        When a server restarts, a run with TCP connects again.
        """
        output = temporaryDirectory(self) / "out"
        place = f"{HOST}:{freePort(socket.SOCK_STREAM)}"
        daemon = self.daemon("--tcp", place)
        client = self.start(output, "--tcp", "-i.01", "--json-lines", place)
        wait(lambda: self.sequences(output, *BACK))
        daemon.stop()
        wait(lambda: self.sequences(output, "refused"))
        before = len(self.events(output))
        self.daemon("--tcp", place)
        wait(lambda: any(each["event"] in BACK for each in self.events(output)[before:]))
        client.send_signal(signal.SIGINT)
        self.assertEqual(client.wait(PATIENCE), 1)
        summary = self.events(output)[-1]
        self.assertGreater(summary["reconnected"], 0)
