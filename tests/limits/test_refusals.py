"""
Tests for L{echod.limits.refusals}.
"""

from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.refusals import Refusals
from echod.tcp.echo import EchoFactory
from echod.tcp.proxyprotocol import ProxyFactory
from echod.udp.echo import UDPEchoProtocol
from tests.support import clock, logged
from tests.support.udp import MemoryDatagramTransport


class RefusalsTests(SynchronousTestCase):
    """
    Tests for L{Refusals}.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.refusals = Refusals(self.reactor, "echo")

    def refuse(self, number: int, reason: str = "no room") -> list[str]:
        """
        @return: The log of so many refusals.
        """
        with logged() as lines:
            for _ in range(number):
                self.refusals.add(reason, "192.0.2.1:40000")
        return lines

    def wait(self) -> list[str]:
        """
        @return: The log of the next second.
        """
        with logged() as lines:
            self.reactor.advance(1)
        return lines

    def test_first(self) -> None:
        """
        The first refusal is logged at once, with peer and reason; if it stays
        alone, that is all.
        """
        self.assertEqual(self.refuse(1), ["echo: refused 192.0.2.1:40000: no room"])
        self.assertEqual(self.wait(), [])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_many(self) -> None:
        """
        However many there are, a reason is logged once a second.
        """
        self.assertEqual(len(self.refuse(10)), 1)
        self.assertEqual(self.wait(), ["echo: refused 9 more: no room"])
        self.assertEqual(self.refuse(5), [])
        self.assertEqual(self.wait(), ["echo: refused 5 more: no room"])
        self.assertEqual(self.wait(), [])
        self.assertEqual(len(self.refuse(1)), 1)
        self.assertEqual(self.refusals.counts, {"no room": 16})

    def test_reasons(self) -> None:
        """
        Each reason has a second of its own.
        """
        self.refuse(2)
        self.assertEqual(self.refuse(1, "denied"), ["echo: refused 192.0.2.1:40000: denied"])
        self.assertEqual(self.refusals.counts, {"no room": 2, "denied": 1})

    def test_stop(self) -> None:
        """
        At the end the number is logged, and no timer is left.
        """
        self.refuse(3)
        with logged() as lines:
            self.refusals.stop()
        self.assertEqual(lines, ["echo: refused 2 more: no room"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """
        After the end a reason is logged once, and no timer is started; from the next
        start on all is as before.
        """
        self.refusals.stop()
        self.assertEqual(self.refuse(3), ["echo: refused 192.0.2.1:40000: no room"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        with logged() as lines:
            self.refusals.start()
        self.assertEqual(lines, ["echo: refused 2 more: no room"])
        self.assertEqual(len(self.refuse(2)), 1)
        self.assertEqual(self.wait(), ["echo: refused 1 more: no room"])
        self.assertEqual(self.refusals.counts, {"no room": 5})
        self.refusals.stop()

    def test_servers(self) -> None:
        """
        A server that listens again logs refusals as before, with a timer.
        """
        echo = EchoFactory(self.reactor)
        proxied = ProxyFactory(self.reactor, Factory())
        udp = UDPEchoProtocol(self.reactor)
        udp.transport = MemoryDatagramTransport()  # type: ignore[assignment]
        for server, start, stop in (
            (echo, echo.doStart, echo.doStop),
            (proxied, proxied.startFactory, proxied.stopFactory),
            (udp, udp.startProtocol, udp.stopProtocol),
        ):
            for again in range(2):
                start()
                server.refusals.add("no room", "192.0.2.1:40000")
                self.assertEqual(len(self.reactor.getDelayedCalls()), 1, (server, again))
                stop()
                server.refusals.add("no room", "192.0.2.1:40000")
                self.assertEqual(self.reactor.getDelayedCalls(), [], (server, again))
