"""
The parts of a reactor that the clients use, as one type.
"""

from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
)


class IClientReactor(
    IReactorCore,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
):
    """
    A reactor that runs, tells the time, watches descriptors and resolves names.
    """
