"""
The plugins for twistd and twist.  Both load this module for each usage text, so it imports
nothing from echod.
"""

from twisted.application.reactors import Reactor
from twisted.application.service import ServiceMaker

echod = ServiceMaker(
    "echod",
    "echod.tap",
    "Echo servers for TCP and UDP, and a greeting. Options go after it: echod --tcp 8080.",
    "echod",
)

uvloop = Reactor(
    "uvloop",
    "echod.config.reactor",
    "TCP servers do their I/O inside libuv; needs uvloop.",
)
