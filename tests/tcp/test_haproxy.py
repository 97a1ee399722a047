"""
Tests that run a real HAProxy in front of real daemons.
"""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from subprocess import DEVNULL, PIPE, Popen
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from tests.support import program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.tls import makeCertificate
from tests.test_daemon import GREETING, readAll

CONFIGURATION = """
global
    maxconn 100
    # The first check comes soon, and no check gives up soon.
    max-spread-checks 50ms
defaults
    mode tcp
    balance roundrobin
    timeout connect 90s
    timeout client 90s
    timeout server 90s
    timeout check 90s
    default-server check inter 90s
"""


class HAProxyTests(SynchronousTestCase):
    """
    Two daemons behind an HAProxy, which uses both versions of its protocol with each of
    them, and checks their health.
    """

    def setUp(self) -> None:
        self.haproxy = program("haproxy")
        arguments = ["--greeting", "haproxy:0", "--tcp", "haproxy:0", "--session-lines", "all"]
        # HAProxy itself, and thus its health checks, come from 127.0.0.1.
        arguments += ["--proxy-from", "127.0.0.1", "--allow", "127.0.0.7"]
        overTLS = find_spec("OpenSSL") is not None
        if overTLS:
            path = makeCertificate(temporaryDirectory(self) / "server.pem")
            address = f"haproxy:ssl:0:interface=127.0.0.1:privateKey={path}"
            arguments += ["--tcp", address]
        self.daemons = [
            Daemon(*arguments, reactor=reactor)
            for reactor in ("default", "uvloop" if find_spec("uvloop") else "asyncio")
        ]
        for daemon in self.daemons:
            self.addCleanup(daemon.process.wait)
            self.addCleanup(daemon.process.kill)
        self.configuration = CONFIGURATION
        self.sockets: list[socket.socket] = []
        self.greetings: list[socket.socket] = []
        for version in ("send-proxy", "send-proxy-v2"):
            self.listen("TCP greeting", 0, version)
            self.listen("TCP echo", 0, version)
            if overTLS:
                self.listen("TCP echo", 1, f"{version} ssl verify none")
        self.start()

    def listen(self, service: str, index: int, option: str) -> None:
        """
        Have HAProxy listen for a service of the daemons, the C{index}th.
        """
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.sockets.append(server)
        number = server.fileno()
        self.configuration += f"listen service{number}\n    bind fd@{number}\n"
        if service == "TCP greeting":
            self.greetings.append(server)
        for daemon in self.daemons:
            host, port = daemon.addresses[service][index]
            self.configuration += f"    server s{port} {host}:{port} {option}\n"

    def start(self) -> None:
        """
        Start HAProxy.
        """
        path = temporaryDirectory(self) / "haproxy.cfg"
        path.write_text(self.configuration)
        process = Popen(
            [self.haproxy, "-db", "-q", "-f", str(path)],
            pass_fds=[server.fileno() for server in self.sockets],
            stdout=DEVNULL,
            stderr=PIPE,
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)

    def connect(self, server: socket.socket) -> tuple[socket.socket, str]:
        """
        @return: A connection through HAProxy, and the address that it comes from.
        """
        client = socket.create_connection(
            server.getsockname(), PATIENCE, source_address=("127.0.0.7", 0)
        )
        self.addCleanup(client.close)
        host, port = client.getsockname()
        return client, f"{host}:{port}"

    def test_realPeers(self) -> None:
        """
        Both daemons greet, return 1 MB after a half-close, also over TLS, and log the real
        peer, in both versions of the protocol.  Health checks are served, though only the
        peers' addresses are allowed.
        """
        data = os.urandom(1_000_000).replace(b"\nbye", b"\nBYE")
        peers = []
        for server in self.sockets * 2:
            client, peer = self.connect(server)
            peers.append(peer)
            if server in self.greetings:
                self.assertEqual(readAll(client), GREETING)
                continue

            def send(client: socket.socket = client) -> None:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)

            sender = Thread(target=send)
            sender.start()
            returned = readAll(client)
            sender.join()
            self.assertTrue(returned == data, len(returned))
        for daemon in self.daemons:
            # HAProxy has checked each service by now, or will do so soon.
            for service in ("greeting", "echo"):
                if not any(f"{service}: 127.0.0.1" in line for line in daemon.log):
                    daemon.expect(f"{service}: 127.0.0.1:[0-9]+ ended")
            daemon.stop()
        logs = ["".join(daemon.log) for daemon in self.daemons]
        for log in logs:
            self.assertEqual(sum(f": {peer} ended: " in log for peer in peers), len(peers) / 2)
            self.assertNotIn("refused", log)
            self.assertNotIn("Traceback", log)
