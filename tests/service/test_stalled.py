"""
Tests of daemons whose log cannot be written: real processes and real pipes.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from select import select
from subprocess import Popen

from twisted.trial.unittest import SynchronousTestCase

from echod.net.sockets import SPREADS
from tests.support import ENVIRONMENT, lacking, temporaryDirectory
from tests.support.daemon import PATIENCE, TWIST, TWISTD
from tests.support.load import wait

LOST = r"log lines that could not be written: \d+ \(Resource temporarily unavailable\)"

SERVE = rb" serves \([\s\S]* serves \("
"""
Both workers serve.
"""


class StalledTests(SynchronousTestCase):
    """
    A daemon that logs into a pipe which nobody reads.
    """

    def start(self, *command: str, ready: bytes = b"listens on") -> int:
        """
        Start a daemon that serves TCP.

        @param ready: The last line of the log before it serves.

        @return: The port.
        """
        self.reading, self.writing = os.pipe()
        for descriptor in (self.reading, self.writing):
            self.addCleanup(os.close, descriptor)
        self.process = Popen(
            [*command, "--tcp=127.0.0.1:0", "--drain-timeout=0"],
            env=ENVIRONMENT,
            stdout=self.writing,
            stderr=self.writing,
        )
        self.addCleanup(self.end)
        log = self.expect(ready)
        (port,) = re.findall(rb"listens on 127\.0\.0\.1:(\d+)", log)
        return int(port)

    def end(self) -> None:
        """
        Kill the daemon, if it has not ended.
        """
        self.process.kill()
        self.process.wait(PATIENCE)

    def expect(self, pattern: bytes) -> bytes:
        """
        @return: The log, as soon as it has a line that matches.
        """
        log = b""
        while not re.search(pattern + rb".*\n", log):
            readable, _, _ = select([self.reading], [], [], PATIENCE)
            self.assertTrue(readable, log.decode())
            log += os.read(self.reading, 1 << 16)
        return log

    def stall(self) -> None:
        """
        Fill the pipe, so that the next write to it would block.
        """
        os.set_blocking(self.writing, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(self.writing, b"x")
        os.set_blocking(self.writing, True)

    def ask(self, port: int) -> None:
        """
        Have a session, which is logged.
        """
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            for _ in range(2):
                client.sendall(b"hello\n")
                self.assertEqual(client.recv(100), b"hello\n")

    def resume(self) -> None:
        """
        Empty the pipe.
        """
        while select([self.reading], [], [], 0)[0]:
            os.read(self.reading, 1 << 20)

    def stop(self) -> None:
        """
        Stop the daemon.
        """
        self.process.terminate()
        self.assertEqual(self.process.wait(PATIENCE), -signal.SIGTERM)

    def serve(self, command: Sequence[str]) -> None:
        """
        Expect that a daemon serves while its log stalls, then reports the lines that were
        lost, and stops while its log stalls.
        """
        port = self.start(*command)
        self.stall()
        for _ in range(3):
            self.ask(port)
        self.resume()
        self.ask(port)
        self.expect(LOST.encode())
        self.stall()
        self.ask(port)
        self.stop()

    def test_reactors(self) -> None:
        """
        A stalled log stops neither the echo nor SIGTERM, with or without uvloop.
        """
        for reactor in ("default", *(["uvloop"] if find_spec("uvloop") else [])):
            self.serve([*TWISTD, f"--reactor={reactor}", "-n", "--pidfile=", "echod"])

    def test_twist(self) -> None:
        """
        The same is true under C{twist}.
        """
        self.serve([*TWIST, "--log-format=text", "echod"])

    def test_workers(self) -> None:
        """
        Workers serve while their parent is stopped, and report the lines that were lost.  A
        stalled log of the parent stops neither them nor SIGTERM.
        """
        if not SPREADS:
            lacking("Linux")
        command = [*TWISTD, "-n", "--pidfile=", "echod", "--workers=2", "--show-messages"]
        port = self.start(*command, ready=SERVE)
        self.process.send_signal(signal.SIGSTOP)
        message = b"x" * 999 + b"\n"
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            for _ in range(200):
                client.sendall(message)
                self.assertEqual(client.recv(len(message), socket.MSG_WAITALL), message)
            self.process.send_signal(signal.SIGCONT)
            # Until the worker knows that the parent reads again.
            wait(lambda: self.lostOfWorker(client, message))
        self.stall()
        for _ in range(3):
            self.ask(port)
        self.stop()

    def lostOfWorker(self, client: socket.socket, message: bytes) -> bool:
        """
        Send a message, and read the log.

        @return: True if a worker has reported that it lost lines.
        """
        client.sendall(message)
        self.assertEqual(client.recv(len(message), socket.MSG_WAITALL), message)
        log = b""
        while select([self.reading], [], [], 0)[0]:
            log += os.read(self.reading, 1 << 20)
        return bool(re.search(rf"\[worker \d: echod.service#error\] {LOST}".encode(), log))

    def test_namedPipe(self) -> None:
        """
        C{--logfile} can be a named pipe, and a full one does not stop the echo.
        """
        path = temporaryDirectory(self) / "log"
        os.mkfifo(path)
        # Both ends, so that the daemon can open it.
        log = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, log)
        self.reading = self.writing = log
        self.process = Popen(
            [
                *(*TWISTD, "-n", "--pidfile=", f"--logfile={path}"),
                *("echod", "--tcp=127.0.0.1:0", "--drain-timeout=0"),
            ],
            env=ENVIRONMENT,
        )
        self.addCleanup(self.end)
        (port,) = re.findall(rb"127\.0\.0\.1:(\d+)", self.expect(b"listens on"))
        self.stall()
        self.ask(int(port))
        self.resume()
        self.ask(int(port))
        self.expect(LOST.encode())
        self.stop()
