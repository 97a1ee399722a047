"""
Tests for L{echod.testing}.
"""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.testing import StringTransport
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase, TestCase

from echod.testing import EchodMixin, MemoryConnection, MemoryDatagrams, MemoryStream
from tests.support.protocols import RecordingProtocol


class DatagramClient(DatagramProtocol):
    """
    A client that sends one datagram.

    @ivar answer: Fires with the first datagram that comes back.
    """

    def __init__(self, address: tuple[str, int]) -> None:
        self.answer: Deferred[bytes] = Deferred()
        self._address = address

    def startProtocol(self) -> None:
        """
        Send the datagram.
        """
        assert self.transport is not None
        self.transport.write(b"there and back", self._address)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        """
        Report the answer.
        """
        self.answer.callback(datagram)


class MixinTests(EchodMixin, TestCase):
    """
    Tests for L{EchodMixin}.  They also show what a real socket sees of impaired
    connections.
    """

    timeout = 30

    async def talk(self, address: tuple[str, int], message: bytes = b"") -> RecordingProtocol:
        """
        Connect a client and let it send a message.
        """
        client = RecordingProtocol()
        endpoint = TCP4ClientEndpoint(reactor, *address)
        await connectProtocol(endpoint, client)
        assert client.transport is not None
        client.transport.write(message)
        return client

    async def test_three(self) -> None:
        """
        The mixin starts all three servers, with the options given.
        """
        echod = self.echod("--greeting-text", "Hello")
        greeted = await self.talk(echod.greeting)
        client = await self.talk(echod.tcp, b"there and back\nbye\n")
        datagrams = DatagramClient(echod.udp)
        port = reactor.listenUDP(0, datagrams)  # type: ignore[attr-defined]
        self.assertEqual(await datagrams.answer, b"there and back")
        await port.stopListening()
        await gatherResults([greeted.lost, client.lost])
        self.assertEqual(greeted.received, b"Hello\r\n")
        self.assertEqual(client.received, b"there and back\n")

    async def test_clean(self) -> None:
        """
        The end of the test cuts connections that are still open or delayed.
        """
        echod = self.echod("--impair", "delay=2min")
        clients = [await self.talk(echod.tcp, b"x" * 100000) for _ in range(3)]
        await echod.stop()
        for client in clients:
            self.assertIs(await client.lost, ConnectionLost)

    async def test_pieces(self) -> None:
        """
        A real client receives a message in several pieces.
        """
        echod = self.echod("--impair", "pieces=1-3")
        client = await self.talk(echod.tcp, b"How are you?\nbye\n")
        await client.lost
        self.assertEqual(client.received, b"How are you?\n")
        self.assertTrue(len(client.pieces) > 1, client.pieces)

    async def test_close(self) -> None:
        """
        C{close-after} sends a real client so many bytes, and then closes.
        """
        echod = self.echod("--impair", "close-after=100kB")
        client = await self.talk(echod.tcp, b"x" * 300000)
        self.assertIs(await client.lost, ConnectionDone)
        self.assertEqual(len(client.received), 100000)

    async def test_reset(self) -> None:
        """
        C{reset-after} sends a real client so many bytes, and then resets.
        """
        echod = self.echod("--impair", "reset-after=5B")
        client = await self.talk(echod.tcp, b"abcdefgh")
        self.assertIs(await client.lost, ConnectionLost)
        self.assertEqual(client.received, b"abcde")

    async def test_refuse(self) -> None:
        """
        A real client that is refused receives nothing.
        """
        echod = self.echod("--impair", "refuse=100%")
        try:
            client = await self.talk(echod.tcp, b"x")
        except ConnectError:
            # The reset may arrive before the client knows that it was connected.
            return
        await client.lost
        self.assertEqual(client.pieces, [])

    def test_nonsense(self) -> None:
        """
        A wrong option raises C{UsageError}.
        """
        self.assertRaises(UsageError, self.echod, "--impair", "drop=1")


class MemoryTests(SynchronousTestCase):
    """
    Tests for the connections in memory.
    """

    def test_connection(self) -> None:
        """
        A client over C{iosim} receives everything back, in the pieces and after the
        delay that were asked for.
        """
        client = RecordingProtocol()
        connection = MemoryConnection(client, "--impair", "delay=50ms,pieces=1-3,seed=7")
        assert client.transport is not None
        client.transport.write(b"How are you?")
        connection.advance(0.049)
        self.assertEqual(client.pieces, [])
        connection.advance(1)
        self.assertEqual(client.received, b"How are you?")
        self.assertTrue(max(map(len, client.pieces)) <= 3)
        client.transport.loseConnection()
        connection.advance(0)
        self.assertIs(self.successResultOf(client.lost), ConnectionDone)

    def test_reset(self) -> None:
        """
        A client over C{iosim} sees a reset as C{ConnectionLost}.
        """
        client = RecordingProtocol()
        connection = MemoryConnection(client, "--impair", "reset-after=2B")
        assert client.transport is not None
        client.transport.write(b"abc")
        connection.advance(0.1)
        self.assertEqual(client.pieces, [b"ab"])
        self.assertIs(self.successResultOf(client.lost), ConnectionLost)

    def test_stringTransport(self) -> None:
        """
        A client with a C{StringTransport} receives in pieces what it has sent, until
        its goodbye ends the stream.
        """
        client = RecordingProtocol()
        transport = StringTransport()
        client.makeConnection(transport)
        transport.write(b"How are you?")
        stream = MemoryStream("--impair", "pieces=5")
        for piece in stream.send(transport.value()):
            client.dataReceived(piece)
        self.assertEqual(client.pieces, [b"How a", b"re yo", b"u?"])
        self.assertIsNone(stream.ended)
        self.assertEqual(stream.send(b"Fine!\nbye\n"), [b"Fin", b"e!\n"])
        self.assertIsInstance(stream.ended, ConnectionDone)

    def test_longStream(self) -> None:
        """
        A long stream comes back completely, also in many small pieces.
        """
        pieces = MemoryStream("--impair", "pieces=1-3").send(b"x" * 5000, seconds=3)
        self.assertEqual(b"".join(pieces), b"x" * 5000)

    def test_streamReset(self) -> None:
        """
        The stream tells that it was reset.
        """
        stream = MemoryStream("--impair", "reset-after=2B")
        self.assertEqual(stream.send(b"abc"), [b"ab"])
        self.assertIsInstance(stream.ended, ConnectionLost)

    def test_datagrams(self) -> None:
        """
        Datagrams come back, as the impairments say.
        """
        datagrams = MemoryDatagrams()
        self.assertEqual(datagrams.send(b"a", b"b"), [b"a", b"b"])
        datagrams = MemoryDatagrams("--impair", "duplicate=100%,delay=2s")
        self.assertEqual(datagrams.send(b"a"), [])
        self.assertEqual(datagrams.send(seconds=1), [b"a", b"a"])

    def test_seed(self) -> None:
        """
        Two runs with the same seed have the same result; another seed has another.
        """

        def wire(seed: int) -> tuple[list[bytes], list[bytes]]:
            stream = MemoryStream("--impair", f"pieces=1-7,seed={seed}")
            datagrams = MemoryDatagrams("--impair", f"drop=50%,seed={seed}")
            return stream.send(b"x" * 100), datagrams.send(*(bytes([n]) for n in range(100)))

        self.assertEqual(wire(7), wire(7))
        first, second = wire(7), wire(8)
        self.assertNotEqual(first[0], second[0])
        self.assertNotEqual(first[1], second[1])
