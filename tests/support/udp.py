"""
UDP in memory: a transport for protocols, and a socket for ports.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Container
from ipaddress import ip_address
from typing import Any

from twisted.internet import udp
from twisted.internet.address import IPv4Address

from echod.udp.options import IP_PKTINFO
from tests.support import FakeSocket


class MemoryDatagramTransport:
    """
    A UDP transport in memory.

    @ivar sent: The datagrams that were sent, with their addresses.

    @ivar error: The error of the next writes.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.error: Exception | None = None

    def write(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Record a datagram.
        """
        if self.error is not None:
            raise self.error
        self.sent.append((datagram, addr))

    def getHost(self) -> IPv4Address:
        """
        @return: The address of the server.
        """
        return IPv4Address("UDP", "127.0.0.1", 8080)


def listening(protocol: Any) -> MemoryDatagramTransport:
    """
    @return: A new transport on which the protocol listens.
    """
    transport = MemoryDatagramTransport()
    protocol.makeConnection(transport)
    return transport


class MemorySocketPort(udp.Port):
    """
    A base class for ports under test, behind the tested class: the socket is a
    L{FakeSocket}.

    @cvar lacking: The options that its system lacks.
    """

    lacking: Container[tuple[int, int]] = ()

    def createInternetSocket(self) -> Any:
        """
        @return: A socket in memory.
        """
        skt = FakeSocket(self.addressFamily)
        skt.lacking = self.lacking
        return skt


def info4(interface: int, local: str, destination: str) -> tuple[int, int, bytes]:
    """
    @return: A control message with a C{struct in_pktinfo}.
    """
    addresses = ip_address(local).packed, ip_address(destination).packed
    return (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("@i4s4s", interface, *addresses))


def info6(local: str, interface: int) -> tuple[int, int, bytes]:
    """
    @return: A control message with a C{struct in6_pktinfo}.
    """
    data = struct.pack("@16sI", ip_address(local).packed, interface)
    return (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, data)
