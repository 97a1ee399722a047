"""
The names of this machine: an address that is a port alone, or C{localhost} with a port,
with a real echod on a machine of its own.
"""

from __future__ import annotations

import sys

from twisted.trial.unittest import SynchronousTestCase

from tests.support import CHECKOUT, needs
from tests.support.daemon import Daemon
from tests.support.machine import machine, neighbour, onMachine

LOCALHOST = "127.0.0.1 localhost\n::1 localhost\n"

ARTICLE = str(CHECKOUT / "tests" / "support" / "article.py")

CLIENT = """
import socket, sys
host, port, name = sys.argv[1:]
(family, kind, *_, address), *_ = socket.getaddrinfo(host, port, type=socket.SocketKind[name])
with socket.socket(family, kind) as skt:
    skt.settimeout(1)
    try:
        skt.connect(address)
        skt.send(b"hello")
        print(skt.recv(100).decode(), end="")
    except OSError as error:
        print(type(error).__name__)
"""
"""
Sends C{hello} to a host, and prints the answer.
"""


class NamesTests(SynchronousTestCase):
    """
    Tests that local programs reach the servers by the names of their machine.
    """

    def serve(self, hosts: str, *options: str) -> Daemon:
        """
        @return: An echod on a machine with a hosts file; with the default options unless
            others are given.
        """
        daemon = Daemon(*options, below=machine(self, hosts))
        self.addCleanup(daemon.stop)
        if not options:
            daemon.expect("UDP echo listens on")
        return daemon

    def article(self, daemon: Daemon, port: int = 9999) -> str:
        """
        @return: The output of the article's first client.
        """
        return self.run_(daemon.process.pid, ARTICLE, "greeting", str(port))

    def send(self, process: int, host: str, port: int, kind: str = "SOCK_STREAM") -> str:
        """
        @return: The answer to a client on the machine of a process.
        """
        return self.run_(process, "-c", CLIENT, host, str(port), kind)

    def run_(self, process: int, *arguments: str) -> str:
        """
        @return: The output of a Python program on the machine of a process.
        """
        return onMachine(process, sys.executable, *arguments)

    def test_loopback(self) -> None:
        """
        On Debian, Ubuntu and Mint the machine's name is 127.0.1.1: the article's first
        client is greeted there, and the other servers listen there, too.
        """
        daemon = self.serve(LOCALHOST + "127.0.1.1 box\n")
        self.assertEqual(self.article(daemon), "Thank you for connecting\n\n")
        for host in ("box", "127.0.0.1", "::1"):
            for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
                self.assertEqual(self.send(daemon.process.pid, host, 8080, kind), "hello")
        self.assertIn(
            "TCP echo listens on 127.0.0.1:8080, [::1]:8080, 127.0.1.1:8080\n",
            "".join(daemon.log),
        )

    def interface(self, *options: str) -> None:
        """
        Test a machine whose name is the address of an interface.
        """
        daemon = self.serve(
            LOCALHOST + "192.0.2.1 box\n",
            *("--greeting", "9999", "--tcp", "8080", "--udp", "8080", *options),
        )
        if options:
            daemon.expect("worker . serves")
            daemon.expect("worker . serves")
        self.assertEqual(self.article(daemon), "Thank you for connecting\n\n")
        for kind in ("SOCK_STREAM", "SOCK_DGRAM"):
            self.assertEqual(self.send(daemon.process.pid, "box", 8080, kind), "hello")
        other = neighbour(self, daemon.process.pid)
        for port, kind in ((9999, "STREAM"), (8080, "STREAM"), (8080, "DGRAM")):
            answer = self.send(other, "192.0.2.1", port, f"SOCK_{kind}")
            self.assertIn(answer.strip(), ("", "ConnectionResetError", "TimeoutError"))
        for server in ("TCP greeting", "TCP echo", "UDP echo"):
            daemon.expect(rf"{server}: refused 192\.0\.2\.2:\d+: denied address")

    def test_interface(self) -> None:
        """
        In a container the machine's name is the address of an interface: there programs
        on the machine are served, and others are refused as denied.
        """
        self.interface()

    def test_workers(self) -> None:
        """
        The same holds for workers, which inherit the sockets.
        """
        self.interface("--workers", "2")

    def test_onlyIPv6(self) -> None:
        """
        The machine's name may be ::1 alone.
        """
        daemon = self.serve("127.0.0.1 localhost\n::1 box\n")
        answer = self.send(daemon.process.pid, "box", 9999)
        self.assertEqual(answer, "Thank you for connecting\n")
        self.assertEqual(self.send(daemon.process.pid, "127.0.0.1", 8080), "hello")

    def test_noName(self) -> None:
        """
        If the machine's name means nothing, echod says so and serves on 127.0.0.1 and ::1.
        """
        daemon = self.serve(LOCALHOST)
        for host in ("127.0.0.1", "::1"):
            self.assertEqual(self.send(daemon.process.pid, host, 8080), "hello")
        self.assertIn("box, the name of this machine, does not resolve", "".join(daemon.log))

    def test_netcat(self) -> None:
        """
        C{nc -u localhost} is answered where localhost is ::1 first.
        """
        needs("nc")
        daemon = self.serve("::1 localhost\n127.0.0.1 localhost\n")
        # It ends after the first datagram that comes back.
        command = ["nc", "-u", "-W", "1", "localhost", "8080"]
        answer = onMachine(daemon.process.pid, *command, typed="hello")
        self.assertEqual(answer, "hello")

    def test_localhost(self) -> None:
        """
        An address with a host name is one server on all addresses of the name, on port 0
        with the same free port.
        """
        daemon = self.serve(
            "::1 localhost\n127.0.0.1 localhost\n127.0.0.9 localhost\n",
            *("--tcp", "localhost:0", "--udp", "localhost:0"),
        )
        for server, kind in (("TCP echo", "SOCK_STREAM"), ("UDP echo", "SOCK_DGRAM")):
            ((_, port),) = daemon.addresses[server]
            for host in ("::1", "127.0.0.1", "127.0.0.9"):
                self.assertEqual(self.send(daemon.process.pid, host, port, kind), "hello")
