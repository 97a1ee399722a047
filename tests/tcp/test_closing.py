"""
Tests for how echod closes connections: real ones, to slow peers and to C{nc}.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from subprocess import PIPE, Popen

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, ENVIRONMENT, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.slowlink import SERVER, SlowLink
from tests.support.tls import makeCertificate


class SlowLinkTests(SynchronousTestCase):
    """
    Peers on a link of 100 kbit/s that go on sending after their goodbye.

    @cvar size: How many bytes come back to each peer.

    @cvar pause: How long it pauses between its lines, in seconds: it is quiet longer than a
        peer that has everything may be.
    """

    size = 15000
    pause = 1.0

    def lose(self, reactor: str) -> None:
        """
        Assert that two peers lose nothing, one of them over TLS.
        """
        if find_spec("OpenSSL") is None:
            lacking("pyopenssl")
        pem = makeCertificate(temporaryDirectory(self) / "server.pem")
        tcp = f"tcp:0:interface={SERVER}"
        tls = f"ssl:0:interface={SERVER}:privateKey={pem}:certKey={pem}"
        with (
            SlowLink("100kbit") as link,
            Daemon("--tcp", tcp, "--tcp", tls, reactor=reactor, below=link.server) as daemon,
        ):
            peers = [
                self.peer(link, port, kind)
                for (_, port), kind in zip(
                    daemon.addresses["TCP echo"], ("tcp", "tls"), strict=True
                )
            ]
            for peer in peers:
                output, _ = peer.communicate(timeout=PATIENCE + self.size / 1000)
                self.assertEqual(output, f"{self.size} end\n")

    def peer(self, link: SlowLink, port: int, kind: str) -> Popen[str]:
        """
        @return: The process of a peer.
        """
        peer = Popen(
            [
                *(*link.client, sys.executable, "-m", "tests.support.slowpeer"),
                *(SERVER, str(port), str(self.size), str(self.pause), kind),
            ],
            cwd=CHECKOUT,
            env=ENVIRONMENT,
            stdout=PIPE,
            text=True,
        )
        self.addCleanup(peer.wait)
        self.addCleanup(peer.kill)
        return peer

    def test_epoll(self) -> None:
        """
        The peers receive everything, and then the end of the stream.
        """
        self.lose("epoll")

    def test_uvloop(self) -> None:
        """
        It is the same inside libuv.
        """
        if find_spec("uvloop") is None:
            lacking("uvloop")
        self.lose("uvloop")


class NetcatTests(SynchronousTestCase):
    """
    C{nc} at a terminal.
    """

    def test_enter(self) -> None:
        """
        After C{bye}, C{nc} ends at the first Enter.
        """
        keyboard, terminal = os.openpty()
        self.addCleanup(os.close, keyboard)
        with Daemon("--tcp", "127.0.0.1:0") as daemon:
            command = [program("nc"), *map(str, daemon.tcp)]
            netcat = Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
            os.close(terminal)
            self.addCleanup(netcat.wait)
            self.addCleanup(netcat.kill)
            os.write(keyboard, b"bye\n")
            daemon.expect("ended: goodbye")
            self.assertIsNone(netcat.poll())
            os.write(keyboard, b"\n")
            self.assertEqual(netcat.wait(PATIENCE), 0)
