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
from tests.support import MEASURED, lacking, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.load import HOST, freePort, wait
from tests.support.tls import makeCertificate

LOST = ("lost",)
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
            client = Popen([*program, "ping", *arguments], env=MEASURED, stdout=stdout)

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

    def test_stopped(self) -> None:
        """
        If the process is stopped for a second, no answer that it reads late counts as lost.
        """
        daemon = self.daemon("--udp", "127.0.0.1:0", "--udp-rate", "0", "--tcp", "127.0.0.1:0")
        folder = temporaryDirectory(self)
        runs = {
            "udp": ("--flood", str(daemon.udp[1])),
            "tcp": ("--flood", "--tcp", str(daemon.tcp[1])),
            "anew": ("-i.02", "--tcp", "--anew", str(daemon.tcp[1])),
        }
        clients = [
            self.start(folder / name, "-W0.9", "--json-lines", *options)
            for name, options in runs.items()
        ]
        for name in runs:
            wait((folder / name).read_bytes)
        for client in clients:
            client.send_signal(signal.SIGSTOP)
        sleep(1)
        for client in clients:
            client.send_signal(signal.SIGCONT)
        for client in clients:
            client.send_signal(signal.SIGINT)
            client.wait(PATIENCE)
        for name in runs:
            lost, back = (self.sequences(folder / name, *kinds) for kinds in (LOST, BACK))
            self.assertTrue(back)
            self.assertEqual(lost & back, set(), name)
            if name != "udp":
                # A flood of datagrams may be too much for the buffers of the server.
                self.assertEqual(lost, set(), name)

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
        target = f"tls:localhost:{daemon.tcp[1]}:trustRoots={folder}"
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
