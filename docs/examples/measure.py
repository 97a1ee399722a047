from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.task import react

from echod.client.ping.pinger import Pinger
from echod.client.ping.plan import Plan
from echod.client.ping.protocols import StreamProbesProtocol
from echod.client.ping.tracking.events import Kind


async def main(reactor: Any) -> None:
    pinger = Pinger(reactor, Plan(count=100, interval=0.002), observer=lambda event: None)
    protocol = StreamProbesProtocol(pinger)
    await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", 8080), protocol)
    result = await pinger.finished
    protocol.close()
    total = result.tracker.total
    print(f"{total.sent} sent, {total.returned} came back, {total.kinds[Kind.LOST]} lost")


if __name__ == "__main__":
    react(main)
