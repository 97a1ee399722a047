"""
A TCP client that does exactly what it is told, good or bad: a bare socket below
asyncio.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from itertools import count

PATIENCE = 30.0
"""
How long to wait for what is owed, in seconds, before it counts as lost: much
longer than the busiest machine takes.
"""

SOURCES = 200
"""
How many addresses of this machine clients take turns at: the ports of one would
not do for all of them, as each rests for a minute after its use.
"""

IP_BIND_ADDRESS_NO_PORT = 24
"""
Of Linux: choose the port when connecting, not when binding.
"""

_sources = count()


class Client:
    """
    One TCP connection.

    @ivar steps: How often something was sent or received.
    """

    steps = 0

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        self.socket.bind((f"127.0.1.{next(_sources) % SOURCES + 1}", 0))

    async def connect(self) -> Client:
        """
        @return: This, connected.
        """
        await self._loop.sock_connect(self.socket, self._server)
        return self

    async def send(self, data: bytes | memoryview) -> None:
        """
        Send all of it.
        """
        await self._loop.sock_sendall(self.socket, data)
        self.steps += 1

    async def sendWhatFits(self, data: bytes | memoryview, wait: float) -> int:
        """
        Send until nothing more has fitted for so many seconds.

        @return: How many bytes were sent.
        """
        sent = 0
        while sent < len(data):
            try:
                sent += self.socket.send(memoryview(data)[sent : sent + 65536])
            except BlockingIOError:
                if not await self._writable(wait):
                    break
        return sent

    async def receive(self, size: int) -> bytes:
        """
        @return: So many bytes, or fewer if the server ends the stream.
        """
        received = bytearray()
        with contextlib.suppress(ConnectionError):
            while len(received) < size:
                data = await self._loop.sock_recv(
                    self.socket, min(size - len(received), 1 << 18)
                )
                if not data:
                    break
                received += data
                self.steps += 1
        return bytes(received)

    async def receiveAll(self) -> bytes:
        """
        @return: Everything received until the end of the stream.
        """
        return await self.receive(1 << 62)

    def shutdown(self) -> None:
        """
        End the stream of what is sent.
        """
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """
        Close.
        """
        self.socket.close()

    def reset(self) -> None:
        """
        Close in the way that kills what is under way.
        """
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def unacknowledged(self) -> int:
        """
        @return: How many sent bytes have not reached the server's system.
        """
        answer = fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4))
        return int(struct.unpack("i", answer)[0])

    async def _writable(self, wait: float) -> bool:
        ready = asyncio.Event()
        self._loop.add_writer(self.socket, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), wait)
        except asyncio.TimeoutError:
            return False
        finally:
            self._loop.remove_writer(self.socket)
        return True
