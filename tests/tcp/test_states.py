"""
Tests for L{echod.tcp.states}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from echod.tcp.echo import EchoFactory
from echod.tcp.states import (
    CLOSE,
    CLOSED,
    CLOSING,
    DRAIN,
    DRAINING,
    END,
    EVENTS,
    LINGERING,
    LOST,
    OPEN,
    SENT,
    TRANSITIONS,
)
from tests.support import CHECKOUT, clock, connect

SVG = "{http://www.w3.org/2000/svg}"

CAUSES: dict[str, Callable[[Any], object]] = {
    DRAIN: lambda session: session.drain(),
    CLOSE: lambda session: session.close("done"),
    END: lambda session: session.readConnectionLost(),
    SENT: lambda session: session.writeConnectionLost(),
    LOST: lambda session: session.connectionLost(Failure(ConnectionDone())),
}
"""
How a test causes each event.
"""

PATHS = {
    OPEN: [],
    DRAINING: [DRAIN],
    CLOSING: [CLOSE],
    LINGERING: [CLOSE, SENT],
    CLOSED: [CLOSE, LOST],
}
"""
The events that lead to each state.
"""


class StatesTests(SynchronousTestCase):
    """
    The states of a session.
    """

    def test_transitions(self) -> None:
        """
        A session goes from state to state as the table says, with and without goodbyes.
        """
        for goodbye in (True, False):
            for state, path in PATHS.items():
                for event in EVENTS:
                    session, _ = connect(EchoFactory(clock(), goodbye=goodbye))
                    for each in path:
                        CAUSES[each](session)
                    self.assertEqual(session.state, state)
                    if state != CLOSED:
                        CAUSES[event](session)
                    following = TRANSITIONS[state].get(event, state)
                    self.assertEqual(session.state, following, (state, event))

    def test_complete(self) -> None:
        """
        The table knows every state, and leads only to states that it knows.
        """
        self.assertEqual(set(TRANSITIONS), set(PATHS))
        for transitions in TRANSITIONS.values():
            self.assertLessEqual(set(transitions), set(EVENTS))
            self.assertLessEqual(set(transitions.values()), set(TRANSITIONS))

    def test_outcome(self) -> None:
        """
        A session keeps the first outcome that it is given, while it is open and when it
        is closing.
        """
        session, _ = connect(EchoFactory(clock()))
        session.close("first")
        session.close("second")
        self.assertEqual(session.outcome, "first")
        session, _ = connect(EchoFactory(clock()))
        session.outcome = "first"
        session.close("second")
        self.assertEqual(session.outcome, "first")

    def test_discards(self) -> None:
        """
        A session returns bytes only while it is open or draining; it counts the rest as
        received.
        """
        for goodbye in (True, False):
            for state in (OPEN, DRAINING, CLOSING, LINGERING):
                session, transport = connect(EchoFactory(clock(), goodbye=goodbye))
                for each in PATHS[state]:
                    CAUSES[each](session)
                session.dataReceived(b"hello\nb")
                session.dataReceived(b"anana")
                returned = b"hello\nbanana" if state in (OPEN, DRAINING) else b""
                self.assertEqual(transport.value(), returned)
                self.assertEqual((session.received, session.returned), (12, len(returned)))

    def test_picture(self) -> None:
        """
        C{docs/session.svg} draws each state as a box and each transition as an arrow
        from box to box, and no others.
        """
        picture = ElementTree.parse(CHECKOUT / "docs" / "session.svg")
        boxes = {box.get("id"): box for box in picture.iter(f"{SVG}rect") if box.get("id")}
        self.assertEqual(set(boxes), set(TRANSITIONS))
        arrows = {arrow.get("class"): arrow for arrow in picture.iter(f"{SVG}path")}
        del arrows[None]
        drawn = {
            f"{state} {event} {following}": (state, following)
            for state, transitions in TRANSITIONS.items()
            for event, following in transitions.items()
        }
        self.assertEqual(set(arrows), set(drawn))
        for name, (state, following) in drawn.items():
            line = str(arrows[name].get("d"))
            (x, y), *_, end = self.points(line)
            self.assertTrue(self.touches(boxes[state], x, y), name)
            self.assertTrue(self.touches(boxes[following], *end), name)

    def points(self, line: str) -> list[tuple[float, float]]:
        """
        @param line: A path of absolute commands.

        @return: Its points.
        """
        x = y = 0.0
        points = []
        for command, numbers in re.findall(r"([MCHV])([\d ]+)", line):
            values = [float(number) for number in numbers.split()]
            if command == "H":
                x = values[-1]
            elif command == "V":
                y = values[-1]
            else:
                x, y = values[-2:]
            points.append((x, y))
        return points

    def touches(self, box: ElementTree.Element, x: float, y: float) -> bool:
        """
        @return: True if a point is on a box, or as near as the tip of an arrow.
        """
        left, top, width, height = (
            float(str(box.get(name))) for name in ("x", "y", "width", "height")
        )
        return left - 2 <= x <= left + width + 2 and top - 2 <= y <= top + height + 2
