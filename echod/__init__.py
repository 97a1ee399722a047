"""
echod: a TCP greeting, a TCP echo and a UDP echo for Twisted.

As a daemon: C{twistd -n echod}.  In an application of one's own::

    endpoint.listen(EchoFactory(reactor))

Importing this never imports a reactor.
"""

from echod._version import __version__
from echod.goodbye import Goodbye
from echod.greeting import GreetingFactory, GreetingProtocol
from echod.guard import DatagramGuard
from echod.impair import ConnectionImpairments, DatagramImpairments
from echod.impairedtcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impairedudp import ImpairedUDPEchoProtocol
from echod.limits import Capacity, Limits, RateLimit
from echod.networks import Networks
from echod.tcp import EchoFactory, EchoProtocol, GoodbyeEchoProtocol
from echod.udp import UDPEchoProtocol, UDPServerEndpoint

__all__ = [
    "Capacity",
    "ConnectionImpairments",
    "DatagramGuard",
    "DatagramImpairments",
    "EchoFactory",
    "EchoProtocol",
    "Goodbye",
    "GoodbyeEchoProtocol",
    "GreetingFactory",
    "GreetingProtocol",
    "ImpairedEchoFactory",
    "ImpairedGreetingFactory",
    "ImpairedUDPEchoProtocol",
    "Limits",
    "Networks",
    "RateLimit",
    "UDPEchoProtocol",
    "UDPServerEndpoint",
    "__version__",
]
