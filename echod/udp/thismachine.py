"""
Refuse datagrams of other machines.
"""

from __future__ import annotations

from typing import Any

from echod.limits.networks import DENIED
from echod.limits.thismachine import onThisMachine
from echod.net.addresses import parsed
from echod.udp.guard import DatagramGuard


class ThisMachineGuard:
    """
    A guard that also refuses all sources on other machines.
    """

    def __init__(self, guard: DatagramGuard) -> None:
        """
        @param guard: The guard of all UDP servers of this process.  It decides about the
            sources on this machine.
        """
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._guard, name)

    def refusal(self, host: str, port: int, *more: Any, now: float = 0) -> str | None:
        """
        Decide about one datagram.

        @return: The reason not to answer, or L{None}.
        """
        if not onThisMachine(host, now):
            return DENIED
        return self._guard.refusal(host, port, *more, now=now)

    def isLimited(self, host: str) -> bool:
        """
        @return: True unless a source that was answered is always answered: this machine
            may lose any address but the loopback addresses.
        """
        return not parsed(host).is_loopback or self._guard.isLimited(host)
