"""
An echod in a process of its own.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, TimeoutExpired
from threading import Event, Thread
from types import TracebackType

PATIENCE = 30.0
"""
How long to wait for what should happen at once, in seconds: longer than the
busiest machine takes.
"""

SERVERS = ("--greeting", "--tcp", "--udp")

Address = tuple[str, int]

_LISTENS = re.compile(r"\] (\w+ \w+) listens on (.*)$")
_ADDRESS = re.compile(r"\[?(.*?)\]?:([0-9]{1,5})")


class CannotRun(Exception):
    """
    echod did not start; says why.
    """


class Daemon:
    """
    A running echod, which serves the three on free ports of this machine.

    @ivar addresses: All that it listens on, by the name of the server.
    """

    def __init__(self, *options: str) -> None:
        """
        @param options: What else there is on its command line.

        @raise CannotRun: if it does not like that.
        """
        # What is left of sessions when a test is over is nobody's any more.
        served = [argument for server in SERVERS for argument in (server, "0")]
        arguments = [*served, "--drain-timeout", "0", *options]
        self.addresses: dict[str, list[Address]] = {}
        self._lines: list[str] = []
        self._expected = sum(argument.partition("=")[0] in SERVERS for argument in arguments)
        self._settled = Event()
        runner = Path(__file__).with_name("run.py")
        self._process = Popen(
            [sys.executable, str(runner), *arguments],
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            errors="backslashreplace",
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        ready = self._settled.wait(PATIENCE)
        if not ready or self._expected:
            self.stop()
            raise CannotRun(f"echod did not start:\n{self.log}")

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
    def greeting(self) -> Address:
        """
        Where the TCP greeting listens.
        """
        return self.addresses["TCP greeting"][0]

    @property
    def tcp(self) -> Address:
        """
        Where the TCP echo listens.
        """
        return self.addresses["TCP echo"][0]

    @property
    def udp(self) -> Address:
        """
        Where the UDP echo listens.
        """
        return self.addresses["UDP echo"][0]

    @property
    def log(self) -> str:
        """
        What it has logged so far.
        """
        return "".join(self._lines)

    def stop(self) -> None:
        """
        End it, and read its log to the end.
        """
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except TimeoutExpired:
            self._process.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.append(line)
                match = _LISTENS.search(line)
                if match and self._expected:
                    self._listens(match[1], match[2])
        self._settled.set()

    def _listens(self, server: str, where: str) -> None:
        address = _ADDRESS.fullmatch(where)
        if address:
            self.addresses.setdefault(server, []).append((address[1], int(address[2])))
        self._expected -= 1
        if not self._expected:
            self._settled.set()
