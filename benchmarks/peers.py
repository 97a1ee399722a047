"""
Servers in Python with which echod is compared: C{peers.py
uvloop|asyncio|twisted|greeting|article PORT}.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from threading import Thread


class Echo(asyncio.Protocol):
    """
    As bare as it gets.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Keep the transport.
        """
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """
        Return what came.
        """
        self.transport.write(data)


async def serve(port: int) -> None:
    """
    Serve on the loop that runs.
    """
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def onUVLoop(port: int) -> None:
    """
    A bare protocol on uvloop.
    """
    import uvloop

    uvloop.run(serve(port))


def onAsyncio(port: int) -> None:
    """
    The same on asyncio's own loop.
    """
    asyncio.run(serve(port))


def twisted(port: int) -> None:
    """
    Stock Twisted: lines, and datagrams.
    """
    from twisted.internet import reactor
    from twisted.internet.protocol import DatagramProtocol, Factory
    from twisted.protocols.basic import LineReceiver

    class Lines(LineReceiver):
        delimiter = b"\n"
        MAX_LENGTH = 1 << 20

        def lineReceived(self, line: bytes) -> None:
            self.sendLine(line)

    class Datagrams(DatagramProtocol):
        def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
            self.transport.write(datagram, addr)

    reactor.listenTCP(port, Factory.forProtocol(Lines), 4096, "127.0.0.1")
    reactor.listenUDP(port, Datagrams(), "127.0.0.1")
    reactor.run()


def greeting(port: int) -> None:
    """
    Stock Twisted: a greeting.
    """
    from twisted.internet import reactor
    from twisted.internet.protocol import Factory, Protocol

    class Greeting(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(b"Thank you for connecting\r\n")
            self.transport.loseConnection()

    reactor.listenTCP(port, Factory.forProtocol(Greeting), 4096, "127.0.0.1")
    reactor.run()


def article(port: int) -> None:
    """
    A thread for each connection, as in the article.
    """
    server = socket.create_server(("127.0.0.1", port), backlog=4096)

    def session(client: socket.socket) -> None:
        while data := client.recv(2048):
            client.sendall(data)

    while True:
        client, _ = server.accept()
        Thread(target=session, args=(client,), daemon=True).start()


if __name__ == "__main__":
    {
        "uvloop": onUVLoop,
        "asyncio": onAsyncio,
        "twisted": twisted,
        "greeting": greeting,
        "article": article,
    }[sys.argv[1]](int(sys.argv[2]))
