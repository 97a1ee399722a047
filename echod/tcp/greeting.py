"""
The TCP greeting: a word to everyone who connects, and goodbye.
"""

from twisted.internet.interfaces import IReactorTime

from echod.limits.capacity import Limits
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session

GREETING = b"Thank you for connecting\r\n"
"""
What the article's first server says.
"""

GREETED = "greeted"


class GreetingProtocol(Session):
    """
    Greets, closes its side, and discards what the peer had to say: a peer may
    talk before it listens.
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
        Greet, and close.
        """
        super().connectionMade()
        self.transport.write(self.factory.greeting)
        self.close(GREETED)


class GreetingFactory(SessionFactory):
    """
    Greets every peer with the same bytes.

    @ivar greeting: These bytes, line ending included.
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
