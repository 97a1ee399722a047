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

_NAME = re.compile(rb"(\{+)(peer|host)(\}+)")


class GreetingProtocol(Session):
    """
    Sends the greeting and closes its sending side.  Then it discards all data from the peer:
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
    C{{host}} by the name of this machine.  Two pairs of braces around a name stand for one
    literal pair: C{{{peer}}} sends C{{peer}}, and C{{{{peer}}}} sends the address in braces.
    All other bytes stay as they are.

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
    parts = [b""]
    end = 0
    for match in _NAME.finditer(greeting):
        left, name, right = match.groups()
        pairs = min(len(left), len(right))
        literal = pairs // 2
        parts[-1] += greeting[end : match.start()] + left[pairs - literal :]
        if pairs == 2 * literal:
            parts[-1] += name
        elif name == b"host":
            parts[-1] += host
        else:
            parts.append(b"")
        parts[-1] += right[pairs - literal :]
        end = match.end()
    parts[-1] += greeting[end:]
    return parts


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
