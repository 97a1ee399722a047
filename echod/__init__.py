"""
echod: a TCP greeting, a TCP echo and a UDP echo for Twisted.

As a daemon: C{twistd -n echod}.  In an application of one's own::

    endpoint.listen(EchoFactory(reactor))

Importing this never imports a reactor.
"""

from echod._version import __version__
from echod.goodbye import Goodbye
from echod.greeting import GreetingFactory, GreetingProtocol
from echod.loopguard import LoopGuard
from echod.tcp import EchoFactory, EchoProtocol, GoodbyeEchoProtocol
from echod.udp import UDPEchoProtocol, UDPServerEndpoint

__all__ = [
    "EchoFactory",
    "EchoProtocol",
    "Goodbye",
    "GoodbyeEchoProtocol",
    "GreetingFactory",
    "GreetingProtocol",
    "LoopGuard",
    "UDPEchoProtocol",
    "UDPServerEndpoint",
    "__version__",
]
