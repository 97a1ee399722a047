"""
A slow link: two network namespaces, and a cable between them that carries few bytes a
second from the server to the client.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen, run

from tests.support import lacking, program
from tests.support.daemon import PATIENCE
from tests.support.machine import namespace

SERVER = "10.97.0.1"
CLIENT = "10.97.0.2"
"""
The addresses of the two ends, in namespaces of their own.
"""


class SlowLink:
    """
    The two ends.

    @ivar server: The beginning of a command that runs at the end of the server.

    @ivar client: The same for the client.
    """

    def __init__(self, rate: str) -> None:
        """
        @param rate: The rate from the server to the client, as C{tc} takes it.
        """
        self._ends = ExitStack()
        try:
            server, client = namespace(self._ends), namespace(self._ends)
            self.server, self.client = self._inside(server), self._inside(client)
            near, far = [*self.server, program("ip")], [*self.client, program("ip")]
            self._do(
                *(*near, "link", "add", "near", "type", "veth"),
                *("peer", "name", "far", "netns", str(client.pid)),
            )
            for end, name, address in ((near, "near", SERVER), (far, "far", CLIENT)):
                self._do(*end, "address", "add", f"{address}/24", "dev", name)
                self._do(*end, "link", "set", name, "up")
            self._do(
                *(*self.server, program("tc"), "qdisc", "add", "dev", "near", "root"),
                *("tbf", "rate", rate, "burst", "2kb", "latency", "2s"),
            )
        except BaseException:
            self._ends.close()
            raise

    def __enter__(self) -> SlowLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _inside(self, process: Popen[bytes]) -> list[str]:
        return [program("nsenter"), f"--net={Path('/proc', str(process.pid), 'ns', 'net')}"]

    def _do(self, *command: str) -> None:
        done = run(command, capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode:
            lacking(f"a slow link ({done.stderr.strip()})")
