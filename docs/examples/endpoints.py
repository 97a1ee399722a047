import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

from echod import (
    DatagramGuard,
    EchoFactory,
    GreetingFactory,
    Limits,
    RateLimit,
    UDPEchoProtocol,
    UDPServerEndpoint,
)

HERE = "127.0.0.1"


async def main(reactor: Any) -> None:
    limits = Limits(maxPerSource=10, idleTimeout=60.0)
    echo = EchoFactory(reactor, goodbye=False, limits=limits)
    greeting = GreetingFactory(reactor, b"Welcome\r\n")
    datagrams = UDPEchoProtocol(reactor, DatagramGuard(rate=RateLimit(100)))

    port = await TCP4ServerEndpoint(reactor, 8080, interface=HERE).listen(echo)
    await TCP4ServerEndpoint(reactor, 9999, interface=HERE).listen(greeting)
    await UDPServerEndpoint(reactor, 8080, HERE).listen(datagrams)

    async def end() -> None:
        # Accept no new peer; the others still receive all that they have sent.
        await port.stopListening()
        await echo.drain()
        print(f"{echo.received} bytes in, {echo.returned} bytes out")

    reactor.addSystemEventTrigger("before", "shutdown", lambda: Deferred.fromCoroutine(end()))
    print("ready")
    await Deferred()


if __name__ == "__main__":
    log: Any = textFileLogObserver(sys.stderr)
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False)
    react(main)
