"""
The producer of an impaired connection, as the transport sees it.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Outlet:
    """
    The producer that the transport pauses.  It pauses the impaired connection, and
    not the session.
    """

    def __init__(self, block: Callable[[bool], object]) -> None:
        """
        @param block: Called with whether the transport has enough to send.
        """
        self._block = block

    def pauseProducing(self) -> None:
        """
        Stop writing: the transport has enough to send.
        """
        self._block(True)

    def resumeProducing(self) -> None:
        """
        Write again: the transport has sent all its bytes.
        """
        self._block(False)

    def stopProducing(self) -> None:
        """
        Do nothing: the connection cleans up when it is lost.
        """
