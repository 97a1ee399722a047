"""
How an answer is told from a question.

A datagram that is forged to come from another echo server is answered to that
server, which takes the answer for a question.  What both have in common is
refused by port (see L{echod.udp.guard}); but the other one may listen on any port.

So answers have fewer hops to go than anyone gives a question, and what comes
with so few left is not answered.  Routers take from that number and never add
to it (RFC 1812, 5.3.1), hence this holds on any way from one echod to another.
The system sorts them out before they are received: they cost nothing.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

HOPS_APART = sys.platform == "linux"
"""
Whether this platform can sort datagrams for us.
"""

ANSWER_HOPS = 32
"""
How many hops an answer can go, and the number of those left with which nothing
is answered.  Systems give 64 (RFC 1700), 128 or 255 to what they send, and ways
through the Internet are not half as long as 64: traceroute gives up after 30.
"""

SO_ATTACH_FILTER = 26

_HEADER = 0xFFF00000
"""
C{SKF_NET_OFF}: where a filter finds the IP header.
"""

_LOAD, _AND, _JUMP, _IF_EQUAL, _IF_GREATER, _RETURN = 0x30, 0x54, 0x05, 0x15, 0x25, 0x06

_PROGRAM = [
    (_LOAD, 0, 0, _HEADER),
    (_AND, 0, 0, 0xF0),
    # A socket for both versions gets both.
    (_IF_EQUAL, 2, 0, 0x60),
    (_LOAD, 0, 0, _HEADER + 8),  # time to live
    (_JUMP, 0, 0, 1),
    (_LOAD, 0, 0, _HEADER + 7),  # hop limit
    (_IF_GREATER, 0, 1, ANSWER_HOPS),
    (_RETURN, 0, 0, 0xFFFFFFFF),
    (_RETURN, 0, 0, 0),
]
"""
C{struct sock_filter}: code, how far to jump if so and if not, operand.
"""


def tellApart(skt: socket.socket) -> None:
    """
    Have a UDP socket send what can be told to be an answer, and receive nothing
    that is one.
    """
    if not HOPS_APART:
        return
    if skt.family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ANSWER_HOPS)
    skt.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ANSWER_HOPS)
    code = b"".join(struct.pack("@HBBI", *step) for step in _PROGRAM)
    memory = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(_PROGRAM), ctypes.addressof(memory))
    skt.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
