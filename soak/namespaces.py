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
from itertools import count, pairwise
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

    def ip(self, *commands: str) -> None:
        """
        Set something up in here.

        @param commands: The arguments of the program C{ip}.

        @raise CalledProcessError: if that fails.
        """
        _run("ip", "-netns", self.name, "-batch", "-", lines="\n".join(commands))

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

    def set(self, name: str, value: str) -> None:
        """
        Set a parameter of the kernel in here.

        @param name: Its path below C{/proc/sys}.

        @raise CalledProcessError: if that fails.
        """
        _run(*self.below, "sh", "-c", f"echo {value} > /proc/sys/{name}")

    def datagramsReceived(self) -> int:
        """
        @return: How many UDP datagrams have been delivered to somebody in here.
        """
        lines = _run(*self.below, "cat", "/proc/net/snmp").splitlines()
        names, values = (line.split() for line in lines if line.startswith("Udp:"))
        return int(values[names.index("InDatagrams")])


@contextmanager
def chain(routers: int = 0) -> Iterator[list[Namespace]]:
    """
    Two hosts, with routers in a chain between them.  Link number I, counted from 0, has the
    networks 10.0.I.0/24 and fd00:0:0:I::/64.  The namespace before it has the address that
    ends in 1, and the namespace behind it has the one that ends in 2.

    Skip the test that is running where the rights for this are missing, or are there
    in part: in a chroot and in many containers a namespace can be made, but not
    entered.
    """
    needs("ip")
    with ExitStack() as undo:
        try:
            namespaces = _linked(routers, undo)
        except CalledProcessError as error:
            lacking(f"the rights of root over networks ({error.stderr.strip()})")
        except OSError as error:
            lacking(f"the rights of root over networks ({error})")
        yield namespaces


def _linked(routers: int, undo: ExitStack) -> list[Namespace]:
    """
    Make the namespaces of a L{chain}, and do once with each what only root may do there.

    @param undo: Gets what removes them.
    """
    namespaces = [Namespace() for _ in range(routers + 2)]
    for namespace in namespaces:
        _run("ip", "netns", "add", namespace.name)
        undo.callback(_run, "ip", "netns", "del", namespace.name)
        namespace.set("net/ipv4/ip_forward", "1")
        namespace.set("net/ipv6/conf/all/forwarding", "1")
    for link, (before, behind) in enumerate(pairwise(namespaces)):
        before.ip(
            "link set lo up",
            f"link add right type veth peer name left netns {behind.name}",
            f"address add 10.0.{link}.1/24 brd + dev right",
            f"address add fd00:0:0:{link}::1/64 dev right nodad",
            "link set right up",
        )
        behind.ip(
            "link set lo up",
            f"address add 10.0.{link}.2/24 brd + dev left",
            f"address add fd00:0:0:{link}::2/64 dev left nodad",
            "link set left up",
        )
    # To the right is everything but the first link.  From the last host everything is to the
    # left.
    for link, (before, behind) in enumerate(pairwise(namespaces)):
        isLast = link == routers
        if not isLast:
            before.ip(
                f"route add 10.0.0.0/16 via 10.0.{link}.2",
                f"route add fd00::/48 via fd00:0:0:{link}::2",
            )
        if isLast or link:
            behind.ip(
                f"route add {'default' if isLast else '10.0.0.0/24'} via 10.0.{link}.1",
                f"route add {'default' if isLast else 'fd00::/64'} via fd00:0:0:{link}::1",
            )
    host = namespaces[0]
    host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW).close()
    host.datagramsReceived()
    return namespaces


def _run(*command: str, lines: str = "") -> str:
    """
    @param lines: The input of the command.

    @return: Its output.

    @raise CalledProcessError: if it fails.
    """
    return run(command, input=lines, capture_output=True, text=True, check=True).stdout


def forged(source: tuple[bytes, int], destination: tuple[bytes, int], payload: bytes) -> bytes:
    """
    @param source: The address and the port that it claims to come from.

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
