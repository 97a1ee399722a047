"""
Tests for L{echod.client.sockets}: real addresses in a network of their own.
"""

from __future__ import annotations

import sys
from subprocess import CompletedProcess, run

from twisted.trial.unittest import SynchronousTestCase

from tests.support import ENVIRONMENT, needs
from tests.support.daemon import PATIENCE, Daemon

NETWORK = """
set -e
ip link set lo up
ip link add a0 type veth peer name b0
ip link set a0 up
ip link set b0 up
ip addr add fe80::1/64 dev a0 nodad
ip addr add 192.0.2.1/24 dev a0
exec "$@"
"""


class NetworkTests(SynchronousTestCase):
    """
    The clients and a real echod.
    """

    def setUp(self) -> None:
        needs("unshare", "nsenter", "ip")
        self.daemon = Daemon(
            *("--tcp", "[::]:7777", "--udp", "[::]:7777"),
            below=["unshare", "--net", "sh", "-c", NETWORK, "sh"],
        )
        self.addCleanup(self.daemon.stop)

    def echoc(self, *arguments: str) -> CompletedProcess[str]:
        """
        Run a client in the network of the daemon.
        """
        return run(
            [
                *("nsenter", f"--net=/proc/{self.daemon.process.pid}/ns/net"),
                *(sys.executable, "-m", "echod.client", *arguments),
            ],
            input="hello\n",
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def test_addresses(self) -> None:
        """
        A link-local address keeps its link; packets leave from the chosen source, and
        carry the chosen type of service and time to live.
        """
        chosen = ["-I", "fe80::1%a0", "-Q", "EF", "-t", "65", "fe80::1%a0", "7777"]
        for arguments in (
            ["tcp", "[fe80::1%a0]:7777"],
            ["tcp", *chosen],
            ["udp", *chosen],
            ["tcp", "-I", "192.0.2.1", "127.0.0.1:7777"],
            ["udp", "-I", "lo", "127.0.0.1:7777"],
        ):
            ended = self.echoc(*arguments)
            self.assertEqual((ended.stdout, ended.stderr), ("hello\n", ""), arguments)
        for command, source, reason in (
            ("tcp", "a9", "No such device"),
            ("udp", "192.0.2.9", "Cannot assign"),
        ):
            ended = self.echoc(command, "-I", source, "127.0.0.1:7777")
            self.assertEqual(ended.returncode, 2)
            self.assertIn(f"--source: {reason}", ended.stderr)
        ended = self.echoc("ping", "-c1", "[fe80::1%a0]:7777")
        self.assertEqual(ended.returncode, 0)
        self.assertRegex(ended.stdout, r"64 bytes seq=0 ttl=\d+ time=")
        self.daemon.expect(r"TCP echo: 192\.0\.2\.1:\d+ connected")
