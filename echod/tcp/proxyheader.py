"""
PROXY headers, versions 1 and 2
(U{https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt}): bytes in, a frozen
value out.

Twisted's own parsers are private and too generous: they accept any text as an address,
signs and spaces in ports, and more fields than there are.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from echod.net.addresses import MAX_PORT, parsed
from echod.net.quantities import wholeNumber

V1_SIGNATURE = b"PROXY "
V1_END = b"\r\n"
V1_LIMIT = 107
"""
The longest header of version 1, in bytes, by definition.
"""

V1_FAMILIES = {"TCP4": ipaddress.IPv4Address, "TCP6": ipaddress.IPv6Address}
V1_UNKNOWN = "UNKNOWN"

V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
V2_FIXED = struct.Struct("!12sBBH")
"""
The signature, version and command, family and protocol, the length of the rest.
"""

V2_LIMIT = 4096
"""
The longest header of version 2 that is accepted, in bytes, as in nginx.  Addresses need
at most 232 bytes; the rest is for extensions.
"""

LOCAL, PROXY = 0x20, 0x21
"""
The commands, together with the number of the version.
"""

UNSPECIFIED, INET, INET6, UNIX = range(4)
PROTOCOLS = range(3)
"""
Unspecified, stream and datagram.
"""

V2_ADDRESSES = {
    INET: struct.Struct("!4s4sHH"),
    INET6: struct.Struct("!16s16sHH"),
    UNIX: struct.Struct("!108s108s"),
}
"""
Source and destination, and the ports of both.
"""

EXPECTED = "expects a PROXY header"
MALFORMED = "malformed PROXY header"


@dataclass(frozen=True)
class Header:
    """
    The content of a PROXY header.

    @ivar source: The address of the proxy's peer; L{None} if the header does not name it.

    @ivar local: True if the connection is the proxy's own, such as a health check.
    """

    source: IPv4Address | IPv6Address | UNIXAddress | None = None
    local: bool = False


def headerSize(data: bytes) -> int | None:
    """
    @param data: All bytes of a connection so far, at least one.

    @return: The length of the header; L{None} if it is not complete.

    @raise ValueError: if the data is not a header, or if the header is too long.  Its text
        is the reason: L{EXPECTED} or L{MALFORMED}.
    """
    if V2_SIGNATURE.startswith(data[: len(V2_SIGNATURE)]):
        size, limit = V2_FIXED.size, V2_LIMIT
        if len(data) >= size:
            *_, rest = V2_FIXED.unpack_from(data)
            size += rest
    elif V1_SIGNATURE.startswith(data[: len(V1_SIGNATURE)]):
        end = data.find(V1_END)
        size = end + len(V1_END) if end >= 0 else len(data) + 1
        limit = V1_LIMIT
    else:
        raise ValueError(EXPECTED)
    if size > limit:
        raise ValueError(MALFORMED)
    return size if size <= len(data) else None


def parse(header: bytes) -> Header:
    """
    Read a complete header.

    @raise ValueError: with the text L{MALFORMED}, if it breaks the rules of the protocol.
    """
    try:
        if header.startswith(V2_SIGNATURE):
            return _parseV2(header)
        return _parseV1(header.removesuffix(V1_END).decode("latin-1"))
    except (ValueError, LookupError, struct.error):
        raise ValueError(MALFORMED) from None


def _parseV1(line: str) -> Header:
    _, family, *addresses = line.split(" ")
    if family == V1_UNKNOWN:
        return Header()
    if "%" in line:
        raise ValueError("a scope has no meaning on another machine")
    source, destination, *ports = addresses
    host, _ = map(V1_FAMILIES[family], (source, destination))
    port, _ = map(_port, ports)
    return Header(_internetAddress(str(host), port))


def _port(text: str) -> int:
    port = wholeNumber(text, 0, MAX_PORT)
    if text != str(port):
        raise ValueError("leading zeros are forbidden")
    return port


def _parseV2(header: bytes) -> Header:
    _, command, kind, _ = V2_FIXED.unpack_from(header)
    if command == LOCAL:
        return Header(local=True)
    family, protocol = divmod(kind, 16)
    if command != PROXY or family > UNIX or protocol not in PROTOCOLS:
        raise ValueError("unknown command, family or protocol")
    if UNSPECIFIED in (family, protocol):
        return Header()
    source, _, *ports = V2_ADDRESSES[family].unpack_from(header, V2_FIXED.size)
    if family == UNIX:
        return Header(UNIXAddress(source.rstrip(b"\0")))
    return Header(_internetAddress(str(ipaddress.ip_address(source)), ports[0]))


def _internetAddress(host: str, port: int) -> IPv4Address | IPv6Address:
    address = parsed(host)
    kind = IPv4Address if address.version == 4 else IPv6Address
    return kind("TCP", str(address), port)
