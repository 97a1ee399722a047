"""
Refuse peers on other machines.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory
from twisted.protocols.policies import WrappingFactory

from echod.limits.networks import DENIED
from echod.limits.refusals import Refusals
from echod.limits.thismachine import onThisMachine
from echod.net.format import addressName


class ThisMachineFactory(Factory):
    """
    Passes the connections of peers on this machine to another factory, and refuses
    all others.

    It must be the outermost factory: it decides about the peer of the transport, not
    about the one that a PROXY header names.
    """

    noisy = False

    def __init__(self, reactor: IReactorTime, wrapped: Any) -> None:
        self._reactor = reactor
        self._wrapped = wrapped
        served = wrapped
        while isinstance(served, WrappingFactory):
            served = served.wrappedFactory
        self._refusals: Refusals = getattr(served, "refusals", None) or Refusals(
            reactor, wrapped.logPrefix()
        )

    def buildProtocol(self, addr: Any) -> Any:
        """
        @return: A protocol of the other factory; or L{None}, which closes the
            connection.
        """
        if onThisMachine(addr.host, self._reactor.seconds()):
            return self._wrapped.buildProtocol(addr)
        self._refusals.add(DENIED, addressName(addr))
        return None

    def doStart(self) -> None:
        """
        Listening starts on one more port.
        """
        self._wrapped.doStart()

    def doStop(self) -> None:
        """
        Listening stops on one port.
        """
        self._wrapped.doStop()

    def logPrefix(self) -> str:
        """
        @return: The name of the service in Twisted's own messages.
        """
        return str(self._wrapped.logPrefix())
