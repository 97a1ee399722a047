from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.internet.task import react
from twisted.python.failure import Failure

from echod import (
    EchoFactory,
    EchoProtocol,
    GoodbyeEchoProtocol,
    GreetingFactory,
    GreetingProtocol,
)

HERE = "127.0.0.1"


class Uppercase(EchoProtocol):
    """
    Returns letters as capital letters.
    """

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data.upper())


class Reported(GoodbyeEchoProtocol):
    """
    Prints how the session ended.
    """

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        print(
            f"{self.received} bytes in, {self.returned} bytes out: {self.outcome}", flush=True
        )


class Counted(GreetingProtocol):
    """
    Prints how many peers were greeted.
    """

    number = 0

    def connectionMade(self) -> None:
        super().connectionMade()
        Counted.number += 1
        print(f"{self.number} greeted", flush=True)


async def main(reactor: Any) -> None:
    servers = (
        (8080, EchoFactory(reactor), Reported),
        (8081, EchoFactory(reactor, goodbye=False), Uppercase),
        (9999, GreetingFactory(reactor), Counted),
    )
    for port, factory, protocol in servers:
        factory.protocol = protocol
        reactor.listenTCP(port, factory, interface=HERE)
    print("ready", flush=True)
    await Deferred()


if __name__ == "__main__":
    react(main)
