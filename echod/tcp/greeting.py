"""
The TCP greeting: send one line to each peer that connects, and close.
"""

from twisted.internet.interfaces import IReactorTime

from echod.limits.capacity import Limits
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session

GREETING = b"Thank you for connecting\r\n"
"""
The greeting of the article's first server.
"""

GREETED = "greeted"


class GreetingProtocol(Session):
    """
    Sends the greeting and closes its sending side.  Then it discards what the peer sends:
    a peer may send before it reads.
    """

    factory: "GreetingFactory"

    @property
    def returned(self) -> int:
        """
        How many bytes were written to the peer.
        """
        return len(self.factory.greeting)

    def connectionMade(self) -> None:
        """
        Send the greeting, and close.
        """
        super().connectionMade()
        self.transport.write(self.factory.greeting)
        self.close(GREETED)


class GreetingFactory(SessionFactory):
    """
    Sends the same greeting to every peer.

    @ivar greeting: The bytes of the greeting, with the line ending.
    """

    protocol = GreetingProtocol
    service = "TCP greeting"

    def __init__(
        self,
        reactor: IReactorTime,
        greeting: bytes = GREETING,
        *,
        limits: Limits | None = None,
        showMessages: bool = False,
    ) -> None:
        super().__init__(reactor, limits=limits, showMessages=showMessages)
        self.greeting = greeting
