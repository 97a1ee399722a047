"""
Sockets that listen for connections, with the options that Twisted does not set.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Any

from twisted.internet.abstract import isIPv6Address
from twisted.internet.error import CannotListenError
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import Factory

from echod.net.reactor import ReactorWrapper
from echod.tcp.promptconnection import sendPromptly

OWN_SOCKETS = os.name == "posix"
"""
True on the systems where Twisted's reactors can listen on sockets that they did not make.
"""


class ListeningReactor(ReactorWrapper):
    """
    A reactor whose listening sockets have the options of this module, and whose connections
    send promptly.
    """

    def listenTCP(
        self, port: int, factory: Factory, backlog: int = 50, interface: str = ""
    ) -> Any:
        """
        Listen on TCP.

        @raise CannotListenError: if this fails.
        """
        reactor = self._reactor
        # Other reactors have no sockets, as in a test, or not yet, as for workers.
        if not OWN_SOCKETS or not isinstance(reactor, PosixReactorBase):
            return reactor.listenTCP(port, factory, backlog, interface)
        try:
            skt = listeningSocket(port, backlog, interface)
        except OSError as error:
            raise CannotListenError(interface, port, error) from None
        with skt:
            return sendPromptly(reactor.adoptStreamPort(skt.fileno(), skt.family, factory))

    def adoptStreamPort(self, descriptor: int, family: int, factory: Factory) -> Any:
        """
        Listen on a socket that already listens.
        """
        with socket.socket(fileno=os.dup(descriptor)) as skt:
            setStreamOptions(skt)
        return sendPromptly(self._reactor.adoptStreamPort(descriptor, family, factory))


def setStreamOptions(skt: socket.socket) -> None:
    """
    Set the options of a socket before it is bound.

    Each is left out if the system lacks it.  Accepted connections inherit them.
    """
    # Urgent bytes stay in their place in the stream, instead of being lost.
    options = [(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)]
    if skt.family == socket.AF_INET6:
        # [::] serves IPv4 as well, with any value of net.ipv6.bindv6only.
        options.append((socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0))
    for option in options:
        with suppress(OSError):
            skt.setsockopt(*option)


def listeningSocket(port: int, backlog: int, interface: str) -> socket.socket:
    """
    Listen on a new socket.

    @param port: 0 for any free port.

    @param interface: A literal address; empty for all IPv4 addresses.

    @raise OSError: if this fails.
    """
    family = socket.AF_INET6 if isIPv6Address(interface) else socket.AF_INET
    # With the scope of a link-local address, if it has one.
    ((*_, address), *_) = socket.getaddrinfo(
        interface or "0.0.0.0", port, family, socket.SOCK_STREAM
    )
    skt = socket.socket(family, socket.SOCK_STREAM)
    try:
        skt.setblocking(False)
        # Closed connections do not keep the address in use.
        skt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        setStreamOptions(skt)
        skt.bind(address)
        skt.listen(backlog)
    except OSError:
        skt.close()
        raise
    return skt
