"""
A limit for the bytes that were sent and have not come back.
"""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from echod.client.talk.comparison import Comparison

WINDOW = 32 << 20
"""
The most bytes that may be sent and not yet have come back: several times the buffers of both
systems.  It limits the memory of the comparison.
"""


@implementer(IPushProducer)
class WindowedProducer:
    """
    A producer that pauses while the transport is full, and also while too many bytes have
    not come back.
    """

    def __init__(self, producer: IPushProducer, comparison: Comparison) -> None:
        self._producer = producer
        self._comparison = comparison
        self._full = False

    def pauseProducing(self) -> None:
        """
        Pause: the transport is full.
        """
        self._full = True
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        """
        Go on: the transport has room.
        """
        self._full = False
        self.update()

    def stopProducing(self) -> None:
        """
        Stop for good.
        """
        self._producer.stopProducing()

    def update(self) -> None:
        """
        Pause or go on, after bytes were sent or have come back.
        """
        if self._comparison.outstanding >= WINDOW:
            self._producer.pauseProducing()
        elif not self._full:
            self._producer.resumeProducing()
