"""
Protocols for tests that record what they receive.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure


class RecordingProtocol(Protocol):
    """
    Records the data that it receives.

    @ivar pieces: The data of each call of C{dataReceived}.

    @ivar lost: Fires with the class of the reason when the connection ends.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.lost: Deferred[type[BaseException] | None] = Deferred()

    @property
    def received(self) -> bytes:
        """
        All data received so far.
        """
        return b"".join(self.pieces)

    def dataReceived(self, data: bytes) -> None:
        """
        Record the data.
        """
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """
        Report the reason.
        """
        self.lost.callback(reason.type)


class FailingProducer(RecordingProtocol):
    """
    A pull producer that sends a byte at each call, and fails at the third one.

    @ivar asked: The number of calls.
    """

    transport: Any
    asked = 0

    def connectionMade(self) -> None:
        """
        Register.
        """
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        """
        Send a byte, or fail.
        """
        self.asked += 1
        self.transport.write(b"x")
        if self.asked == 3:
            raise OSError()

    def stopProducing(self) -> None:
        """
        The connection has ended.
        """
