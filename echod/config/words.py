"""
Describe a L{Config} for the log.
"""

from __future__ import annotations

from echod.config.config import Config
from echod.limits.descriptors import ProcessRoom
from echod.tcp.endpoints import expectsHeader
from echod.tcp.proxyheader import EXPECTED


def proxyNote(config: Config, address: str) -> str:
    """
    @return: The words of the log about the PROXY headers that an address expects.
    """
    if not expectsHeader(address):
        return ""
    if config.proxyFrom:
        return f"{EXPECTED}, only from {', '.join(map(str, config.proxyFrom))}"
    return f"{EXPECTED}, from everyone who connects (see --proxy-from)"


def limitsInWords(config: Config, room: ProcessRoom) -> str:
    most = config.connectionsOfProcess
    each = f"{_number(most)} for each service, " if most else ""
    workers = config.workers
    together = (
        _number(room.connections.most)
        if workers == 1
        else "as many connections as its limit of open files leaves"
    )
    idle = config.idleTimeout
    words = [
        f"in each of {workers} workers: " * (workers > 1)
        + f"{each}{together} for all together, "
        + f"{_number(config.maxPerSource)} from one source, "
        + f"{_number(config.connectRate, 'new ones')} a second",
        f"sessions idle for {idle:g} s" if idle else "sessions idle for ever",
        f"{_number(config.udpRate, 'datagrams')} a second to one address",
        f"{config.drainTimeout:g} s to drain",
    ]
    for networks, what in (
        (config.allowed, "allowed"),
        (config.denied, "denied"),
        (config.proxyFrom, "PROXY headers from"),
    ):
        if networks:
            words.append(f"{what}: {', '.join(map(str, networks))}")
    return "; ".join(words)


def _number(limit: int, what: str = "connections") -> str:
    return f"{limit or 'any number of'} {what}"
