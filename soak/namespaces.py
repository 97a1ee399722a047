"""
Networks of the tests' own: Linux network namespaces, and what can be done there
only.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from shutil import which
from subprocess import run
from unittest import SkipTest

from tests.support import lacking

CLONE_NEWNET = 0x40000000

IP_HEADER = struct.Struct("!BBHHHBBH4s4s")
UDP_HEADER = struct.Struct("!4H")

_numbers = count()


class Namespace:
    """
    A network namespace.
    """

    def __init__(self) -> None:
        self.name = f"soak-{os.getpid()}-{next(_numbers)}"

    @property
    def below(self) -> tuple[str, ...]:
        """
        The command that runs another one in here.
        """
        return ("ip", "netns", "exec", self.name)

    def ip(self, arguments: str) -> None:
        """
        Set something up in here.

        @raise CalledProcessError: if that fails.
        """
        run(["ip", "-netns", self.name, *arguments.split()], check=True)

    def socket(self, *arguments: int) -> socket.socket:
        """
        @return: A socket in here.
        """
        with open("/proc/self/ns/net") as outside, open(f"/run/netns/{self.name}") as inside:
            _enter(inside.fileno())
            try:
                return socket.socket(*arguments)
            finally:
                _enter(outside.fileno())

    def datagramsReceived(self) -> int:
        """
        @return: How many UDP datagrams have been delivered to somebody in here.
        """
        command = [*self.below, "cat", "/proc/net/snmp"]
        lines = run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        names, values = (line.split() for line in lines if line.startswith("Udp:"))
        return int(values[names.index("InDatagrams")])


@contextmanager
def neighbours() -> Iterator[tuple[Namespace, Namespace]]:
    """
    Two namespaces, 10.0.0.1 and 10.0.0.2, with a wire between them.  All that is
    not on that wire is behind the first one.

    @raise SkipTest: where they cannot be made.
    """
    if which("ip") is None:
        lacking("ip (iproute2)")
    first, second = Namespace(), Namespace()
    with ExitStack() as undo:
        for namespace in (first, second):
            done = run(["ip", "netns", "add", namespace.name], capture_output=True, text=True)
            if done.returncode:
                raise SkipTest(f"needs network namespaces: {done.stderr.strip()}")
            undo.callback(run, ["ip", "netns", "del", namespace.name], check=True)
        first.ip(f"link add wire type veth peer name wire netns {second.name}")
        for number, namespace in enumerate((first, second), 1):
            namespace.ip(f"address add 10.0.0.{number}/24 dev wire")
            namespace.ip("link set lo up")
            namespace.ip("link set wire up")
        second.ip("route add default via 10.0.0.1")
        yield first, second


def forged(source: tuple[bytes, int], destination: tuple[bytes, int], payload: bytes) -> bytes:
    """
    @param source: Whom it shall seem to be from: address and port.

    @return: A UDP datagram over IPv4.  The checksums are left to the system, or
        left out.
    """
    size = UDP_HEADER.size + len(payload)
    return (
        IP_HEADER.pack(
            *(0x45, 0, IP_HEADER.size + size, 0, 0, 64, socket.IPPROTO_UDP, 0),
            *(source[0], destination[0]),
        )
        + UDP_HEADER.pack(source[1], destination[1], size, 0)
        + payload
    )


def _enter(descriptor: int) -> None:
    # os.setns is there from Python 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
