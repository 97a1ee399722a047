"""
The UDP echo: every datagram is returned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IReactorTime, ISystemHandle, IUDPTransport
from twisted.internet.protocol import DatagramProtocol
from twisted.logger import Logger

from echod.limits.refusals import Refusals
from echod.net.format import escaped, hostPort
from echod.net.sockets import keepMore
from echod.net.statistics import (
    DATAGRAMS,
    DatagramServerStatistics,
    ServedSession,
    Traffic,
)
from echod.udp.anothersocket import AnotherSocket
from echod.udp.guard import TO_GROUP, DatagramGuard
from echod.udp.options import MissingOptions, setOptions
from echod.udp.pktinfo import PacketInfoPort, SourceAddress
from echod.udp.sourcestatistics import SourceStatistics

_log = Logger(namespace="echod.udp")

SEND_BUFFER_FULL = "send buffer full"
SEND_ERROR = "send error"


class UDPEchoProtocol(DatagramProtocol):
    """
    Returns every datagram (RFC 862) that its L{DatagramGuard} does not refuse.  There is
    at most one answer to a datagram.

    @cvar service: The name of the service in the log.

    @cvar sessions: Empty: UDP has no sessions.

    @cvar onEnd: Never called: there are no sessions that end.

    @cvar missing: Reports missing socket options, for all servers of the process.

    @ivar answered: How many datagrams were returned.

    @ivar received: How many bytes were received.

    @ivar refusals: The datagrams that were not returned, by reason.

    @ivar sources: Statistics of each source, if they were asked for.
    """

    noisy = False
    service = "UDP echo"
    missing = MissingOptions()
    sessions = ()
    onEnd: Callable[[ServedSession], None] | None = None
    transport: IUDPTransport

    def __init__(
        self,
        reactor: IReactorTime,
        guard: DatagramGuard | None = None,
        *,
        showMessages: bool = False,
        sources: SourceStatistics | None = None,
    ) -> None:
        """
        @param reactor: The clock.

        @param guard: The guard that all UDP servers of this process share.

        @param showMessages: Log each datagram.

        @param sources: Counts the datagrams of each source.
        """
        self.reactor = reactor
        self.guard = guard or DatagramGuard()
        self.showMessages = showMessages
        self.sources = sources
        self.answered = 0
        self.received = 0
        self._kept = 0
        self._ports: list[int] = []
        self.refusals = Refusals(reactor, self.service)

    @property
    def returned(self) -> int:
        """
        How many bytes were returned.
        """
        return self.received - self._kept

    @property
    def needsEachDatagram(self) -> bool:
        """
        True if L{datagramReceived} must be called for each datagram.  Otherwise a port
        may answer without it, which is faster.
        """
        return (
            self.showMessages
            or self.sources is not None
            or type(self).datagramReceived is not UDPEchoProtocol.datagramReceived
        )

    def statistics(self) -> DatagramServerStatistics:
        """
        @return: The counts of the service.
        """
        return {
            "received_bytes": self.received,
            "returned_bytes": self.returned,
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
        @return: The traffic of each source since the last call; empty if the server does
            not count by source.
        """
        return {} if self.sources is None else self.sources.take()

    def logPrefix(self) -> str:
        """
        @return: The name of the service in Twisted's own messages.
        """
        return self.service

    def makeConnection(self, transport: Any) -> None:
        """
        Serve one more socket.
        """
        self._ports.append(transport.getHost().port)
        self.guard.opened(self._ports[-1])
        if ISystemHandle.providedBy(transport):
            skt: Any = transport.getHandle()
            self.missing.report(*getattr(transport, "missing", ()), *setOptions(skt))
            keepMore(skt)
        if self.transport is None:
            self.transport = transport
        elif not isinstance(transport, PacketInfoPort):
            # From now on its datagrams name it as their transport.
            transport.protocol = AnotherSocket(self, transport)
        self.doStart()

    def doStop(self) -> None:
        """
        One socket is closed, in the order in which they were opened.
        """
        self.guard.closed(self._ports.pop(0))
        super().doStop()

    def startProtocol(self) -> None:
        """
        Listening starts.
        """
        self.refusals.start()

    def stopProtocol(self) -> None:
        """
        Listening has ended.
        """
        self.refusals.stop()

    def drain(self) -> Deferred[None]:
        """
        @return: Fires at once: there are no sessions to wait for.
        """
        return succeed(None)

    def abort(self) -> None:
        """
        Do nothing: there are no sessions.
        """

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Return a datagram, or count the reason why not.
        """
        if self.showMessages:
            _log.info(
                "{service}: from {peer}: {text}",
                service=self.service,
                peer=hostPort(*addr),
                text=escaped(datagram),
            )
        self.received += len(datagram)
        answered = self._answer(datagram, addr)
        self.answered += answered
        if self.sources is not None:
            self.sources.add(addr, len(datagram), answered)

    def refuse(self, reason: str, addr: tuple[str, int], size: int) -> None:
        """
        Count a datagram that is not returned.

        @param size: Its length in bytes.
        """
        self._kept += size
        self.refusals.add(reason, hostPort(*addr))

    def sendFailed(self, error: Exception, addr: tuple[str, int], size: int) -> None:
        """
        Count an answer that could not be sent.
        """
        if isinstance(error, BlockingIOError):
            reason = SEND_BUFFER_FULL
        elif isinstance(addr, SourceAddress) and addr.wasBroadcast:
            # An IPv6 socket does not tell an IPv4 broadcast from other datagrams.
            reason = TO_GROUP
        else:
            reason = SEND_ERROR
        self.refuse(reason, addr, size)

    def _answer(self, datagram: bytes, addr: tuple[str, int]) -> bool:
        known = (addr.toGroup, addr.ttl) if isinstance(addr, SourceAddress) else ()
        reason = self.guard.refusal(*addr, *known, now=self.reactor.seconds())
        if reason is not None:
            self.refuse(reason, addr, len(datagram))
            return False
        try:
            getattr(addr, "transport", self.transport).write(datagram, addr)
        except (OSError, MessageLengthError) as error:
            self.sendFailed(error, addr, len(datagram))
            return False
        return True
