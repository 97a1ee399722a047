"""
The reactor of the clients.
"""

from time import monotonic
from typing import cast

from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
)


class IClientReactor(
    IReactorCore,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
):
    """
    A reactor that runs, tells the time, watches descriptors, resolves names and
    listens.
    """


def steadyReactor() -> IClientReactor:
    """
    @return: The installed reactor, with timers that a step of the time of day does not move.
    """
    from twisted.internet import reactor

    reactor.seconds = monotonic  # type: ignore[method-assign]
    return cast(IClientReactor, reactor)
