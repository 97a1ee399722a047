"""
Listening on UDP: a new socket, or one that is bound already.
"""

from __future__ import annotations

import os
import socket
from typing import Any, cast

from twisted.internet.defer import Deferred, execute
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IReactorCore, IReactorFDSet, IReactorUDP
from twisted.internet.protocol import DatagramProtocol

from echod.net.addresses import parsed
from echod.net.sockets import MAX_DATAGRAM
from echod.udp.batch import MISSING_CALLS, BatchPort
from echod.udp.buffers import BATCHES
from echod.udp.echo import UDPEchoProtocol
from echod.udp.groups import groupKind
from echod.udp.options import LINUX
from echod.udp.pktinfo import PacketInfoPort


class UDPServerEndpoint:
    """
    The address on which a UDP server listens: the equivalent of a stream server endpoint for
    UDP.

    On Linux an answer leaves from the address to which the datagram was sent (RFC 1122,
    4.1.3.5), also on a wildcard address.  On other systems the system chooses the
    address.
    """

    def __init__(
        self, reactor: IReactorCore | IReactorUDP, port: int, interface: str = ""
    ) -> None:
        """
        @param reactor: A reactor with UDP.  The type of C{twisted.internet.reactor} does
            not say that it has UDP, so any reactor is accepted here.

        @param port: The port to listen on; 0 for any free port.

        @param interface: A literal address of this machine; empty for all its IPv4
            addresses.
        """
        self._reactor = cast(IReactorUDP, reactor)
        self._port = port
        self._interface = interface

    def listen(self, protocol: DatagramProtocol) -> Deferred[IListeningPort]:
        """
        @return: Fires with the listening port, or fails with
            L{CannotListenError<twisted.internet.error.CannotListenError>}.
        """
        return execute(self._listen, protocol)

    def _listen(self, protocol: DatagramProtocol) -> IListeningPort:
        # An IPv4 address in the form of an IPv6 address is the IPv4 address.
        interface = str(parsed(self._interface)) if self._interface else ""
        _refuseGroup(interface, self._port)
        if not usesPacketInfo(self._reactor):
            return self._reactor.listenUDP(self._port, protocol, interface, MAX_DATAGRAM)
        kind = portKind(protocol)
        return _started(kind(self._port, protocol, interface, MAX_DATAGRAM, self._reactor))


def adoptDatagrams(
    reactor: Any, descriptor: int, family: socket.AddressFamily, protocol: DatagramProtocol
) -> Any:
    """
    Listen on a socket that is bound already, as L{UDPServerEndpoint} does on a new one.

    @return: The listening port.
    """
    os.set_blocking(descriptor, False)
    with socket.socket(fileno=os.dup(descriptor)) as skt:
        _refuseGroup(*skt.getsockname()[:2])
    adopted = (descriptor, family, protocol, MAX_DATAGRAM)
    if not usesPacketInfo(reactor):
        return reactor.adoptDatagramPort(*adopted)
    # As adoptDatagramPort does, with another class of port.
    return _started(portKind(protocol)._fromListeningDescriptor(reactor, *adopted))


def _refuseGroup(host: str, port: int) -> None:
    """
    @raise CannotListenError: if a host is the address of a group.  No answer could leave
        from it.
    """
    if host and (kind := groupKind(host)):
        raise CannotListenError(
            host,
            port,
            OSError(
                f"{host} is a {kind} address; listen on an address of this machine, or on all "
                "(0.0.0.0 or [::])"
            ),
        )


def _started(port: PacketInfoPort) -> PacketInfoPort:
    port.missing += MISSING_CALLS
    port.startListening()
    return port


def usesPacketInfo(reactor: object) -> bool:
    """
    @return: True if L{PacketInfoPort} works with a reactor on this platform.
    """
    return LINUX and IReactorFDSet.providedBy(reactor)


def portKind(
    protocol: DatagramProtocol, batches: bool = BATCHES and not MISSING_CALLS
) -> type[PacketInfoPort]:
    """
    @param batches: True if this machine and its system can return datagrams in batches.

    @return: The fastest class of port that can listen for a protocol.
    """
    if batches and isinstance(protocol, UDPEchoProtocol) and not protocol.needsEachDatagram:
        return BatchPort
    return PacketInfoPort
