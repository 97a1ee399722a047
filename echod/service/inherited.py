"""
Sockets that this process inherits from systemd, or from another program that passes them as
systemd does (sd_listen_fds(3)): C{systemd:domain=INET6:name=NAME}.

Twisted has an endpoint of this name.  It is for streams only, and listens only once.  These
endpoints also serve datagrams, can be started again, and report what is wrong.  Twisted
still parses the descriptions.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.defer import Deferred, execute
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.internet.protocol import DatagramProtocol
from zope.interface import implementer

from echod.net.descriptions import checkNumbers
from echod.udp.endpoint import adoptDatagrams

PREFIX = "systemd:"

FAMILIES = {socket.AF_INET: "INET", socket.AF_INET6: "INET6"}
"""
Not C{AF_UNIX}: at the end Twisted would remove the socket's file, which belongs to systemd.
"""

_TYPES = {
    socket.SOCK_STREAM: "a stream socket (ListenStream=)",
    socket.SOCK_DGRAM: "a datagram socket (ListenDatagram=)",
}


def inherited(description: str, wanted: socket.SocketKind) -> tuple[int, socket.AddressFamily]:
    """
    @param description: As for Twisted's endpoint: C{systemd:domain=INET:index=0}
        or C{systemd:domain=INET6:name=NAME}.

    @param wanted: The type of socket that the server needs.

    @return: A descriptor, and the family of its socket.

    @raise ValueError: if there is no such socket, or if its type is wrong.
    """
    descriptor, family = _find(description)
    try:
        with socket.socket(fileno=os.dup(descriptor)) as skt:
            _check(skt, family, wanted)
    except OSError as error:
        raise ValueError(f"descriptor {descriptor} is no socket ({error.strerror})") from None
    # Programs that this process starts do not inherit it.
    os.set_inheritable(descriptor, False)
    return descriptor, family


def _find(description: str) -> tuple[int, socket.AddressFamily]:
    try:
        checkNumbers(description)
        endpoint: Any = serverFromString(None, description)
    except LookupError:
        raise ValueError(
            "no such socket was handed over; names of those that were (LISTEN_FDNAMES): "
            + (os.environ.get("LISTEN_FDNAMES") or "none")
        ) from None
    except (TypeError, ValueError, AttributeError):
        endpoint = None
    if getattr(endpoint, "addressFamily", None) not in FAMILIES:
        raise ValueError(
            "a socket that was handed over is systemd:domain=INET:name=NAME or "
            "systemd:domain=INET:index=0; INET is for IPv4, INET6 for IPv6 and for both"
        )
    return endpoint.fileno, endpoint.addressFamily


def _check(skt: socket.socket, family: socket.AddressFamily, wanted: socket.SocketKind) -> None:
    if skt.type != wanted:
        found = _TYPES.get(skt.type, str(skt.type))
        raise ValueError(f"it is {found}, and this needs {_TYPES[wanted]}")
    if skt.family != family:
        found = FAMILIES.get(skt.family, skt.family.name)
        raise ValueError(f"its domain is {found}, not {FAMILIES[family]}")
    if wanted == socket.SOCK_STREAM and not skt.getsockopt(
        socket.SOL_SOCKET, socket.SO_ACCEPTCONN
    ):
        raise ValueError("it is one connection and does not listen (use Accept=no)")


class Inherited:
    """
    An inherited socket.  It can be listened on several times.  In between, connections and
    datagrams wait in its queue.
    """

    def __init__(self, reactor: Any, descriptor: int, family: socket.AddressFamily) -> None:
        self._reactor = reactor
        self._descriptor = descriptor
        self._family = family


@implementer(IStreamServerEndpoint)
class InheritedStreamEndpoint(Inherited):
    """
    Listens for connections on an inherited socket.
    """

    def listen(self, factory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        @return: Fires with the port.
        """
        copy = os.dup(self._descriptor)
        endpoint = AdoptedStreamServerEndpoint(self._reactor, copy, self._family)
        listening: Deferred[IListeningPort] = endpoint.listen(factory)
        return listening


class InheritedUDPEndpoint(Inherited):
    """
    Listens for datagrams on an inherited socket.
    """

    def listen(self, protocol: DatagramProtocol) -> Deferred[IListeningPort]:
        """
        @return: Fires with the port.
        """
        adopted = (self._reactor, self._descriptor, self._family, protocol)
        return execute(adoptDatagrams, *adopted)
