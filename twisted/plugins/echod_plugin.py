"""
What twistd and twist see of echod.  This is loaded whenever anybody lists
plugins, so it names things and imports none of them.
"""

from twisted.application.reactors import Reactor
from twisted.application.service import ServiceMaker

echod = ServiceMaker(
    "echod",
    "echod.tap",
    "Echo servers for TCP and UDP, and a greeting.",
    "echod",
)

uvloop = Reactor(
    "uvloop",
    "echod.uvloopreactor",
    "TCP servers do their I/O inside libuv; needs uvloop.",
)
