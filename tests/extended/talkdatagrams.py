"""
Find out what an echo server does with datagrams, by talking to it.
"""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

from soak.namespaces import forged
from tests.extended.otherservers import (
    ASKED,
    ASKING,
    PORT,
    TIMES,
    Server,
    answers,
    running,
    word,
)

LARGEST = 65507
"""
The largest UDP datagram over IPv4, in bytes.
"""

LOOPS = 100
"""
This number of answers to one datagram is a loop.
"""


def answersFromThere(kind: type[Server]) -> str:
    """
    Does an answer come from the address that was asked?
    """
    with running(kind, "udp"), datagrams() as client:
        client.connect((ASKED, PORT))
        return word(answers(client, 1.0))


def largestDatagram(kind: type[Server]) -> str:
    """
    How many bytes of the largest possible datagram come back?
    """
    with running(kind, "udp"), datagrams() as client:
        size = len(answer(client, bytes(LARGEST)) or b"")
    return "yes" if size == LARGEST else f"{size:,}"


def emptyDatagram(kind: type[Server]) -> str:
    """
    Does an empty datagram come back, and is the server there afterwards?
    """
    with running(kind, "udp"), datagrams() as client:
        return word(answer(client, b"") == b"" and answer(client, b"hello") == b"hello")


def answer(client: socket.socket, datagram: bytes) -> bytes | None:
    """
    @return: The answer to a datagram, at one of several attempts: xinetd takes
        no notice of one now and then.
    """
    client.connect((ASKING, PORT))
    for _ in range(TIMES):
        with suppress(OSError):
            client.send(datagram)
            return client.recv(LARGEST)
    return None


def guarded(kind: type[Server]) -> str:
    """
    Does one forged datagram not make a loop?
    """
    with (
        running(kind, "udp"),
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw,
    ):
        there, here = (socket.inet_aton(host) for host in (ASKED, ASKING))
        raw.sendto(forged((there, PORT), (here, PORT), b"forged"), (ASKING, 0))
        before = received()
        time.sleep(1.0)
        return word(received() - before < LOOPS)


def received() -> int:
    """
    @return: How many datagrams have been delivered to anybody.
    """
    lines = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index("InDatagrams")])


def datagrams() -> socket.socket:
    """
    @return: A client's socket.
    """
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((ASKING, 0))
    client.settimeout(2.0)
    return client
