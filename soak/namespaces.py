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
from subprocess import CalledProcessError, run

from tests.support import lacking, needs

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
        _run("ip", "-netns", self.name, *arguments.split())

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
        lines = _run(*self.below, "cat", "/proc/net/snmp").splitlines()
        names, values = (line.split() for line in lines if line.startswith("Udp:"))
        return int(values[names.index("InDatagrams")])


@contextmanager
def neighbours() -> Iterator[tuple[Namespace, Namespace]]:
    """
    Two namespaces, 10.0.0.1 and 10.0.0.2, with a wire between them.  The first one is
    the route to all other addresses.

    Skip the test that is running where the rights for this are missing, or are there
    in part: in a chroot and in many containers a namespace can be made, but not
    entered.
    """
    needs("ip")
    with ExitStack() as undo:
        try:
            first, second = _wired(undo)
        except CalledProcessError as error:
            lacking(f"the rights of root over networks ({error.stderr.strip()})")
        except OSError as error:
            lacking(f"the rights of root over networks ({error})")
        yield first, second


def _wired(undo: ExitStack) -> tuple[Namespace, Namespace]:
    """
    Make L{neighbours}, and do once with each what only root may do there.

    @param undo: Gets what removes them.
    """
    first, second = Namespace(), Namespace()
    for namespace in (first, second):
        _run("ip", "netns", "add", namespace.name)
        undo.callback(_run, "ip", "netns", "del", namespace.name)
    first.ip(f"link add wire type veth peer name wire netns {second.name}")
    for number, namespace in enumerate((first, second), 1):
        namespace.ip(f"address add 10.0.0.{number}/24 dev wire")
        namespace.ip("link set lo up")
        namespace.ip("link set wire up")
        namespace.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
        namespace.datagramsReceived()
    second.ip("route add default via 10.0.0.1")
    return first, second


def _run(*command: str) -> str:
    """
    @return: The output of a command.

    @raise CalledProcessError: if it fails.
    """
    return run(command, capture_output=True, text=True, check=True).stdout


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
