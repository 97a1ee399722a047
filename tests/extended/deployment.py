"""
Tests of what is in C{deploy} and takes long, or tools that few have: C{make
test-all} runs them.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT, Popen, run
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from tests.client.test_main import ECHOC
from tests.client.watch.test_command import get
from tests.support import CHECKOUT, ENVIRONMENT, lacking, program, temporaryDirectory
from tests.support.daemon import PATIENCE, Daemon

DEPLOY = CHECKOUT / "deploy"

KUBERNETES = ("1.30", "1.37")
"""
The first version that has all of it, and the last that is known.
"""

PACKAGE_TIMEOUT = 1800.0
"""
How long C{.ci/deb} may take, in seconds: it downloads a Debian and all build tools.
"""

NO_WRITABLE_CODE = """
import ctypes, os, sys
PR_SET_MDWE, REFUSE = 65, 1
assert ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
"""
"""
Does what C{MemoryDenyWriteExecute=} does.
"""


class KubernetesTests(SynchronousTestCase):
    """
    The manifests in C{deploy/kubernetes}.
    """

    def test_valid(self) -> None:
        """
        They are what Kubernetes' schemas say, without anything unknown.
        """
        program = Path(sys.executable).parent / "kubernetes-validate"
        if not program.exists():
            lacking("kubernetes-validate")
        for version in KUBERNETES:
            done = run(
                [program, "-k", version, "--strict", DEPLOY / "kubernetes" / "echod.yaml"],
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(len(re.findall("passed", done.stdout + done.stderr)), 5)


class DebianTests(SynchronousTestCase):
    """
    The Debian package.
    """

    def test_package(self) -> None:
        """
        The package is clean in lintian, and apt installs it in a new tree. There, with the
        real systemd, it serves on systemd's sockets and on port 7, refuses nobody during
        an upgrade, and leaves no file when it is purged.
        """
        if os.geteuid() != 0:
            lacking("root, to make a Debian tree")
        for name in ("debootstrap", "ip", "nsenter"):
            program(name)
        done = run(
            [CHECKOUT / ".ci" / "deb"],
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=PACKAGE_TIMEOUT,
        )
        self.assertEqual(done.returncode, 0, done.stdout)


class SandboxTests(SynchronousTestCase):
    """
    Tests for the restrictions of the units in C{deploy/systemd}.
    """

    def systemCalls(self, name: str) -> set[str]:
        """
        @return: The system calls of one of systemd's sets.
        """
        analyze = program("systemd-analyze")
        listing = run(
            [analyze, "syscall-filter", "--no-pager", name],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        ).stdout
        calls = set()
        for line in map(str.strip, listing.splitlines()[1:]):
            if line and not line.startswith("#"):
                calls |= self.systemCalls(line) if line.startswith("@") else {line}
        return calls

    def filtered(self, unit: str) -> set[str]:
        """
        @return: The rights that a unit leaves.
        """
        allowed: set[str] = set()
        text = (DEPLOY / "systemd" / unit).read_text()
        for sign, names in re.findall(r"^SystemCallFilter=(~?)(.*)$", text, re.M):
            for name in names.split():
                if sign:
                    allowed -= self.systemCalls(name)
                else:
                    allowed |= self.systemCalls(name)
        return allowed

    def test_systemCalls(self) -> None:
        """
        A start, a session, a datagram and a stop need no more than the units
        allow, and no memory that is both written and run, in one process and in
        several.
        """
        for workers in ("1", "2"):
            used = self.used(
                "--tcp", "0", "--udp", "0", "--greeting", "0", "--workers", workers
            )
            self.assertIn("bind", used)
            for unit in ("echod.service", "echod-activated.service"):
                self.assertEqual(used - self.filtered(unit), set())

    def test_watch(self) -> None:
        """
        C{echoc watch} needs no more than its unit allows either, by UDP and by TCP.
        """
        trace = temporaryDirectory(self) / "trace"
        for more in ((), ("--tcp",), ("--tcp", "--anew")):
            with Daemon("--tcp", "0", "--udp", "0") as daemon:
                target = "{}:{}".format(*(daemon.tcp if more else daemon.udp))
                client = Popen(
                    [*self.traced(trace), *ECHOC, "watch", "--metrics=0", *more, target],
                    env=ENVIRONMENT,
                    stdout=PIPE,
                    text=True,
                )
                self.addCleanup(client.kill)
                assert client.stdout is not None
                url = client.stdout.readline().split()[1]
                deadline = monotonic() + PATIENCE
                while not re.search("echoc_up{.*} 1.0", text := get(url)):
                    self.assertLess(monotonic(), deadline, text)
                client.terminate()
                client.communicate(timeout=PATIENCE)
            self.assertEqual(client.returncode, 0)
            used = self.calls(trace)
            self.assertIn("sendto", used)
            self.assertEqual(used - self.filtered("echoc-watch.service"), set())

    def traced(self, trace: Path) -> list[str]:
        """
        @return: A command that runs the command after it, and writes the system calls of
            this to a file.  There is no memory that is both written and run.
        """
        strace = [program("strace"), "-f", "-qq", "-D", "-o", str(trace)]
        return [*strace, sys.executable, "-c", NO_WRITABLE_CODE]

    def calls(self, trace: Path) -> set[str]:
        """
        @return: The system calls in a trace.
        """
        return set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.M))

    def used(self, *arguments: str) -> set[str]:
        """
        @return: The system calls of a daemon that serves and ends.
        """
        trace = temporaryDirectory(self) / "trace"
        with Daemon(*arguments, below=self.traced(trace)) as daemon:
            with socket.create_connection(daemon.tcp, PATIENCE) as skt:
                skt.sendall(b"hello\n")
                self.assertEqual(skt.recv(100), b"hello\n")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as skt:
                skt.settimeout(PATIENCE)
                skt.connect(daemon.udp)
                skt.send(b"hello")
                self.assertEqual(skt.recv(100), b"hello")
        return self.calls(trace)
