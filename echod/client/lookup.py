"""
Look up names, with a limit for the time.
"""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.python.threadpool import ThreadPool
from zope.interface import implementer


def makeThreads() -> ThreadPool:
    """
    @return: Threads for lookups.  A lookup cannot be cancelled: they do not delay the exit.
    """
    threads = ThreadPool(minthreads=0)
    threads.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
    threads.start()
    return threads


class Resolver:
    """
    A name resolver that keeps the scope of addresses, which Twisted's endpoints drop, and
    finds no more addresses when the time is over.
    """

    def __init__(
        self, reactor: IReactorTime, resolver: IHostnameResolver, patience: float | None
    ) -> None:
        """
        @param patience: How long a lookup may take, in seconds; L{None} for no limit.
        """
        self._reactor = reactor
        self._resolver = resolver
        self._patience = patience

    def resolveHostName(
        self, receiver: IResolutionReceiver, *arguments: Any, **keywords: Any
    ) -> IHostResolution:
        """
        Resolve a name.
        """
        limited = _Receiver(receiver)
        if self._patience is not None:
            self._reactor.callLater(self._patience, limited.resolutionComplete)
        return self._resolver.resolveHostName(limited, *arguments, **keywords)


@implementer(IResolutionReceiver)
class _Receiver:
    def __init__(self, receiver: IResolutionReceiver) -> None:
        self.resolutionBegan = receiver.resolutionBegan
        self._receiver: IResolutionReceiver | None = receiver

    def addressResolved(self, address: IAddress) -> None:
        assert isinstance(address, (IPv4Address, IPv6Address))
        if self._receiver is not None:
            self._receiver.addressResolved(_scoped(address))

    def resolutionComplete(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.resolutionComplete()


def _scoped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """
    @return: The address with its scope in the host (C{fe80::1%2}).  A link-local address
        is valid only together with its link.
    """
    if isinstance(address, IPv4Address) or not address.scopeID or "%" in address.host:
        return address
    host = f"{address.host}%{address.scopeID}"
    return IPv6Address(address.type, host, address.port, address.flowInfo, address.scopeID)
