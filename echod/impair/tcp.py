"""
The TCP servers, for clients on a bad path: an L{ImpairedConnection
<echod.impair.connection.ImpairedConnection>} each, unless it is refused.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress

from echod.impair import log as impairlog
from echod.impair.connection import ImpairedConnection
from echod.impair.model import chance
from echod.impair.spec import ConnectionImpairments
from echod.net.format import addressName
from echod.net.statistics import SessionServerStatistics
from echod.tcp.echo import EchoFactory
from echod.tcp.factory import SessionFactory
from echod.tcp.greeting import GreetingFactory

REFUSED = "refused on purpose"


class ImpairedSessions(SessionFactory):
    """
    Builds the sessions of one service on impaired connections.

    @ivar impairments: What is wrong with these.

    @ivar impaired: How often what was done, by kind.
    """

    def __init__(
        self, *arguments: Any, impairments: ConnectionImpairments, **options: Any
    ) -> None:
        """
        @param arguments: Those of the factory that is not impaired.
        """
        super().__init__(*arguments, **options)
        self.impairments = impairments
        self.impaired: Counter[str] = Counter()
        self._connections = 0

    def statistics(self) -> SessionServerStatistics:
        """
        @return: What the service has counted, with its impairments.
        """
        return {
            **super().statistics(),
            "impairments": str(self.impairments),
            "impaired": dict(self.impaired),
        }

    def startFactory(self) -> None:
        """
        Listening starts, and nobody shall be able to say that he did not know.
        """
        super().startFactory()
        impairlog.began(self.service, self.impairments)

    def drain(self) -> Deferred[None]:
        """
        Let every session have back what it has sent so far, and close it; then
        say what all of it came to.
        """
        return super().drain().addCallback(self._report)

    def buildProtocol(self, address: IAddress | None) -> Any:
        """
        @param address: The peer's.

        @return: A session on an impaired connection; or L{None}, which closes the
            connection.
        """
        session = super().buildProtocol(address)
        if session is None:
            return None
        self._connections += 1
        if self._refuses(self._connections):
            self.impaired["refuse"] += 1
            self.refusals.add(REFUSED, addressName(address))
            return None
        return ImpairedConnection(session, self.impairments, self._connections, self.impaired)

    def _refuses(self, number: int) -> bool:
        return chance(self.impairments, number, "refuse").random() < self.impairments.refuse

    def _report(self, _: None) -> None:
        impairlog.ended(self.service, self.impaired)


class ImpairedEchoFactory(ImpairedSessions, EchoFactory):
    """
    Builds TCP echo sessions on impaired connections.
    """


class ImpairedGreetingFactory(ImpairedSessions, GreetingFactory):
    """
    Greets every peer on an impaired connection.
    """
