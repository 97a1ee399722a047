"""
The addresses of this machine.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from echod.limits.networks import KNOWN_HOSTS
from echod.net.addresses import parsed

ANY_PORT = 9
"""
The port of the discard service (RFC 863).  Nothing is sent to it.
"""

ADDRESSES_AGE = 60.0
"""
For how long the answer about one address is cached, in seconds: a machine seldom gets or
loses addresses.
"""


def sourceFor(host: str) -> str:
    """
    @param host: A literal address.

    @return: The address that this machine sends from when it sends to the given address.

    @raise OSError: if no socket can be opened.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        with suppress(OSError):
            probe.connect((host, ANY_PORT))
        return str(probe.getsockname()[0])


class ThisMachine:
    """
    Tells the addresses of this machine from others.

    The way to an address of this machine starts at the same address.  To bind a socket would
    prove nothing: a machine that takes over addresses from others can bind to addresses that
    it does not have.
    """

    def __init__(self, sourceFor: Callable[[str], str] = sourceFor) -> None:
        """
        @param sourceFor: Returns the address that this machine sends from.
        """
        self._sourceFor = sourceFor
        self._cached = lru_cache(KNOWN_HOSTS)(self._isLocal)

    def has(self, host: str, now: float) -> bool:
        """
        @param host: A literal address.

        @param now: The time, in seconds.

        @return: True if it is an address of this machine.
        """
        try:
            return self._cached(host, now // ADDRESSES_AGE)
        except OSError:
            # No descriptor is free for a socket.  The answer is not cached.
            return False

    def _isLocal(self, host: str, period: float) -> bool:
        address = parsed(host)
        # The way to 127.0.1.1 starts at 127.0.0.1.
        return address.is_loopback or self._sourceFor(str(address)) == str(address)


onThisMachine = ThisMachine().has
