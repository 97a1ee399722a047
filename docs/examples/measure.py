from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import react

from echod.client.ping.pinger import Pinger, Plan, StreamProbesProtocol
from echod.client.ping.tracker import Kind


async def main(reactor: Any) -> None:
    pinger = Pinger(reactor, Plan(count=100, interval=0.002), happened=lambda event: None)
    protocol = StreamProbesProtocol(pinger)
    await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", 8080), protocol)
    result = await pinger.finished
    protocol.close()
    total = result.ledger.total
    print(f"{total.sent} sent, {total.came} came back, {total.counts[Kind.LOST]} lost")


if __name__ == "__main__":
    react(main)
