"""
Stock Twisted's echo: C{stock.py REACTOR --tcp ADDRESS --udp ADDRESS}.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from twisted.application.reactors import installReactor
from twisted.internet.protocol import DatagramProtocol, Factory, Protocol
from twisted.python.log import startLogging

from soak.timers import countTimers


class Echo(Protocol):
    """
    The server C{twisted.protocols.wire.Echo}.
    """

    def dataReceived(self, data: bytes) -> None:
        """
        Return what came.
        """
        assert self.transport is not None
        self.transport.write(data)


class EchoDatagrams(DatagramProtocol):
    """
    The same for datagrams.
    """

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """
        Return what came.
        """
        assert self.transport is not None
        self.transport.write(datagram, addr)


def main() -> None:
    """
    Serve, and say where, in the words that echod uses.
    """
    parser = ArgumentParser()
    parser.add_argument("reactor")
    parser.add_argument("--tcp", action="append", default=[])
    parser.add_argument("--udp", action="append", default=[])
    # It has none of echod's other options.
    options, _ = parser.parse_known_args()
    installReactor(options.reactor)
    countTimers()
    from twisted.internet import reactor

    startLogging(sys.stdout)
    stock: Any = reactor
    for address in options.tcp:
        host, _, port = address.rpartition(":")
        bound = stock.listenTCP(int(port), Factory.forProtocol(Echo), 50, host)
        print(f"TCP echo listens on {host}:{bound.getHost().port}")
    for address in options.udp:
        host, _, port = address.rpartition(":")
        bound = stock.listenUDP(int(port), EchoDatagrams(), host)
        print(f"UDP echo listens on {host}:{bound.getHost().port}")
    stock.run()


if __name__ == "__main__":
    main()
