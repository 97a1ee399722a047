"""
Find out what an echo server does with connections, by talking to it.
"""

from __future__ import annotations

import os
import signal
import socket
import ssl
import struct
import time
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from tempfile import TemporaryDirectory
from termios import TIOCOUTQ
from threading import Thread

from tests.extended.otherservers import (
    ASKED,
    ASKING,
    PATIENCE,
    TIMES,
    Server,
    answers,
    connected,
    running,
    word,
)
from tests.support.tls import makeCertificate

STREAM = bytes(range(256)) * 16384
"""
Four megabytes: more than the system's buffers take.
"""

MOST_UNREAD = 64 << 20
"""
A server that takes this many bytes from a peer that does not read takes any number.
"""

CLIENTS = 1000


def afterHalfClose(kind: type[Server]) -> str:
    """
    Does all come back to a peer that has shut down its sending side?
    """
    with running(kind, "tcp"):
        return word(all(comesBack() for _ in range(TIMES)))


def comesBack() -> bool:
    """
    @return: True if all data that is sent before a half-close comes back.
    """
    with connected() as client:

        def send() -> None:
            with suppress(OSError):
                client.sendall(STREAM)
                client.shutdown(socket.SHUT_WR)

        sender = Thread(target=send)
        sender.start()
        # The data in the buffers is still to be sent.
        time.sleep(0.5)
        came = bytearray()
        with suppress(OSError):
            while data := client.recv(1 << 16):
                came += data
        client.close()
        sender.join()
    return came == STREAM


def boundedMemory(kind: type[Server]) -> str:
    """
    Is a peer that does not read, not read from?
    """
    with running(kind, "tcp"), connected() as client:
        return word(sendable(client) < MOST_UNREAD)


def clientsAtOnce(kind: type[Server]) -> str:
    """
    How many of a thousand clients, connected one after the other, are served?
    """
    served: list[socket.socket] = []
    with running(kind, "tcp"):
        with suppress(OSError):
            while len(served) < CLIENTS:
                served.append(connected())
                if not answers(served[-1], 2.0):
                    served.pop().close()
                    break
        for client in served:
            client.close()
    return "yes" if len(served) == CLIENTS else str(len(served))


def limited(kind: type[Server]) -> str:
    """
    Can the number of connections be limited?
    """
    return thirdIsRefused(kind, kind.limited)


def limitedPerSource(kind: type[Server]) -> str:
    """
    Can it be limited for each address?
    """
    return thirdIsRefused(kind, kind.perSource)


def thirdIsRefused(kind: type[Server], options: tuple[str, ...] | None) -> str:
    """
    @return: "yes" if two connections are served, and a third one is not.
    """
    if options is None:
        return "no"
    with running(kind, "tcp", options), connected() as first, connected() as second:
        assert answers(first)
        assert answers(second)
        with connected() as third:
            return word(not answers(third, 1.0))


def endsTheIdle(kind: type[Server]) -> str:
    """
    Can a connection be ended that says nothing?
    """
    if kind.impatient is None:
        return "no"
    with running(kind, "tcp", kind.impatient), connected() as client:
        assert answers(client)
        with suppress(TimeoutError):
            return word(client.recv(1) == b"")
    return "no"


def speaksTLS(kind: type[Server]) -> str:
    """
    Can it speak TLS?
    """
    if kind.encrypted is None:
        return "no"
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with TemporaryDirectory() as directory:
        pem = makeCertificate(Path(directory) / "both.pem")
        options = tuple(option.format(pem=pem) for option in kind.encrypted)
        with running(kind, "tcp", options), context.wrap_socket(connected()) as client:
            return word(answers(client))


def stopped(kind: type[Server]) -> str:
    """
    Does SIGTERM take nothing from a peer that the server's system had accepted?
    """
    return word(all(sentDespiteStop(kind) for _ in range(TIMES)))


def sentDespiteStop(kind: type[Server]) -> bool:
    """
    @return: True if all data from before the stop comes back.
    """
    with running(kind, "tcp") as pid, connected() as client:
        sent = sendable(client)
        accepted = sent - unacknowledged(client)
        client.settimeout(PATIENCE)
        os.kill(pid, signal.SIGTERM)
        came = 0
        with suppress(OSError):
            while came < accepted and (data := client.recv(1 << 16)):
                came += len(data)
    return came >= accepted


def exclusive(kind: type[Server]) -> str:
    """
    Can it serve some networks, and nobody else?
    """
    if kind.exclusive is None:
        return "no"
    with running(kind, "tcp", kind.exclusive):
        with connected(ASKED) as client:
            assert answers(client)
        with connected(ASKING) as client:
            return word(not answers(client, 1.0))


def sendable(client: socket.socket) -> int:
    """
    @return: How much could be sent until there was no room any more.
    """
    client.settimeout(1.0)
    sent = 0
    with suppress(TimeoutError):
        while sent < MOST_UNREAD:
            sent += client.send(STREAM)
    return sent


def unacknowledged(client: socket.socket) -> int:
    """
    @return: How many bytes are still to be received by the system of the server.
    """
    (number,) = struct.unpack("i", ioctl(client, TIOCOUTQ, bytes(4)))
    return int(number)
