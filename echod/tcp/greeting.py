"""
The TCP greeting: send one line to each peer that connects, and close.
"""

import re
from socket import gethostname

from twisted.internet.interfaces import IReactorTime

from echod.limits.capacity import Limits
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session

GREETING = b"Thank you for connecting\r\n"
"""
The greeting of the article's first server.
"""

GREETED = "greeted"

_NAME = re.compile(rb"\{(?:peer|host)\}")
_NAME_OR_BRACES = re.compile(rb"(\{peer\}|\{host\}|\{\{|\}\})")


class GreetingProtocol(Session):
    """
    Sends the greeting and closes its sending side.  Then it discards what the peer sends:
    a peer may send before it reads.

    @ivar greeting: The bytes that the peer is greeted with.
    """

    factory: "GreetingFactory"
    greeting: bytes

    @property
    def returned(self) -> int:
        """
        How many bytes were written to the peer.
        """
        return len(self.greeting)

    def connectionMade(self) -> None:
        """
        Send the greeting, and close.
        """
        parts = self.factory.parts
        self.greeting = parts[0] if len(parts) == 1 else _encoded(self.peer).join(parts)
        super().connectionMade()
        self.transport.write(self.greeting)
        self.close(GREETED)


class GreetingFactory(SessionFactory):
    """
    Sends a greeting to every peer.

    In the greeting, C{{peer}} is replaced by the address of the peer as the log shows it, and
    C{{host}} by the name of this machine.  In a greeting with one of these names, a double
    brace stands for a single one.  All other bytes stay as they are.

    @ivar greeting: The bytes of the greeting, with the line ending and the names.

    @ivar parts: The parts of the greeting between which the address of the peer stands.
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
        self.parts = greetingParts(greeting, _encoded(gethostname()))


def greetingParts(greeting: bytes, host: bytes) -> list[bytes]:
    """
    Replace the name of this machine, and split the greeting at the address of the peer.

    @param host: The name of this machine.
    """
    if not _NAME.search(greeting):
        return [greeting]
    meanings = {b"{host}": host, b"{{": b"{", b"}}": b"}"}
    parts = [b""]
    for piece in _NAME_OR_BRACES.split(greeting):
        if piece == b"{peer}":
            parts.append(b"")
        else:
            parts[-1] += meanings.get(piece, piece)
    return parts


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
