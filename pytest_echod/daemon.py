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
How long echod may take to start or to end, in seconds: much longer than it takes on
the busiest machine.
"""

SERVERS = ("--greeting", "--tcp", "--udp")

FREE = "127.0.0.1:0"
"""
Any free port.  Tests get one socket for each server, with any names of the machine.
"""

Address = tuple[str, int]

_LISTENS = re.compile(r"\] (\w+ \w+) listens on (.*?)(, .*)?$")
_ADDRESS = re.compile(r"\[?(.*?)\]?:([0-9]{1,5})")


class CannotRun(Exception):
    """
    echod did not start.  The message is its log.
    """


class Daemon:
    """
    A running echod with its three servers, on free ports of this machine.

    @cvar patience: How long it may take to start or to end, in seconds.  If it does not
        end in this time, it is killed.

    @ivar addresses: All addresses on which it listens, by the name of the server.
    """

    patience = PATIENCE

    def __init__(self, *options: str) -> None:
        """
        Start it, and wait until it listens.

        @param options: More options of C{twistd echod}.

        @raise CannotRun: if it does not start.
        """
        # When a test is over, nobody needs the rest of its sessions.
        served = [argument for server in SERVERS for argument in (server, FREE)]
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
        ready = self._settled.wait(self.patience)
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
        The address of the TCP greeting.
        """
        return self.addresses["TCP greeting"][0]

    @property
    def tcp(self) -> Address:
        """
        The address of the TCP echo.
        """
        return self.addresses["TCP echo"][0]

    @property
    def udp(self) -> Address:
        """
        The address of the UDP echo.
        """
        return self.addresses["UDP echo"][0]

    @property
    def pid(self) -> int:
        """
        The identifier of its process, to send signals to it.
        """
        return self._process.pid

    @property
    def log(self) -> str:
        """
        Everything that it has logged so far.
        """
        return "".join(self._lines)

    def stop(self) -> None:
        """
        Stop it, and read its log to the end.
        """
        self._process.terminate()
        try:
            self._process.wait(self.patience)
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
                if match:
                    self._listens(match[1], match[2])
        self._settled.set()

    def _listens(self, server: str, where: str) -> None:
        address = _ADDRESS.fullmatch(where)
        if address:
            self.addresses.setdefault(server, []).append((address[1], int(address[2])))
        self._expected -= 1
        if not self._expected:
            self._settled.set()
