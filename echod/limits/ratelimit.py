"""
The rate limit of each source of datagrams, and the addresses that have none.
"""

from __future__ import annotations

import socket
from collections import OrderedDict
from contextlib import suppress
from functools import lru_cache

from echod.limits.networks import KNOWN_HOSTS
from echod.net.addresses import parsed

UDP_RATE = 10000
"""
How many datagrams of one source are answered in a second: far more than who
measures needs, and less than a link of 10 Mbit/s carries of small ones.
"""

BURST = 1.0
"""
For how long a source may save what it does not use of its rate, in seconds.
"""

METERED_SOURCES = 1 << 16
"""
How many sources of datagrams are kept account of: 20 MB of memory at the most.
"""

ANY_PORT = 9
"""
Nothing is sent to it: the discard service's (RFC 863).
"""

ADDRESSES_AGE = 60.0
"""
How long it is taken for granted which addresses are of this machine, in seconds.
"""


class RateLimit:
    """
    A rate for each source: a token bucket, in the form of the generic cell rate
    algorithm (ITU-T I.371), which needs one number for each source.  The sources
    that were seen last are kept account of; others start afresh.
    """

    def __init__(self, rate: float, burst: float = BURST) -> None:
        """
        @param rate: How many a second.

        @param burst: For how long a source may save what it does not use, in seconds.
        """
        self._interval = 1 / rate
        # With room for what is lost in rounding.
        self._burst = max(burst, self._interval) + self._interval / 2
        # For each source, the time until which its datagrams, evenly spaced,
        # would reach.
        self._reach: OrderedDict[str, float] = OrderedDict()

    def exceeded(self, source: str, now: float) -> bool:
        """
        Take one of what a source may have.

        @param now: The time, in seconds.

        @return: Whether there was none left.
        """
        reaches = self._reach
        before = reaches.get(source, 0.0)
        reach = (before if before > now else now) + self._interval
        if exceeded := reach > now + self._burst:
            reach = before
        reaches[source] = reach
        reaches.move_to_end(source)
        if not before and len(reaches) > METERED_SOURCES:
            reaches.popitem(last=False)
        return exceeded


def onThisMachine(host: str, now: float) -> bool:
    """
    @param host: A literal address.

    @param now: The time, in seconds.

    @return: Whether it is an address of this machine.
    """
    try:
        return _onThisMachine(host, now // ADDRESSES_AGE)
    except OSError:
        # There is not even a socket to ask with.
        return False


@lru_cache(KNOWN_HOSTS)
def _onThisMachine(host: str, period: float) -> bool:
    """
    @param period: The time for which the answer is good.
    """
    address = parsed(host)
    if address.is_loopback:
        # The way to 127.0.1.1 starts at 127.0.0.1.
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        # The way to an address of this machine starts there as well.  (To try to
        # bind to it is no proof: on machines which take over from others, what
        # is not there yet can be bound to as well.)
        with suppress(OSError):
            probe.connect((str(address), ANY_PORT))
        return bool(probe.getsockname()[0] == str(address))
