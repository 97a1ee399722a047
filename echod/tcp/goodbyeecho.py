"""
The TCP echo with a goodbye: every byte comes back, until the peer says goodbye.
"""

from __future__ import annotations

from echod.tcp.goodbye import CARRIAGE_RETURN, FULL_READ, NEWLINE, Goodbye, isOrdinary
from echod.tcp.goodbyesearch import B, contains
from echod.tcp.plainecho import EchoProtocol
from echod.tcp.states import RETURNING
from echod.tcp.telnet import IAC

SILENCE = 0.2
"""
How long bytes that may become a goodbye are withheld, in seconds: longer than the pause
between the pieces of one message on a working network, shorter than a person notices.
"""

GOODBYE = "goodbye"


class GoodbyeEchoProtocol(EchoProtocol):
    """
    Returns every byte until a goodbye ends the session, as L{echod.tcp.goodbye}
    decides.
    """

    __slots__ = ("_goodbye", "_last", "_size")

    # How many segments the withheld bytes have come in; 0 if their time is not
    # measured.
    _pieces = 0

    def __init__(self) -> None:
        super().__init__()
        # None while the last bytes do not matter, except that they may end a line: most
        # sessions never have it.
        self._goodbye: Goodbye | None = None
        # The last byte of an ordinary message; a newline stands for every kind of line end.
        self._last = NEWLINE
        # The size of the last message.
        self._size = 1

    def dataReceived(self, data: bytes) -> None:
        """
        Return the bytes that cannot be a goodbye.
        """
        size = len(data)
        self.received += size
        last = data[-1]
        if self._goodbye is None and (
            # This is true for most short segments, and saves the call.
            (
                size < FULL_READ
                and (last == NEWLINE or last > CARRIAGE_RETURN)
                and (B not in data or (last not in b"by" and not contains(data, b"bye")))
                and IAC not in data
            )
            or isOrdinary(data, self._last == NEWLINE)
        ):
            self._last = last
            self._size = size
            self.transport.write(data)
        else:
            self._kept += size
            reply = self._rule.receive(data)
            self._size = size
            self._settle(reply)

    @property
    def _rule(self) -> Goodbye:
        if self._goodbye is None:
            self._goodbye = Goodbye(self._last == NEWLINE, self._size % FULL_READ == 0)
        return self._goodbye

    def readConnectionLost(self) -> None:
        """
        Decide about the withheld bytes: this is the end of the stream.
        """
        if self.state in RETURNING:
            self._settle(self._rule.end())
        super().readConnectionLost()

    def finish(self) -> None:
        """
        Decide about the withheld bytes as at the end of the stream, and end the drain.
        """
        self._settle(self._rule.end())
        super().finish()

    def stopReturning(self) -> None:
        """
        Discard all bytes that are received from now on.
        """
        self._rule.stop()
        super().stopReturning()

    def cancelWaits(self) -> None:
        """
        Leave the timers of the goodbye, and those of the drain.
        """
        self._stopWaiting()
        super().cancelWaits()

    def pauseProducing(self) -> None:
        """
        Stop reading.  While nothing is read, there is no silence.
        """
        self._stopWaiting()
        super().pauseProducing()

    def resumeProducing(self) -> None:
        """
        Read again, and wait for silence from now.
        """
        super().resumeProducing()
        self._wait()

    def lookOnceMore(self) -> None:
        """
        Nothing was received for L{SILENCE} seconds.  Let the reactor read before this
        counts as silence: if the process was stopped or busy, the time is over before it has
        read the bytes that arrived meanwhile.
        """
        self.factory.silent.add(self)

    def heardNothing(self) -> None:
        """
        Decide about the withheld bytes: the peer was silent.
        """
        self._settle(self._rule.silence())

    def withheldLongEnough(self) -> None:
        """
        Return the withheld bytes if the peer has sent more of them meanwhile, because
        then there was no silence that decides about them.
        """
        pieces, self._pieces = self._pieces, 0
        if pieces > 1:
            self._return(self._rule.release())

    def _return(self, reply: bytes) -> None:
        self._kept -= len(reply)
        self.transport.write(reply)

    def _settle(self, reply: bytes) -> None:
        self._return(reply)
        if reply:
            self._pieces = 0
        rule = self._rule
        if rule.ordinary:
            self._last = NEWLINE if rule.startsLine else 0
            self._goodbye = None
        if not rule.over:
            self._wait()
        elif self.state in RETURNING:
            self.close(GOODBYE)

    def _wait(self) -> None:
        """
        Wait for the event that decides about the last bytes.
        """
        rule = self._goodbye
        if rule is None or self._paused or not rule.undecided or self.state not in RETURNING:
            self._stopWaiting()
            return
        self.factory.silent.discard(self)
        self.factory.silence.add(self)
        if rule.withheld:
            self._pieces += 1
            if self._pieces == 1:
                self.factory.withheld.add(self)

    def _stopWaiting(self) -> None:
        self._pieces = 0
        self.factory.silence.discard(self)
        self.factory.silent.discard(self)
        self.factory.withheld.discard(self)
