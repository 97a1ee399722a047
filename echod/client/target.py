"""
The target of a client, as it is written on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address
from typing import NamedTuple

from twisted.internet.address import IPv4Address, IPv6Address

from echod.net.addresses import LOOPBACK, MAX_PORT
from echod.net.descriptions import CLIENT_ARGUMENTS, checkNumbers
from echod.net.format import hostPort, shortened
from echod.net.quantities import wholeNumber

Family = type[IPv4Address] | type[IPv6Address]

WRONG_TARGET = "neither HOST, HOST:PORT, [V6]:PORT nor a client endpoint description"

_PORT = re.compile(r"[0-9]+")

_HOST_AND_PORT = re.compile(r"(?:\[(?P<v6>[^]]*)\]|(?P<name>[^:/\s]+))(?::(?P<port>[0-9]+))?")
"""
C{HOST}, C{HOST:PORT}, C{[V6]} or C{[V6]:PORT}.
"""


class Address(NamedTuple):
    """
    A host, as a name or a literal address, and a port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        return hostPort(*self)


class Description(str):
    """
    A Twisted client endpoint description: C{tls:host:8443}.
    """


Target = Address | Description


def parseTarget(text: str, port: int, loopback: str = LOOPBACK) -> Target:
    """
    Parse a target.

    @param port: The port of a target that names none.

    @param loopback: The host of a target that is a port alone.

    @raise ValueError: if the text is neither an address nor an endpoint description.
    """
    if _PORT.fullmatch(text):
        return Address(loopback, _port(text))
    if text.count(":") > 1 and _isLiteral(text):
        return Address(text, port)
    match = _HOST_AND_PORT.fullmatch(text)
    if match is None:
        if not re.match("[a-z0-9]+:", text):
            raise ValueError(WRONG_TARGET)
        checkNumbers(text, CLIENT_ARGUMENTS)
        return Description(text)
    if match["v6"] is not None and not _isLiteral(match["v6"]):
        raise ValueError(f"{shortened(match['v6'])!r} is not an IPv6 address")
    if match["name"] and not _isName(match["name"]):
        raise ValueError(f"{shortened(match['name'])!a} is not a host name")
    return Address(
        match["v6"] or match["name"], _port(match["port"]) if match["port"] else port
    )


def joinPort(words: Sequence[str]) -> list[str]:
    """
    Make one target of C{HOST PORT}: exactly two words, a host without a port and a number.

    @return: The targets.  If there are more words, each is a target.
    """
    if len(words) == 2 and _PORT.fullmatch(words[1]) and not _hasPort(words[0]):
        host, port = words
        return [f"[{host}]:{port}" if _isLiteral(host) else f"{host}:{port}"]
    return list(words)


def _hasPort(text: str) -> bool:
    if _isLiteral(text):
        return False
    match = _HOST_AND_PORT.fullmatch(text)
    return match is None or match["port"] is not None or bool(_PORT.fullmatch(text))


def _port(text: str) -> int:
    try:
        return wholeNumber(text, 1, MAX_PORT)
    except ValueError:
        raise ValueError(
            f"{shortened(text)} is not a port; ports are 1 to {MAX_PORT}"
        ) from None


def _isLiteral(text: str) -> bool:
    try:
        return ip_address(text).version == 6
    except ValueError:
        return False


def _isName(text: str) -> bool:
    # With a name that cannot be encoded, Twisted's resolver never answers.
    try:
        text.encode("idna")
    except UnicodeError:
        return False
    # A number in digits of another script is a port that was mistyped.
    return text.isascii() or not text.isdigit()
