"""
The protocol of the second socket of a UDP server, and of each one after it.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from echod.udp.pktinfo import SourceAddress


class AnotherSocket:
    """
    The protocol of one more socket, where datagrams do not know their port: the first
    socket would send the answers.
    """

    def __init__(self, protocol: DatagramProtocol, transport: IUDPTransport) -> None:
        self._protocol = protocol
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._protocol, name)

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Return a datagram from this socket.
        """
        source = SourceAddress(addr)
        source.transport = self._transport
        self._protocol.datagramReceived(datagram, source)
