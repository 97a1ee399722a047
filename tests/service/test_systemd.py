"""
Tests for echod as systemd runs it: sockets from the real
C{systemd-socket-activate}, a real notify socket, and the units.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from subprocess import run

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SynchronousTestCase, TestCase

from echod.client.options import parseCommandLine
from echod.service.echoservice import EchoService
from echod.service.inherited import InheritedStreamEndpoint, InheritedUDPEndpoint
from echod.service.listening import ListeningService
from echod.tap import Options
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import CHECKOUT, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon
from tests.support.load import HOST, Load, freePort

UNITS = CHECKOUT / "deploy" / "systemd"

EXPOSURE = 12
"""
The highest accepted result of C{systemd-analyze security}, times ten.
"""

EXPOSURE_OF_PORT7 = 14
"""
The same with the override for port 7, which has one capability and no user namespace.
"""

HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="tcp")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""
Passes a socket to a program as systemd does.
"""

RESTARTS = 2

TARGETS = ("basic", "shutdown", "sysinit")
"""
The targets that systemd adds to each service's dependencies.
"""


class ActivationTests(SynchronousTestCase):
    """
    Tests for sockets that systemd passes to a daemon.
    """

    def activated(self, kind: socket.SocketKind, *more: str) -> tuple[Daemon, tuple[str, int]]:
        """
        @return: A daemon that starts with its first peer, and its address.
        """
        address = (HOST, freePort(kind))
        flags = ["--datagram"] if kind == socket.SOCK_DGRAM else []
        option = "udp" if flags else "tcp"
        daemon = Daemon(
            f"--{option}=systemd:domain=INET:name={option}",
            *more,
            below=[
                program("systemd-socket-activate"),
                *("-l", "{}:{}".format(*address), *flags, f"--fdname={option}"),
                *("-E", f"PYTHONPATH={CHECKOUT}"),
            ],
        )
        self.addCleanup(daemon.stop)
        daemon.expect("Listening on")
        return daemon, address

    def handedOver(self, skt: socket.socket) -> Daemon:
        """
        @return: A daemon that has got this socket.
        """
        return Daemon(
            *("--tcp", "systemd:domain=INET:name=tcp", "--session-lines", "all"),
            below=[sys.executable, "-c", HAND_OVER, str(skt.fileno())],
            descriptors=[skt.fileno()],
        )

    def test_tcp(self) -> None:
        """
        The connection that starts the daemon is served, and so is the next one.
        """
        daemon, address = self.activated(socket.SOCK_STREAM)
        for _ in range(2):
            with socket.create_connection(address, PATIENCE) as skt:
                skt.sendall(b"hello\n")
                self.assertEqual(skt.recv(100), b"hello\n")
        daemon.expect(f"TCP echo listens on {HOST}:{address[1]}")

    def test_udp(self) -> None:
        """
        The datagram that starts the daemon is returned, and so is the next one.
        """
        daemon, address = self.activated(socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
            skt.settimeout(PATIENCE)
            skt.connect(address)
            for _ in range(2):
                skt.send(b"hello")
                self.assertEqual(skt.recv(100), b"hello")
        daemon.expect(f"UDP echo listens on {HOST}:{address[1]}")

    def test_restart(self) -> None:
        """
        While daemons on one inherited socket replace each other, no connection is
        refused, and each is served.
        """
        with socket.create_server((HOST, 0), backlog=4096) as skt:
            load = Load(skt.getsockname())
            for left in reversed(range(RESTARTS)):
                with self.handedOver(skt) as daemon:
                    for _ in range(100):
                        daemon.expect("ended: closed by peer")
                    if not left:
                        load.stop()
        self.assertEqual(set(load.outcomes), {"answered"})
        self.assertGreaterEqual(load.outcomes["answered"], 100 * RESTARTS)

    def test_notified(self) -> None:
        """
        systemd is notified that the daemon is ready, alive, serves and stops.
        """
        path = temporaryDirectory(self) / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
            systemd.bind(os.fspath(path))
            systemd.settimeout(PATIENCE)

            def told(words: str) -> None:
                while words not in systemd.recv(4096).decode().splitlines():
                    pass

            environ = {"NOTIFY_SOCKET": os.fspath(path), "WATCHDOG_USEC": "200000"}
            with Daemon("--tcp", "0", environment=environ) as daemon:
                told("READY=1")
                with socket.create_connection(daemon.tcp):
                    told("STATUS=sessions: 1")
                told("WATCHDOG=1")
            told("STOPPING=1")


class RestartTests(TestCase):
    """
    Tests for inherited sockets in the reactor of this process.
    """

    @inlineCallbacks
    def test_startsAgain(self):  # type: ignore[no-untyped-def]
        """
        Data that arrives while nothing listens on a socket is answered by the next
        service on it.
        """
        with (
            socket.create_server(("127.0.0.1", 0)) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        ):
            datagram.bind(("127.0.0.1", 0))
            service = EchoService(reactor)
            for skt, kind, server in (
                (stream, InheritedStreamEndpoint, EchoFactory(reactor)),
                (datagram, InheritedUDPEndpoint, UDPEchoProtocol(reactor)),
            ):
                endpoint = kind(reactor, skt.fileno(), skt.family)
                ListeningService("systemd:", endpoint, server).setServiceParent(service)
            for _ in range(2):
                with (
                    socket.create_connection(stream.getsockname(), PATIENCE) as tcp,
                    socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
                ):
                    tcp.sendall(b"hello")
                    udp.settimeout(PATIENCE)
                    udp.sendto(b"hello", datagram.getsockname())
                    service.startService()
                    for peer in (tcp, udp):
                        said = yield deferToThread(peer.recv, 100)
                        self.assertEqual(said, b"hello")
                yield service.stopService()


class UnitTests(SynchronousTestCase):
    """
    Tests for the units in C{deploy/systemd}, in a root directory without other units.
    """

    def setUp(self) -> None:
        self.analyze = program("systemd-analyze")
        self.root = temporaryDirectory(self)
        self.directory = self.root / "etc/systemd/system"
        shutil.copytree(UNITS, self.directory, ignore=shutil.ignore_patterns("*.d"))
        for target in TARGETS:
            (self.directory / f"{target}.target").write_text("[Unit]\n")
        programs = self.root / "opt/echod/bin"
        programs.mkdir(parents=True)
        for name in ("echoc", "twistd"):
            (programs / name).touch(0o755)

    def analyzed(self, *arguments: str) -> str:
        """
        @return: The output of C{systemd-analyze}.
        """
        done = run(
            [self.analyze, "--no-pager", f"--root={self.root}", *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def units(self, kind: str) -> list[str]:
        """
        @return: The names of the units of a kind.
        """
        return sorted(path.name for path in self.directory.glob(f"*.{kind}"))

    def test_verify(self) -> None:
        """
        systemd accepts all units.
        """
        units = self.units("service") + self.units("socket")
        self.assertEqual(len(units), 5)
        self.assertEqual(self.analyzed("verify", "--man=no", *units), "")

    def test_port7(self) -> None:
        """
        With the override for port 7, the only privilege is to bind to a port below 1024.
        """
        override = "echod.service.d"
        shutil.copytree(UNITS / override, self.directory / override)
        self.assertEqual(self.analyzed("verify", "--man=no", "echod.service"), "")
        report = self.analyzed(
            *("security", "--offline=true", f"--threshold={EXPOSURE_OF_PORT7}"),
            "echod.service",
        )
        left = re.findall(r"^✗ CapabilityBoundingSet=~(\S+)", report, re.M)
        self.assertEqual(left, ["CAP_NET_(BIND_SERVICE|BROADCAST|RAW)"])
        (command,) = re.findall(
            r"ExecStart=.* echod +(.*)", (UNITS / override / "port7.conf").read_text()
        )
        Options(MemoryReactorClock()).parseOptions(command.split())

    def test_security(self) -> None:
        """
        The services are rated as safe enough.
        """
        for unit in self.units("service"):
            self.analyzed("security", "--offline=true", f"--threshold={EXPOSURE}", unit)

    def test_commands(self) -> None:
        """
        The command lines of the services are valid, and use the sockets of the units.
        """
        named = re.findall(
            r"FileDescriptorName=(.*)",
            "".join((self.directory / unit).read_text() for unit in self.units("socket")),
        )
        for unit in self.units("service"):
            text = (self.directory / unit).read_text().replace("\\\n", " ")
            (command,) = re.findall(r"ExecStart=(.*)", text)
            if "/echoc " in command:
                parseCommandLine(command.split()[1:])
                continue
            command = command.partition(" echod ")[2]
            for name in re.findall(r"systemd:\S*name=(\S+)", command):
                self.assertIn(name, named)
            arguments = re.sub(r"systemd:\S+", "0", command).split()
            Options(MemoryReactorClock()).parseOptions(arguments)
