"""
Tests for L{echod.tcp.sessionlines}.
"""

from __future__ import annotations

from math import inf
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.limits.capacity import SESSION_LINES, Limits
from echod.tcp.echo import EchoFactory
from echod.tcp.proxypeer import UnnamedPeer
from echod.tcp.sessionlines import BURST
from tests.support import clock, connect, logged


class UnspeakablePeer(UnnamedPeer):
    """
    The address of a peer that is not in the log.
    """

    def __str__(self) -> str:
        raise AssertionError("formatted")


class SessionLinesTests(SynchronousTestCase):
    """
    The log of a TCP echo whose sessions come and go.
    """

    def start(self, rate: float = SESSION_LINES) -> EchoFactory:
        """
        @return: A factory that listens.
        """
        self.clock = clock()
        self.factory = EchoFactory(self.clock, limits=Limits(idleTimeout=0, sessionLines=rate))
        self.factory.doStart()
        return self.factory

    def serve(self, number: int, end: bytes = b"bye\n", **options: Any) -> None:
        """
        Let a number of sessions start and end.
        """
        for _ in range(number):
            session, transport = connect(self.factory, **options)
            if end:
                session.dataReceived(end)
            transport.connectionDone()

    def test_all(self) -> None:
        """
        With an infinite rate all sessions are logged one by one, and no timer is set.
        """
        self.start(inf)
        with logged() as lines:
            self.serve(1000)
        self.assertEqual(len(lines), 2000)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_none(self) -> None:
        """
        With a rate of 0 no session is logged by itself; the sums are logged once a second.
        """
        self.start(0)
        with logged() as lines:
            self.serve(3, b"hello")
            self.serve(2, b"bye\n")
            self.serve(1, b"")
            self.clock.advance(0.99)
        self.assertEqual(lines, [])
        with logged() as lines:
            self.clock.advance(0.01)
        self.assertEqual(
            lines,
            [
                "TCP echo: 6 more connected, 6 more ended (closed by peer: 3, goodbye: 2, "
                "check: 1); 23 bytes in, 15 bytes out"
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_burst(self) -> None:
        """
        The first lines are logged at once, as many as the rate gives in the time of the
        burst; after that, as many a second as the rate says, and one with the sums.
        """
        self.start()
        burst = int(BURST * SESSION_LINES)
        with logged() as lines:
            self.serve(burst)
        self.assertEqual(len(lines), burst)
        for _ in range(3):
            with logged() as lines:
                self.serve(burst)
                self.clock.advance(1)
            self.assertLessEqual(len(lines), SESSION_LINES + 1)
            self.assertIn(" more connected, ", lines[-1])

    def test_until(self) -> None:
        """
        From the first session that is not logged by itself until the sum, none is.
        """
        self.start()
        self.serve(int(BURST * SESSION_LINES))
        with logged() as lines:
            self.clock.advance(0.9)
            self.serve(1)
        self.assertEqual(lines, [])
        with logged() as lines:
            self.clock.advance(0.1)
            self.serve(1)
        self.assertEqual([line.split(" ")[2] for line in lines][1:], ["192.0.2.1:40000"] * 2)

    def test_slow(self) -> None:
        """
        A rate below one line in the time of the burst still logs one line at once.
        """
        self.start(0.1 / BURST)
        with logged() as lines:
            self.serve(1)
        self.assertEqual(lines, ["TCP echo: 192.0.2.1:40000 connected"])

    def test_sums(self) -> None:
        """
        Every session is either logged by itself or part of a sum.
        """
        self.start(1)
        with logged() as lines:
            for _ in range(40):
                self.serve(3)
                self.clock.advance(0.3)
            self.clock.advance(1)
        sums = [line.split(": ", 1)[1] for line in lines if "more" in line]
        started = sum(int(line.split()[0]) for line in sums)
        ended = sum(int(line.split()[3]) for line in sums)
        self.assertGreater(len(sums), 5)
        self.assertEqual(started + sum(" connected" in line for line in lines) - len(sums), 120)
        self.assertEqual(ended + sum(" ended: " in line for line in lines), 120)

    def test_onlyStarted(self) -> None:
        """
        A sum without an end names no outcome.
        """
        self.start(0)
        with logged() as lines:
            connect(self.factory)
            self.clock.advance(1)
        self.assertEqual(
            lines, ["TCP echo: 1 more connected, 0 more ended; 0 bytes in, 0 bytes out"]
        )

    def test_drain(self) -> None:
        """
        The last sum is logged before the end of the drain, and no timer remains.
        """
        self.start(0)
        connect(self.factory)
        self.clock.advance(1)
        with logged() as lines:
            self.factory.doStop()
            drained = self.factory.drain()
            self.factory.abort()
        self.successResultOf(drained)
        self.assertEqual(
            lines[1:],
            [
                "TCP echo: 0 more connected, 1 more ended (cut: 1); 0 bytes in, 0 bytes out",
                "TCP echo: stopped; sessions finished: 0, cut: 1",
            ],
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """
        When listening ends, the sum is logged, and no timer remains.
        """
        self.start(0)
        self.serve(1)
        with logged() as lines:
            self.factory.doStop()
        self.assertEqual(len(lines), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_formatsNothing(self) -> None:
        """
        A session that is not logged by itself costs no formatting of its address.
        """
        self.start(0)
        self.serve(1, address=UnspeakablePeer("", None))
