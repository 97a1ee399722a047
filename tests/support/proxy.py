"""
PROXY headers for tests.
"""

from __future__ import annotations

import struct

from twisted.internet.address import IPv4Address, IPv6Address

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

REAL = IPv4Address("TCP", "198.51.100.7", 5000)
REAL6 = IPv6Address("TCP", "2001:db8::7", 5000)

V1 = b"PROXY TCP4 198.51.100.7 127.0.0.1 5000 80\r\n"
"""
A header of version 1 that names L{REAL}.
"""

INET = struct.pack("!4s4sHH", bytes([198, 51, 100, 7]), bytes([127, 0, 0, 1]), 5000, 80)
INET6 = struct.pack(
    "!16s16sHH", bytes.fromhex("20010db8" + "00" * 11 + "07"), bytes(15) + b"\1", 5000, 80
)
UNIX = struct.pack("!108s108s", b"/run/client", b"/run/server")


def v2(kind: int, addresses: bytes = b"", command: int = 0x21) -> bytes:
    """
    @param kind: The byte for family and protocol.

    @return: A header of version 2.
    """
    return SIGNATURE + struct.pack("!BBH", command, kind, len(addresses)) + addresses


LOCAL = v2(0x00, command=0x20)
"""
The header of a health check.
"""
