"""
Answers differ from questions in their TTL (IPv6: hop limit).

A datagram with the forged address of another echo server is answered to that server.
It takes the answer for a question, and the two answer each other for ever.
L{echod.udp.guard} refuses this by port where it knows the ports; but the other server
may listen on any port.

So answers are sent with a lower TTL than any system gives to a question, and a
datagram that arrives with this TTL or less is not answered.  Routers lower the TTL and
never raise it (RFC 1812, 5.3.1), so this works on every path from one echod to another.
The kernel drops these datagrams before they are received: they cost no processor time
here.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys

TTL_FILTER = sys.platform == "linux"
"""
True where the kernel can drop datagrams by their TTL.
"""

ANSWER_TTL = 32
"""
The TTL of answers.  Systems send with 64 (RFC 1700), 128 or 255, and paths through the
Internet are shorter than 32 hops: traceroute gives up after 30.
"""

SO_ATTACH_FILTER = 26

_HEADER = 0xFFF00000
"""
C{SKF_NET_OFF}: the offset of the IP header, for a filter.
"""

_LOAD, _AND, _JUMP, _IF_EQUAL, _IF_GREATER, _RETURN = 0x30, 0x54, 0x05, 0x15, 0x25, 0x06

_PROGRAM = [
    (_LOAD, 0, 0, _HEADER),
    (_AND, 0, 0, 0xF0),
    # A dual-stack socket receives both versions.
    (_IF_EQUAL, 2, 0, 0x60),
    (_LOAD, 0, 0, _HEADER + 8),  # time to live
    (_JUMP, 0, 0, 1),
    (_LOAD, 0, 0, _HEADER + 7),  # hop limit
    (_IF_GREATER, 0, 1, ANSWER_TTL),
    (_RETURN, 0, 0, 0xFFFFFFFF),
    (_RETURN, 0, 0, 0),
]
"""
C{struct sock_filter}: code, jump if true, jump if false, operand.
"""


def useAnswerTTL(skt: socket.socket, supported: bool = TTL_FILTER) -> None:
    """
    Make a UDP socket send with L{ANSWER_TTL}, and drop datagrams that arrive with it
    or less.

    @param supported: L{False} to do nothing.
    """
    if not supported:
        return
    if skt.family == socket.AF_INET6:
        skt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ANSWER_TTL)
    skt.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ANSWER_TTL)
    code = b"".join(struct.pack("@HBBI", *step) for step in _PROGRAM)
    memory = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(_PROGRAM), ctypes.addressof(memory))
    skt.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)
