"""
A real echod, in a process of its own, for the tests that talk to one.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from subprocess import PIPE, STDOUT, CompletedProcess, Popen, run
from threading import Thread
from time import monotonic
from types import TracebackType

from twisted.trial.unittest import SynchronousTestCase

from tests.support import ENVIRONMENT
from tests.support.tls import TLSClient

PATIENCE = 90.0
"""
How long a test waits for something that should happen at once, in seconds: much longer
than the busiest machine takes.  Among a dozen busy processes, two daemons took 30.
"""

NO_TERMINAL = ["setsid"]
"""
A command without a controlling terminal, even if the tests have one.
"""

TWISTD = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
TWIST = [sys.executable, "-m", "twisted"]


def twistd(*arguments: str) -> CompletedProcess[str]:
    """
    Run a C{twistd} that ends by itself.
    """
    return runDaemon([*TWISTD, "-n", "--pidfile=", *arguments])


def runDaemon(command: list[str]) -> CompletedProcess[str]:
    """
    Run a daemon that ends by itself.
    """
    return run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE)


def session(test: SynchronousTestCase, address: tuple[str, int]) -> socket.socket:
    """
    @return: A session of a TCP echo that is served already; the test closes it at its end.
    """
    client = socket.create_connection(address, PATIENCE)
    test.addCleanup(client.close)
    checkServed(test, client)
    return client


def checkServed(test: SynchronousTestCase, client: socket.socket | TLSClient) -> None:
    """
    Check that a TCP echo returns a line.
    """
    client.sendall(b"hello\n")
    test.assertEqual(client.recv(100), b"hello\n")


class Daemon:
    """
    A running C{twistd -n echod}.

    @ivar log: The lines of its log that the test has read so far.
    """

    def __init__(
        self,
        *arguments: str,
        reactor: str | None = None,
        below: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        """
        @param below: A command that runs the command after it, such as C{prlimit}.

        @param environment: Environment variables to add.

        @param descriptors: Descriptors that it inherits.
        """
        self.log: list[str] = []
        self._over = False
        self._lines: Queue[str] = Queue()
        self.process = Popen(
            [*below, *self.command(reactor), *arguments],
            env={**ENVIRONMENT, **(environment or {})},
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            pass_fds=descriptors,
        )
        Thread(target=self._read, daemon=True).start()
        self.addresses: dict[str, list[tuple[str, int]]] = {}
        try:
            for option in arguments:
                if option in ("--greeting", "--tcp", "--udp"):
                    match = self.expect(r"(\w+ \w+) listens on \[?(.*?)\]?:(\d+)(?:, |$)")
                    self.addresses.setdefault(match[1], []).append((match[2], int(match[3])))
        except AssertionError:
            self.process.kill()
            raise

    @staticmethod
    def command(reactor: str | None) -> list[str]:
        """
        @return: The command that runs it, without its options.
        """
        chosen = [f"--reactor={reactor}"] if reactor else []
        return [*TWISTD, *chosen, "-n", "--pidfile=", "echod"]

    def __enter__(self) -> Daemon:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def tcp(self) -> tuple[str, int]:
        """
        The address of its first TCP echo.
        """
        return self.addresses["TCP echo"][0]

    @property
    def udp(self) -> tuple[str, int]:
        """
        The address of its first UDP echo.
        """
        return self.addresses["UDP echo"][0]

    @property
    def greeting(self) -> tuple[str, int]:
        """
        The address of its first greeting.
        """
        return self.addresses["TCP greeting"][0]

    def expect(self, pattern: str) -> re.Match[str]:
        """
        @return: The match of the next line in the log that matches.
        """
        deadline = monotonic() + PATIENCE
        while True:
            try:
                line = self._next(max(0, deadline - monotonic()))
            except Empty:
                line = ""
            if not line:
                raise AssertionError(f"no line matches {pattern!r} in:\n" + "".join(self.log))
            match = re.search(pattern, line)
            if match:
                return match

    def memory(self) -> int:
        """
        @return: Its resident memory, in bytes.
        """
        statm = Path(f"/proc/{self.process.pid}/statm").read_text()
        return int(statm.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        """
        @return: How many descriptors it has open.
        """
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processorTime(self) -> float:
        """
        @return: Its processor time so far, in seconds.
        """
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def isWaiting(self) -> bool:
        """
        @return: True if it waits for the system, with nothing left to do.
        """
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "S"

    def stop(self) -> None:
        """
        Stop it, unless it has ended, and read its log to the end.
        """
        self.process.terminate()
        self.process.wait(PATIENCE)
        while not self._over:
            self._next(PATIENCE)

    def _next(self, timeout: float) -> str:
        """
        @return: The next line of the log; an empty text at its end.
        """
        line = "" if self._over else self._lines.get(timeout=timeout)
        self._over = not line
        self.log.append(line)
        return line

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put("")
