"""
The type of a reactor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from zope.interface import implementer


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
