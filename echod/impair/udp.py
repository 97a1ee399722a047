"""
The UDP echo over a bad path: incoming datagrams are lost, duplicated, damaged, delayed
and reordered.  The datagrams that arrive are served as usual, so that all limits
hold.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from echod.impair import log
from echod.impair.model import DatagramFaults, DelayLine, damage, generator
from echod.impair.spec import DatagramImpairments
from echod.net.statistics import DatagramServerStatistics
from echod.udp.echo import UDPEchoProtocol

ROOM = 1 << 26
"""
How much memory the datagrams that wait may need, in bytes: enough for a delay of one
second on a path of 300 Mbit/s, with datagrams of 1400 bytes.
"""

OVERHEAD = 1280
"""
The memory that a waiting datagram needs besides its own bytes, mostly for its address:
up to 880 bytes in Python 3.11's objects, and 1,050 in those of 3.14.
"""

HELD_OVERHEAD = 2048
"""
The same for a held datagram: with the timer of its source it needs up to 1450 bytes.
"""

OVERTAKEN_WITHIN = 0.5
"""
How long a held datagram waits for a later one to overtake it, in seconds: less than
the second after which a client takes it for lost.
"""

OVERFLOW = "overflow"
"""
The count of datagrams that were lost because there was no room.
"""

Address = tuple[str, int]


class Overtaken:
    """
    The held datagrams of one source: they wait for a later one to overtake them.

    @ivar datagrams: The datagrams in order, with their addresses.

    @ivar patience: The timer that ends the waiting.
    """

    def __init__(self, patience: IDelayedCall) -> None:
        self.datagrams: list[tuple[bytes, Address]] = []
        self.patience = patience


class ImpairedUDPEchoProtocol(UDPEchoProtocol):
    """
    Returns the datagrams that arrive over a bad path.

    A datagram to reorder is held until a later one of the same source has passed it
    undamaged.  If none comes in time, it is not out of order and not counted.

    @ivar impairments: The impairments of the path.

    @ivar impaired: How many datagrams have been impaired, by kind.
    """

    def __init__(
        self,
        *arguments: Any,
        impairments: DatagramImpairments,
        room: int = ROOM,
        **options: Any,
    ) -> None:
        """
        @param arguments: The arguments of the protocol that is not impaired.

        @param room: How much memory the datagrams that wait may need, in bytes.
        """
        super().__init__(*arguments, **options)
        self.impairments = impairments
        self.impaired: Counter[str] = Counter()
        self._faults = DatagramFaults(impairments)
        self._line: DelayLine[tuple[bytes, Address]] = DelayLine(
            impairments, generator(impairments, "jitter")
        )
        self._arriving: IDelayedCall | None = None
        self._held: dict[Address, Overtaken] = {}
        self._holding = 0
        self._room = room

    def statistics(self) -> DatagramServerStatistics:
        """
        @return: The statistics of the service, with its impairments.
        """
        return {
            **super().statistics(),
            "impairments": str(self.impairments),
            "impaired": dict(self.impaired),
        }

    def startProtocol(self) -> None:
        """
        Start, and warn in the log.
        """
        super().startProtocol()
        log.began(self.service, self.impairments)

    def stopProtocol(self) -> None:
        """
        Drop the datagrams that wait, and log the counts.
        """
        for held in self._held.values():
            held.patience.cancel()
        self._held.clear()
        self._line.clear()
        if self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None
        log.ended(self.service, self.impaired)
        super().stopProtocol()

    def drain(self) -> Deferred[None]:
        """
        Let all waiting datagrams arrive now.
        """
        for address in list(self._held):
            self._letGo(address)
        while self._line:
            super().datagramReceived(*self._line.take())
        return super().drain()

    def datagramReceived(self, datagram: bytes, addr: Address) -> None:
        """
        Draw the fault of a datagram, and apply it.
        """
        kind, place = self._faults.next()
        if kind == "drop":
            self.impaired[kind] += 1
        elif kind == "reorder" and self._hasRoom(len(datagram) + HELD_OVERHEAD):
            self._hold(datagram, addr)
        else:
            self._pass(datagram, addr, kind, place)

    def _pass(self, datagram: bytes, addr: Address, kind: str | None, place: float) -> None:
        arriving = damage(datagram, kind, place)
        if arriving != datagram or kind == "duplicate":
            assert kind is not None
            self.impaired[kind] += 1
        self._send(arriving, addr)
        if kind == "duplicate":
            self._send(arriving, addr)
        # A client recognizes only an undamaged datagram as the one that overtook.
        if arriving == datagram and (overtaken := self._letGo(addr)):
            self.impaired["reorder"] += overtaken

    def _hold(self, datagram: bytes, addr: Address) -> None:
        if addr not in self._held:
            patience = self.reactor.callLater(OVERTAKEN_WITHIN, self._letGo, addr)
            self._held[addr] = Overtaken(patience)
        self._held[addr].datagrams.append((datagram, addr))
        self._holding += len(datagram) + HELD_OVERHEAD

    def _letGo(self, addr: Address) -> int:
        """
        Release the held datagrams of an address.

        @return: Their number.
        """
        held = self._held.pop(addr, None)
        if held is None:
            return 0
        if held.patience.active():
            held.patience.cancel()
        for datagram, address in held.datagrams:
            self._holding -= len(datagram) + HELD_OVERHEAD
            self._send(datagram, address)
        return len(held.datagrams)

    def _hasRoom(self, size: int) -> bool:
        return self._line.size + self._holding + size <= self._room

    def _send(self, datagram: bytes, addr: Address) -> None:
        size = len(datagram) + OVERHEAD
        if not self._line.delays:
            super().datagramReceived(datagram, addr)
        elif self._hasRoom(size):
            self.impaired["delay"] += 1
            self._line.add((datagram, addr), size, self.reactor.seconds())
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
