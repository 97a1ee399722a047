"""
Statistics of UDP echo for each source.
"""

from __future__ import annotations

from echod.net.format import hostPort
from echod.net.statistics import Traffic

SOURCES = 1000
"""
How many sources are counted separately between two calls of L{SourceStatistics.take}:
anybody can forge any number of sources.
"""

OTHERS = None
"""
The key of the traffic of all other sources.
"""


class SourceStatistics:
    """
    Counts the datagrams of each source.
    """

    def __init__(self) -> None:
        self._traffic: dict[str | None, Traffic] = {}

    def add(self, addr: tuple[str, int], size: int, answered: bool) -> None:
        """
        Count one datagram.

        @param size: Its length in bytes.
        """
        traffic = self._trafficOf(hostPort(*addr))
        traffic.received += 1
        traffic.received_bytes += size
        if answered:
            traffic.answered += 1
            traffic.returned_bytes += size

    def take(self) -> dict[str | None, Traffic]:
        """
        @return: The traffic of each source, and of L{OTHERS}, since the last call.
        """
        traffic, self._traffic = self._traffic, {}
        return traffic

    def _trafficOf(self, source: str) -> Traffic:
        full = len(self._traffic) >= SOURCES
        key = OTHERS if full and source not in self._traffic else source
        return self._traffic.setdefault(key, Traffic())
