"""
The TCP echo service: it builds the sessions, and has the timers that they share.
"""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime

from echod.limits.capacity import Limits
from echod.tcp.factory import SessionFactory
from echod.tcp.goodbyeecho import SILENCE, GoodbyeEchoProtocol
from echod.tcp.plainecho import DRAIN_TICK, EchoProtocol


class EchoFactory(SessionFactory):
    """
    Builds TCP echo sessions.

    @ivar protocol: L{GoodbyeEchoProtocol}, or L{EchoProtocol} for plain RFC 862.

    @ivar silence: The sessions that must know if their peer is silent.

    @ivar silent: The sessions whose peer was silent, until the next turn of the
        reactor.

    @ivar withheld: The sessions that withhold bytes, which may take as long.

    @ivar ending: The sessions whose drain begins in the next turn of the reactor.

    @ivar draining: The sessions that drain and have bytes to return.
    """

    service = "TCP echo"

    def __init__(
        self,
        reactor: IReactorTime,
        *,
        goodbye: bool = True,
        limits: Limits | None = None,
        showMessages: bool = False,
    ) -> None:
        super().__init__(reactor, limits=limits, showMessages=showMessages)
        self.protocol = GoodbyeEchoProtocol if goodbye else EchoProtocol
        self.silence = self.deadlines(SILENCE, GoodbyeEchoProtocol.lookOnceMore)
        self.silent = self.deadlines(0, GoodbyeEchoProtocol.heardNothing)
        self.withheld = self.deadlines(SILENCE, GoodbyeEchoProtocol.withheldLongEnough)
        self.ending = self.deadlines(0, EchoProtocol.checkDrained)
        self.draining = self.deadlines(DRAIN_TICK, EchoProtocol.checkDrained)
