"""
The parts of a reactor that echod uses, as one type.

Twisted describes a reactor by many small interfaces, and a parameter has one type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IDelayedCall


class Reactor(Protocol):
    """
    A reactor: time, threads, and its own start and stop.  Pass it where a parameter
    is more than an
    L{IReactorTime<twisted.internet.interfaces.IReactorTime>}.
    """

    def seconds(self) -> float: ...

    def callLater(
        self, delay: float, callable: Callable[..., Any], *args: Any, **kw: Any
    ) -> IDelayedCall: ...

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kw: Any) -> None: ...

    def callWhenRunning(self, callable: Callable[..., Any], *args: Any, **kw: Any) -> Any: ...

    def stop(self) -> Any: ...
