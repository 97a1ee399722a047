"""
Command lines in memory.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.testing import MemoryReactorClock

from echod.config.addresses import Address
from echod.service.listening import ListeningService
from echod.tap import Options, makeService


def oneHost(service: str, address: Address) -> dict[str, str]:
    """
    @return: One socket for each service, whatever names the machine has.
    """
    assert address.host is not None
    return {service: address.host}


def options(*arguments: str, reactor: Any = None) -> Options:
    """
    @return: The options of a command line, on a reactor in memory.
    """
    parsed = Options(reactor or MemoryReactorClock(), oneHost)
    parsed.parseOptions(arguments)
    return parsed


def serve(*arguments: str) -> list[ListeningService[Any]]:
    """
    @return: The services of a command line.
    """
    return makeService(options(*arguments)).listening


def servers(*arguments: str) -> list[Any]:
    """
    @return: The servers of a command line.
    """
    return [service.server for service in serve(*arguments)]
