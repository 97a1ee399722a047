"""
The UDP echo: every datagram comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, execute, succeed
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import (
    IListeningPort,
    IReactorFDSet,
    IReactorTime,
    IReactorUDP,
    ISystemHandle,
    IUDPTransport,
)
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from echod.limits.refusals import Refusals
from echod.net.format import escaped, hostPort
from echod.net.sockets import MAX_DATAGRAM, keepMore
from echod.net.statistics import (
    DATAGRAMS,
    DatagramServerStatistics,
    ServedSession,
    Traffic,
)
from echod.udp.batch import BATCHES, BatchPort
from echod.udp.guard import DatagramGuard
from echod.udp.pktinfo import PACKET_INFO, PacketInfoPort
from echod.udp.ttl import tellApart

_log = Logger(namespace="echod.udp")

SEND_BUFFER_FULL = "send buffer full"
SEND_ERROR = "send error"


class UDPEchoProtocol(DatagramProtocol):
    """
    Returns every datagram (RFC 862), at most one for one, except to those whom
    the L{DatagramGuard} knows better than to answer.

    @cvar service: What the service is called in the log.

    @cvar sessions: None: each datagram is on its own.

    @cvar onEnd: Never called: there are no sessions that end.

    @ivar answered: How many datagrams were returned.

    @ivar received: How many bytes there were in all that came.

    @ivar refusals: Those that were not.
    """

    noisy = False
    service = "UDP echo"
    sessions = ()
    onEnd: Callable[[ServedSession], None] | None = None
    transport: IUDPTransport

    def __init__(
        self,
        reactor: IReactorTime,
        guard: DatagramGuard | None = None,
        *,
        showMessages: bool = False,
    ) -> None:
        """
        @param reactor: Tells the time.

        @param guard: What is shared with the other UDP servers of this process.
        """
        self.reactor = reactor
        self.guard = guard or DatagramGuard()
        self.showMessages = showMessages
        self.answered = 0
        self.received = 0
        self._kept = 0
        self.refusals = Refusals(reactor, self.service)

    @property
    def returned(self) -> int:
        """
        How many bytes there were in the datagrams that were returned.
        """
        return self.received - self._kept

    def statistics(self) -> DatagramServerStatistics:
        """
        @return: What the service has counted.
        """
        return {
            "receivedBytes": self.received,
            "returnedBytes": self.returned,
            "refused": dict(self.refusals.counts),
            "impairments": None,
            "impaired": {},
            "kind": DATAGRAMS,
            # A datagram is either answered or refused.  Impairments are applied
            # before a datagram counts as received.
            "received": self.answered + self.refusals.counts.total(),
            "answered": self.answered,
        }

    def taken(self) -> dict[str | None, Traffic]:
        """
        @return: Nothing: this server does not count by source.
        """
        return {}

    def logPrefix(self) -> str:
        """
        How Twisted names the service in its own messages.
        """
        return self.service

    def startProtocol(self) -> None:
        """
        Listening starts.
        """
        self.refusals.start()
        self._port = self.transport.getHost().port
        self.guard.opened(self._port)
        if ISystemHandle.providedBy(self.transport):
            skt: Any = self.transport.getHandle()
            tellApart(skt)
            keepMore(skt)

    def stopProtocol(self) -> None:
        """
        Listening has ended.
        """
        self.guard.closed(self._port)
        self.refusals.stop()

    def drain(self) -> Deferred[None]:
        """
        There are no sessions to be served to their end.
        """
        return succeed(None)

    def abort(self) -> None:
        """
        There is nothing to end.
        """

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Return a datagram, or count why not.
        """
        if self.showMessages:
            _log.info(
                "{service}: from {peer}: {text}",
                service=self.service,
                peer=hostPort(*addr),
                text=escaped(datagram),
            )
        size = len(datagram)
        self.received += size
        reason = self.refusal(addr)
        if reason is not None:
            self.refuse(reason, addr, size)
            return
        try:
            self.transport.write(datagram, addr)
        except (OSError, MessageLengthError) as error:
            self.unsent(error, addr, size)
        else:
            self.answered += 1

    def refusal(self, addr: tuple[str, int]) -> str | None:
        """
        @return: Why not to answer a datagram from there, or L{None}.
        """
        host, port = addr
        toGroup = getattr(addr, "toGroup", False)
        return self.guard.refusal(host, port, toGroup, now=self.reactor.seconds())

    def refuse(self, reason: str, addr: tuple[str, int], size: int) -> None:
        """
        Count a datagram that is not returned.

        @param size: How many bytes there are in it.
        """
        self._kept += size
        self.refusals.add(reason, hostPort(*addr))

    def unsent(self, error: Exception, addr: tuple[str, int], size: int) -> None:
        """
        Count an answer that could not be sent.
        """
        full = isinstance(error, BlockingIOError)
        self.refuse(SEND_BUFFER_FULL if full else SEND_ERROR, addr, size)


def portKind(protocol: DatagramProtocol, batches: bool = BATCHES) -> type[PacketInfoPort]:
    """
    @param batches: Whether the machine can return datagrams in batches.

    @return: The class of the port that listens for a protocol.
    """
    # What is not to be seen need not become an object.
    unseen = (
        batches
        and isinstance(protocol, UDPEchoProtocol)
        and type(protocol).datagramReceived is UDPEchoProtocol.datagramReceived
        and not protocol.showMessages
    )
    return BatchPort if unseen else PacketInfoPort


class UDPServerEndpoint:
    """
    Where a UDP server listens; what a stream server endpoint is for TCP.

    On Linux an answer leaves from the address that its question was sent to
    (RFC 1122, 4.1.3.5), also on a wildcard address.  Elsewhere the system
    chooses the address.
    """

    def __init__(self, reactor: IReactorUDP, port: int, interface: str = "") -> None:
        """
        @param port: The port to listen on; 0 for any that is free.

        @param interface: A literal address of this machine; empty for all its
            IPv4 addresses.
        """
        self._reactor = reactor
        self._port = port
        self._interface = interface

    def listen(self, protocol: DatagramProtocol) -> Deferred[IListeningPort]:
        """
        @return: Fires with the port which listens, or fails with
            L{CannotListenError<twisted.internet.error.CannotListenError>}.
        """
        return execute(self._listen, protocol)

    def _listen(self, protocol: DatagramProtocol) -> IListeningPort:
        if not (PACKET_INFO and IReactorFDSet.providedBy(self._reactor)):
            return self._reactor.listenUDP(self._port, protocol, self._interface, MAX_DATAGRAM)
        port = portKind(protocol)(
            self._port, protocol, self._interface, MAX_DATAGRAM, self._reactor
        )
        port.startListening()
        return port
