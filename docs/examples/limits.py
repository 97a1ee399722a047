import sys
from ipaddress import ip_network
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

from echod import (
    Capacity,
    ConnectionImpairments,
    EchoFactory,
    ImpairedGreetingFactory,
    Limits,
    Networks,
)

HERE = "127.0.0.1"


async def main(reactor: Any) -> None:
    # Both servers together have 100 connections at most, and each has 80.
    together = Capacity(100)
    networks = Networks(
        allowed=[ip_network("127.0.0.0/8")], denied=[ip_network("127.0.0.9/32")]
    )
    limits = [
        Limits(capacity=Capacity(80, within=together), networks=networks) for _ in range(2)
    ]
    slow = ConnectionImpairments(delay=0.05)
    reactor.listenTCP(8080, EchoFactory(reactor, limits=limits[0]), interface=HERE)
    greeting = ImpairedGreetingFactory(reactor, impairments=slow, limits=limits[1])
    reactor.listenTCP(9999, greeting, interface=HERE)
    print("ready", flush=True)
    await Deferred()


if __name__ == "__main__":
    log: Any = textFileLogObserver(sys.stderr)
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False)
    react(main)
