"""
A TCP connection in memory, with half-close.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.python.failure import Failure

from echod.tcp.factory import SessionFactory
from tests.support import PEER, MemoryTCPTransport


class Link:
    """
    Pumps between a new session of a server and a client.
    """

    def __init__(self, factory: SessionFactory, client: Any) -> None:
        server: Any = factory.buildProtocol(PEER)
        self.ends = [(end, MemoryTCPTransport(end)) for end in (client, server)]
        self._closed: set[Any] = set()
        self.closed = False

    def flush(self) -> None:
        """
        Pump until nothing moves any more.
        """
        while not self.closed and any([self._pump(*self.ends), self._pump(*self.ends[::-1])]):
            pass

    def _pump(
        self, one: tuple[Any, MemoryTCPTransport], other: tuple[Any, MemoryTCPTransport]
    ) -> bool:
        (sender, transport), (receiver, _) = one, other
        data = transport.value()
        transport.clear()
        if data:
            receiver.dataReceived(data)
        elif transport.disconnecting:
            self._close()
        elif transport.writeClosed and sender not in self._closed:
            self._closed.add(sender)
            sender.writeConnectionLost()
            if IHalfCloseableProtocol.providedBy(receiver):
                receiver.readConnectionLost()
            else:
                self._close()
        else:
            return False
        return True

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            for end, _ in self.ends:
                end.connectionLost(Failure(ConnectionDone()))
