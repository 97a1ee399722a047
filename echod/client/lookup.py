"""
Looking up names, with a limit for the time.
"""

from __future__ import annotations

from functools import partial
from threading import Thread
from typing import Any

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


class LimitedResolver:
    """
    A name resolver that finds no more addresses when the time is over.
    """

    def __init__(
        self, reactor: IReactorTime, resolver: IHostnameResolver, patience: float
    ) -> None:
        """
        @param patience: How long a lookup may take, in seconds.
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
        limited = _LimitedReceiver(receiver)
        self._reactor.callLater(self._patience, limited.resolutionComplete)
        return self._resolver.resolveHostName(limited, *arguments, **keywords)


@implementer(IResolutionReceiver)
class _LimitedReceiver:
    def __init__(self, receiver: IResolutionReceiver) -> None:
        self.resolutionBegan = receiver.resolutionBegan
        self._receiver: IResolutionReceiver | None = receiver

    def addressResolved(self, address: IAddress) -> None:
        if self._receiver is not None:
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.resolutionComplete()
