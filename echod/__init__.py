"""
echod: a TCP greeting, a TCP echo and a UDP echo for Twisted.

As a daemon: C{twistd -n echod}.  In an application of one's own::

    endpoint.listen(EchoFactory(reactor))

Importing this never imports a reactor.
"""

from echod._version import __version__
from echod.impair.spec import ConnectionImpairments, DatagramImpairments
from echod.impair.tcp import ImpairedEchoFactory, ImpairedGreetingFactory
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.capacity import Capacity, Limits
from echod.limits.networks import Networks
from echod.limits.ratelimit import RateLimit
from echod.tcp.echo import EchoFactory
from echod.tcp.goodbye import Goodbye
from echod.tcp.goodbyeecho import GoodbyeEchoProtocol
from echod.tcp.greeting import GreetingFactory, GreetingProtocol
from echod.tcp.plainecho import EchoProtocol
from echod.udp.echo import UDPEchoProtocol
from echod.udp.endpoint import UDPServerEndpoint
from echod.udp.guard import DatagramGuard

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
