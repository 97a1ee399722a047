from typing import Any

from twisted.internet.task import react

from echod.client.ping.measurement import measure
from echod.client.ping.options import PingOptions
from echod.client.ping.pinger import Pinger
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.tracker import Counts, Tracker


def report(result: Result) -> None:
    tracker: Tracker = result.tracker
    total: Counts = tracker.total
    print(f"{total.sent} sent, {total.returned} came back, {tracker.reordered} reordered")


async def main(reactor: Any) -> None:
    roundTrips: list[int] = []

    def observe(event: Event) -> None:
        if event.kind is Kind.ANSWERED and event.roundTrip is not None:
            roundTrips.append(event.roundTrip)

    options = PingOptions()
    options.parseOptions(["--count", "100", "--interval", "0.002", "8080"])
    pinger = Pinger(reactor, options.plan, observe)
    report(await measure(reactor, options, options["target"], pinger))
    print(f"fastest round trip: {min(roundTrips) / 1e6:.3f} ms")


if __name__ == "__main__":
    react(main)
