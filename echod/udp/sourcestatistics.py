"""
A UDP echo that knows how much comes from whom.
"""

from __future__ import annotations

from typing import Any

from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.net.format import hostPort
from echod.net.statistics import Traffic
from echod.udp.echo import UDPEchoProtocol

SOURCES = 1000
"""
How many sources are told apart between one look and the next: anybody can forge
any number of them.
"""

OTHERS = None
"""
What stands for all other sources.
"""


class SourcesUDPEchoProtocol(UDPEchoProtocol):
    """
    Counts for each source.  That takes a look at each datagram, and does without
    batches.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._traffic: dict[str | None, Traffic] = {}

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Return a datagram, or count why not; and note whose it was.
        """
        answered, returned = self.answered, self.returned
        super().datagramReceived(datagram, addr)
        traffic = self._trafficOf(hostPort(*addr))
        traffic.received += 1
        traffic.answered += self.answered - answered
        traffic.receivedBytes += len(datagram)
        traffic.returnedBytes += self.returned - returned

    def taken(self) -> dict[str | None, Traffic]:
        """
        @return: What came from each source, and from L{OTHERS}, since this was
            asked before.
        """
        traffic, self._traffic = self._traffic, {}
        return traffic

    def _trafficOf(self, source: str | None) -> Traffic:
        if source not in self._traffic:
            if len(self._traffic) >= SOURCES:
                source = OTHERS
            return self._traffic.setdefault(source, Traffic())
        return self._traffic[source]


class ImpairedSourcesUDPEchoProtocol(ImpairedUDPEchoProtocol, SourcesUDPEchoProtocol):
    """
    Counts for each source what a bad path has left over.
    """
