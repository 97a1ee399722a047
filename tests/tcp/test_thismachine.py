"""
Tests for L{echod.tcp.thismachine}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from echod.limits.networks import DENIED
from echod.tcp.echo import EchoFactory
from echod.tcp.thismachine import ThisMachineFactory
from tests.support import PEER, clock, logged

HERE = IPv4Address("TCP", "127.0.0.5", 40000)


class ThisMachineFactoryTests(SynchronousTestCase):
    """
    Tests for L{ThisMachineFactory}.
    """

    def setUp(self) -> None:
        self.echo = EchoFactory(clock())
        self.factory = ThisMachineFactory(clock(), WrappingFactory(self.echo))

    def test_here(self) -> None:
        """
        A peer on this machine is served.
        """
        factory = ThisMachineFactory(clock(), self.echo)
        protocol = factory.buildProtocol(HERE)
        self.assertIs(protocol.factory, self.echo)
        self.assertEqual(self.echo.refusals.counts, {})

    def test_elsewhere(self) -> None:
        """
        A peer on another machine is refused as denied, by the server that it called.
        """
        with logged() as lines:
            self.assertIsNone(self.factory.buildProtocol(PEER))
        self.assertEqual(self.echo.refusals.counts, {DENIED: 1})
        self.assertEqual(lines, [f"TCP echo: refused 192.0.2.1:40000: {DENIED}"])

    def test_withoutRefusals(self) -> None:
        """
        A server that counts no refusals logs them.
        """
        factory: Any = Factory.forProtocol(Protocol)
        factory.logPrefix = lambda: "other"
        with logged() as lines:
            self.assertIsNone(ThisMachineFactory(clock(), factory).buildProtocol(PEER))
        self.assertEqual(lines, [f"other: refused 192.0.2.1:40000: {DENIED}"])

    def test_start(self) -> None:
        """
        Ports that start and stop are counted in the other factory, whose name it has.
        """
        factory = ThisMachineFactory(clock(), self.echo)
        factory.doStart()
        factory.doStart()
        self.assertEqual(self.echo.numPorts, 2)
        factory.doStop()
        self.assertEqual(self.echo.numPorts, 1)
        factory.doStop()
        self.assertEqual(factory.logPrefix(), "TCP echo")
