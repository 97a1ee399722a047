"""
The type of a reactor, and the base of reactors that change another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import directlyProvides, implementedBy, implementer, providedBy


@implementer(IReactorTime)
class Reactor(Protocol):
    """
    A reactor with timers that can be stopped, in the process or in memory.
    """

    def seconds(self) -> float: ...

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kwargs: object
    ) -> IDelayedCall: ...

    def getDelayedCalls(self) -> Sequence[IDelayedCall]: ...

    def callWhenRunning(self, callable: Callable[..., object], /, *args: object) -> object: ...

    def stop(self) -> None: ...


class ReactorWrapper:
    """
    A reactor that changes some methods of another one.  It provides the same interfaces,
    unless its class declares others.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        if not list(implementedBy(type(self))):
            directlyProvides(self, providedBy(reactor))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
