"""
Clients that send requests without a pause, for tests of what happens to them.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable
from itertools import count
from threading import Event, Thread
from time import monotonic, sleep

from tests.support.daemon import PATIENCE

ANSWERED = "answered"

UDP_PATIENCE = 10.0
"""
How long to wait for a datagram before it counts as lost, in seconds: much longer than
the busiest machine takes.
"""

PID = os.getpid()

HOST = f"127.{1 + (PID >> 16) % 254}.{(PID >> 8) % 256}.{PID % 256}"
"""
A loopback address that nobody else uses: C{systemd-socket-activate} does not say
which free port it has taken, so one is chosen for it.
"""


def freePort(kind: socket.SocketKind) -> int:
    """
    @return: A port that is free on L{HOST}.
    """
    with socket.socket(socket.AF_INET, kind) as skt:
        skt.bind((HOST, 0))
        return int(skt.getsockname()[1])


def wait(condition: Callable[[], object]) -> None:
    """
    Wait until a condition is true.
    """
    deadline = monotonic() + PATIENCE
    while not condition():
        if monotonic() > deadline:
            raise AssertionError("the condition did not become true")
        sleep(0.01)


class Load(Thread):
    """
    Connects again and again, and sends a request each time.

    @ivar outcomes: How often each outcome has happened.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        """
        @param address: The address of the server.
        """
        super().__init__(daemon=True)
        self.address = address
        self.outcomes: Counter[str] = Counter()
        self.enough = Event()
        self.start()

    def stop(self) -> None:
        """
        Stop.
        """
        self.enough.set()
        self.join(PATIENCE)

    def run(self) -> None:
        """
        Send requests until the stop.
        """
        for number in count():
            if self.enough.is_set():
                break
            question = b"question %d" % number
            try:
                answer = self.ask(question)
            except OSError as error:
                self.outcomes[str(error)] += 1
            else:
                self.outcomes[ANSWERED if answer == question else "closed"] += 1

    def ask(self, question: bytes) -> bytes:
        """
        @return: The answer to one request, on a new connection.
        """
        with socket.create_connection(self.address, PATIENCE) as skt:
            skt.sendall(question)
            return skt.recv(100)


class DatagramLoad(Load):
    """
    The same with datagrams, each from another address and port.
    """

    hosts = 0

    def ask(self, question: bytes) -> bytes:
        """
        @return: The answer to one datagram.
        """
        with self.source() as skt:
            skt.settimeout(UDP_PATIENCE)
            skt.connect(self.address)
            skt.send(question)
            return skt.recv(100)

    def source(self) -> socket.socket:
        """
        @return: A socket whose port is not the server's: echod does not answer its own
            ports.
        """
        while True:
            self.hosts = self.hosts % 250 + 1
            skt = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            skt.bind((f"127.0.0.{self.hosts}", 0))
            if skt.getsockname()[1] != self.address[1]:
                return skt
            skt.close()
