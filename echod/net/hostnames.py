"""
Look up host names, for at most a limited time.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from echod.net.addresses import LIMITED_BROADCAST

LOOKUP_TIME = 2.0
"""
How long one lookup may take, in seconds.  The names of a machine are in its files, and
found at once; a name server that does not answer would block the start for half a
minute.
"""


def lookUp(
    name: str,
    patience: float = LOOKUP_TIME,
    getaddrinfo: Callable[..., Any] = socket.getaddrinfo,
) -> list[str]:
    """
    Look up the addresses of a host name.

    @return: Literal addresses of single machines, in the order in which programs try
        them, each once.  The list is empty if the name stands for other addresses
        only, such as C{0.0.0.0}.

    @raise OSError: if the name does not resolve, or not in time.
    """
    literals = [_literal(sockaddr) for *_, sockaddr in _resolve(name, patience, getaddrinfo)]
    return [literal for literal in dict.fromkeys(literals) if _isOneMachine(literal)]


def canonicalName(
    name: str,
    patience: float = LOOKUP_TIME,
    getaddrinfo: Callable[..., Any] = socket.getaddrinfo,
) -> str:
    """
    Look up the complete name of a host, such as C{box.example.com} for C{box}.

    @raise OSError: if the name does not resolve, or not in time.
    """
    (_, _, _, canonical, _), *_ = _resolve(name, patience, getaddrinfo, socket.AI_CANONNAME)
    return str(canonical)


def _resolve(
    name: str, patience: float, getaddrinfo: Callable[..., Any], flags: int = 0
) -> list[Any]:
    answer: SimpleQueue[Any] = SimpleQueue()

    def work() -> None:
        try:
            answer.put(getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=flags))
        except (OSError, UnicodeError) as error:
            answer.put(OSError(f"does not resolve ({getattr(error, 'strerror', error)})"))

    # A lookup cannot be cancelled.  A daemon thread does not delay the exit.
    Thread(target=work, daemon=True).start()
    try:
        found = answer.get(timeout=patience)
    except Empty:
        raise TimeoutError(f"does not resolve within {patience:g} s") from None
    if isinstance(found, OSError):
        raise found
    return list(found)


def _literal(sockaddr: tuple[Any, ...]) -> str:
    host, _ = socket.getnameinfo(sockaddr, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)
    mapped = getattr(ip_address(host), "ipv4_mapped", None)
    return str(mapped or host)


def _isOneMachine(host: str) -> bool:
    address = ip_address(host)
    return not (address.is_unspecified or address.is_multicast or address == LIMITED_BROADCAST)
