"""
Tests for L{echod.status.events}.
"""

from __future__ import annotations

import json

from tests.support.status import Client, StatusTests

try:
    from echod.status import events, routes
except ModuleNotFoundError:
    events = None  # type: ignore[assignment]


class EventsTests(StatusTests):
    """
    Tests for L{events.Viewer} and L{routes.Events}.
    """

    def watch(self) -> Client:
        """
        @return: A client that reads the events.
        """
        client = Client(self.site)
        client.send(b"GET /events HTTP/1.0\r\n\r\n")
        return client

    def seen(self, client: Client) -> list[str]:
        """
        @return: The kinds of the events that the client got since the last call.
        """
        shown = client.transport.value().decode().rpartition("\r\n")[2]
        client.transport.clear()
        kinds = []
        for event in shown.split("\n\n")[:-1]:
            kind, data = event.split("\n")
            self.assertTrue(json.loads(data.removeprefix("data: "))["services"])
            kinds.append(kind.removeprefix("event: "))
        return kinds

    def test_events(self) -> None:
        """
        A viewer gets everything first, and then changes.
        """
        viewers = [self.watch() for _ in range(2)]
        self.clock.pump([1, 1])
        for viewer in viewers:
            self.assertEqual(self.seen(viewer), ["full", "latest", "latest"])

    def test_oneSnapshot(self) -> None:
        """
        All viewers get the same data.
        """
        viewers = [self.watch() for _ in range(2)]
        for viewer in viewers:
            viewer.transport.clear()
        self.clock.advance(1)
        expected = b"event: latest\ndata: " + self.monitor.latest + b"\n\n"
        self.assertEqual([viewer.transport.value() for viewer in viewers], [expected] * 2)

    def test_leaves(self) -> None:
        """
        A viewer whose connection is lost is forgotten.
        """
        viewer = self.watch()
        self.assertEqual(len(self.monitor.listeners), 1)
        viewer.lose()
        self.assertEqual(len(self.monitor.listeners), 0)

    def test_manyViewers(self) -> None:
        """
        The number of viewers is limited, so that other clients still find room.
        """
        for _ in range(routes.VIEWERS):
            self.watch()
        self.assertEqual(
            self.client.ask("/events")[::2], (503, "There are too many viewers.\n")
        )
        self.assertEqual(self.client.ask("/healthz")[0], 200)

    def test_slowViewer(self) -> None:
        """
        A viewer that does not read is skipped, and gets everything when it reads again.
        """
        viewer = self.watch()
        self.seen(viewer)
        viewer.channel.pauseProducing()
        self.clock.pump([1, 1])
        self.assertEqual(self.seen(viewer), [])
        viewer.channel.resumeProducing()
        self.clock.pump([1, 1])
        self.assertEqual(self.seen(viewer), ["full", "latest"])

    def test_deadViewer(self) -> None:
        """
        The connection of a viewer that does not read for too long is aborted.
        """
        viewer = self.watch()
        viewer.channel.pauseProducing()
        self.clock.pump([1] * events.PATIENCE)
        self.assertFalse(viewer.transport.disconnected)
        self.clock.advance(1)
        self.assertTrue(viewer.transport.disconnected)
        viewer.channel.stopProducing()

    def test_slowAgainAndAgain(self) -> None:
        """
        A viewer that reads from time to time is never aborted: only events in a row
        count.
        """
        viewer = self.watch()
        for _ in range(3):
            viewer.channel.pauseProducing()
            self.clock.pump([1] * events.PATIENCE)
            viewer.channel.resumeProducing()
        self.assertFalse(viewer.transport.disconnected)
