"""
Tests of C{echoc ping} as a program, with a real echod.
"""

from __future__ import annotations

import json
import signal
from pathlib import Path
from subprocess import Popen
from time import sleep

from twisted.trial.unittest import SynchronousTestCase

from tests.client.test_main import ECHOC
from tests.support import MEASURED, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.load import wait

LOST = ("lost",)
BACK = ("answered", "late")


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

    def start(self, output: Path, *arguments: str) -> Popen[bytes]:
        """
        Start C{echoc ping}.

        @param output: The file for its output.
        """
        with output.open("wb") as stdout:
            client = Popen([*ECHOC, "ping", *arguments], env=MEASURED, stdout=stdout)

        def stop() -> None:
            client.kill()
            client.wait()

        self.addCleanup(stop)
        return client

    def sequences(self, output: Path, *kinds: str) -> set[int]:
        """
        @return: The numbers of the probes with events of these kinds.
        """
        events = map(json.loads, output.read_text().splitlines())
        return {each["sequence"] for each in events if each["event"] in kinds}

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
