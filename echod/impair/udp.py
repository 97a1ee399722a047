"""
The UDP echo at the end of a bad path: datagrams are lost, doubled, damaged, late
and out of order on their way in.  What arrives is served as always, so that what
goes to one address stays within all that is said about it.
"""

from __future__ import annotations

from collections import Counter

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from echod.impair import log as impairlog
from echod.impair.model import OVERHEAD, DatagramFates, Line, chance, damaged
from echod.impair.spec import DatagramImpairments
from echod.net.statistics import DatagramServerStatistics
from echod.udp.echo import UDPEchoProtocol
from echod.udp.guard import DatagramGuard
from echod.udp.sourcestatistics import SourceStatistics

ROOM = 1 << 26
"""
How much may be on its way, in bytes: a second of delay on a path of 500 Mbit/s.
"""

OVERTAKEN_WITHIN = 0.5
"""
How long what is to be out of order waits for something to overtake it, in
seconds: less than the second after which a client gives it up for lost.
"""

OVERFLOW = "overflow"
"""
How what there was no room for is counted.
"""

Address = tuple[str, int]


class Overtaken:
    """
    What of one source waits to be overtaken.

    @ivar datagrams: These, in order, with their addresses.

    @ivar patience: Ends the waiting.
    """

    def __init__(self, patience: IDelayedCall) -> None:
        self.datagrams: list[tuple[bytes, Address]] = []
        self.patience = patience


class ImpairedUDPEchoProtocol(UDPEchoProtocol):
    """
    Returns the datagrams that a bad path leaves over.

    What is to be out of order is held until something of the same source that
    came later has passed it undamaged; if that does not come, it is not out of
    order and not counted.

    @ivar impairments: What is wrong with the path.

    @ivar impaired: How many datagrams have been impaired, by kind.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        guard: DatagramGuard | None = None,
        *,
        impairments: DatagramImpairments,
        showMessages: bool = False,
        sources: SourceStatistics | None = None,
    ) -> None:
        super().__init__(reactor, guard, showMessages=showMessages, sources=sources)
        self.impairments = impairments
        self.impaired: Counter[str] = Counter()
        self._fates = DatagramFates(impairments)
        self._line: Line[tuple[bytes, Address]] = Line(
            impairments, chance(impairments, "jitter")
        )
        self._arriving: IDelayedCall | None = None
        self._held: dict[Address, Overtaken] = {}
        self._holding = 0

    def statistics(self) -> DatagramServerStatistics:
        """
        @return: What the service has counted, with its impairments.
        """
        return {
            **super().statistics(),
            "impairments": str(self.impairments),
            "impaired": dict(self.impaired),
        }

    def startProtocol(self) -> None:
        """
        Listening starts, and nobody shall be able to say that he did not know.
        """
        super().startProtocol()
        impairlog.began(self.service, self.impairments)

    def stopProtocol(self) -> None:
        """
        Listening has ended.
        """
        for held in self._held.values():
            held.patience.cancel()
        self._held.clear()
        self._line.clear()
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None
        impairlog.ended(self.service, self.impaired)
        super().stopProtocol()

    def drain(self) -> Deferred[None]:
        """
        Let what is on its way arrive now.
        """
        for address in list(self._held):
            self._letGo(address)
        while self._line:
            super().datagramReceived(*self._line.take())
        return super().drain()

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """
        Something has set out on the bad path.
        """
        kind, place = self._fates.next()
        if kind == "drop":
            self.impaired[kind] += 1
        elif kind == "reorder" and self._hasRoom(datagram):
            self._hold(datagram, addr)
        else:
            self._pass(datagram, addr, kind, place)

    def _pass(self, datagram: bytes, addr: Address, kind: str | None, place: float) -> None:
        arriving = damaged(datagram, kind, place)
        if arriving != datagram or kind == "duplicate":
            assert kind is not None
            self.impaired[kind] += 1
        self._send(arriving, addr)
        if kind == "duplicate":
            self._send(arriving, addr)
        # Only what is whole is seen to have come before something.
        if arriving == datagram and (overtaken := self._letGo(addr)):
            self.impaired["reorder"] += overtaken

    def _hold(self, datagram: bytes, addr: Address) -> None:
        if addr not in self._held:
            patience = self.reactor.callLater(OVERTAKEN_WITHIN, self._letGo, addr)
            self._held[addr] = Overtaken(patience)
        self._held[addr].datagrams.append((datagram, addr))
        self._holding += len(datagram) + OVERHEAD

    def _letGo(self, addr: Address) -> int:
        """
        @return: How many datagrams of an address were held, and are no more.
        """
        held = self._held.pop(addr, None)
        if held is None:
            return 0
        if held.patience.active():
            held.patience.cancel()
        for datagram, address in held.datagrams:
            self._holding -= len(datagram) + OVERHEAD
            self._send(datagram, address)
        return len(held.datagrams)

    def _hasRoom(self, datagram: bytes) -> bool:
        return self._line.size + self._holding + len(datagram) + OVERHEAD <= ROOM

    def _send(self, datagram: bytes, addr: Address) -> None:
        if not self._line.delays:
            super().datagramReceived(datagram, addr)
        elif self._hasRoom(datagram):
            self.impaired["delay"] += 1
            self._line.add((datagram, addr), len(datagram), self.reactor.seconds())
            self._wait()
        else:
            self.impaired[OVERFLOW] += 1

    def _wait(self) -> None:
        if self._arriving is None and self._line:
            wait = max(0.0, self._line.due - self.reactor.seconds())
            self._arriving = self.reactor.callLater(wait, self._arrive)

    def _arrive(self) -> None:
        self._arriving = None
        now = self.reactor.seconds()
        while self._line and self._line.due <= now:
            super().datagramReceived(*self._line.take())
        self._wait()
