"""
Tests for L{echod.tcp.tls}.
"""

from __future__ import annotations

import ssl
from socket import gethostname
from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from echod.impair.spec import ConnectionImpairments
from echod.impair.tcp import ImpairedEchoFactory
from echod.tcp.closing import QUIET, QUIET_CHECKS
from echod.tcp.echo import EchoFactory
from echod.tcp.greeting import GREETING, GreetingFactory
from echod.tcp.session import HANDSHAKE_FAILED
from tests.support import (
    PEER,
    MemoryTCPTransport,
    clock,
    lacking,
    logged,
    temporaryDirectory,
    turn,
)
from tests.support.protocols import RecordingProtocol
from tests.support.tls import TLSClient, makeCertificate

try:
    from OpenSSL import SSL
    from twisted.internet.ssl import PrivateCertificate
    from twisted.protocols.tls import TLSMemoryBIOFactory

    from echod.tcp import tls
except ImportError:
    tls = None  # type: ignore[assignment]


class MemorySocket:
    """
    A client's end of a transport in memory.
    """

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def sendall(self, data: bytes) -> None:
        """
        Deliver to the protocol.
        """
        if data:
            self.transport.protocol.dataReceived(data)

    def recv(self, size: int) -> bytes:
        """
        @return: The bytes that the protocol has written.
        """
        written: bytes = self.transport.value()
        self.transport.clear()
        return written


class AbortedTransport(MemoryTCPTransport):
    """
    A transport that tells of its abortion later, as real ones do.
    """

    def abortConnection(self) -> None:
        """
        Record the call.
        """
        self.aborted = True


class TLSTests(SynchronousTestCase):
    """
    Tests for L{TLSTransport<echod.tcp.tls.TLSTransport>}.
    """

    def setUp(self) -> None:
        if tls is None:
            lacking("pyopenssl")
        self.reactor = clock()

    def connect(
        self,
        wrapped: Factory | None = None,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> TLSClient:
        """
        @return: A client that is connected to a session of a factory: of the
            TCP echo unless another is given.
        """
        self.begin(wrapped or EchoFactory(self.reactor))
        client: Any = MemorySocket(self.transport)
        return TLSClient(client, version)

    def begin(self, wrapped: Factory) -> None:
        """
        Make a connection.
        """
        protocol: Any = self.overTLS(wrapped).buildProtocol(PEER)
        self.transport: Any = AbortedTransport(protocol)

    def overTLS(self, wrapped: Factory) -> TLSMemoryBIOFactory:
        """
        @return: A factory that puts TLS below another.
        """
        pem = makeCertificate(temporaryDirectory(self) / "server.pem").read_bytes()
        factory = TLSMemoryBIOFactory(
            PrivateCertificate.loadPEM(pem).options(), False, wrapped, self.reactor
        )
        tls.useTransport(factory, self.reactor)
        return factory

    def test_echo(self) -> None:
        """
        Data is returned over TLS.
        """
        client = self.connect()
        for word in (b"hello", b"again"):
            client.sendall(word)
            self.reactor.advance(0)
            self.assertEqual(client.recv(10), word)

    def test_greetingWithNames(self) -> None:
        """
        The greeting over TLS names the peer and the machine.
        """
        client = self.connect(GreetingFactory(self.reactor, b"Hello {peer} from {host}"))
        greeting = f"Hello {PEER.host}:{PEER.port} from {gethostname()}"
        self.assertEqual(client.recv(100), greeting.encode())

    def test_end(self) -> None:
        """
        Data that arrives with the peer's closing alert is returned, and so are withheld
        bytes; then the connection is closed, in both versions of TLS.
        """
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = self.connect(version=version)
            client.finish(b"hello\nby")
            self.assertEqual(client.recv(10), b"hello\nby")
            self.assertEqual(client.recv(10), b"")
            self.assertTrue(self.transport.disconnecting)
            self.assertIsNone(self.transport.producer)

    def test_endOfTCP(self) -> None:
        """
        The end of the TCP stream ends the session like a closing alert, and after an
        alert it changes nothing.
        """
        for alert in (False, True):
            client = self.connect()
            client.sendall(b"hello\nby")
            if alert:
                client.finish(b"")
            self.transport.protocol.readConnectionLost()
            self.assertEqual(client.recv(10), b"hello\nby")
            self.assertEqual(client.recv(10), b"")
            self.assertTrue(self.transport.disconnecting)

    def test_endOfTCPInTheHandshake(self) -> None:
        """
        A connection whose stream ends before the handshake has, is lost.
        """
        self.begin(EchoFactory(self.reactor))
        self.transport.protocol.readConnectionLost()
        self.assertTrue(self.transport.aborted)
        self.begin(GreetingFactory(self.reactor))
        self.transport.protocol.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)

    def test_noHandshake(self) -> None:
        """
        A peer that does not come to the end of its handshake is left, whatever
        the session has done meanwhile; one that does has no limit.
        """
        for wrapped in (EchoFactory(self.reactor), GreetingFactory(self.reactor)):
            self.begin(wrapped)
            self.transport.protocol.dataReceived(b"\x16\x03\x01")
            self.reactor.advance(tls.HANDSHAKE_TIMEOUT)
            self.assertTrue(self.transport.aborted)
        self.connect()
        self.reactor.advance(tls.HANDSHAKE_TIMEOUT)
        self.assertFalse(self.transport.aborted)

    def failed(self, wrapped: Factory, *received: bytes) -> str:
        """
        @return: How the log describes the end of a connection that has received some bytes
            instead of a handshake, and was closed.
        """
        self.begin(wrapped)
        for data in received:
            self.transport.protocol.dataReceived(data)
        with logged() as lines:
            self.transport.connectionDone()
        (line,) = lines
        return line.partition(" ended: ")[2].partition("; ")[0]

    def test_failedHandshake(self) -> None:
        """
        A failed handshake is an outcome of its own, and the log says the reason, also if
        the session had written something.
        """
        for received, reason in (
            ([b"GET / HTTP/1.1\r\n\r\n"], "http request"),
            ([b"hello\n"], "wrong version number"),
            # An alert that comes before any handshake.
            ([b"\x15\x03\x01\0\2\2\x30"], "unexpected message"),
            ([b"\x16\x03\x01\0\5\1"], tls.ENDED),
        ):
            for kind in (EchoFactory, GreetingFactory):
                factory = kind(self.reactor)
                end = self.failed(factory, *received)
                self.assertEqual(end, f"{HANDSHAKE_FAILED} ({reason})")
                self.assertEqual(factory.ended.outcomes, {HANDSHAKE_FAILED: 1})

    def test_refusedCertificate(self) -> None:
        """
        The log says that the peer does not trust the certificate.
        """
        factory = EchoFactory(self.reactor)
        self.begin(factory)
        with logged() as lines:
            with self.assertRaises(ssl.SSLCertVerificationError):
                client: Any = MemorySocket(self.transport)
                TLSClient(client, verify=True)
            self.transport.connectionDone()
        self.assertRegex(lines[-1], r"ended: TLS handshake failed \(.*unknown ca\); ")

    def test_lateHandshake(self) -> None:
        """
        A handshake that is not done in time has failed for this reason.
        """
        for received in (b"", b"\x16\x03\x01"):
            for kind in (EchoFactory, GreetingFactory):
                factory = kind(self.reactor)
                self.begin(factory)
                if received:
                    self.transport.protocol.dataReceived(received)
                self.reactor.advance(tls.HANDSHAKE_TIMEOUT)
                self.transport.connectionDone()
                self.assertEqual(factory.ended.outcomes, {HANDSHAKE_FAILED: 1})

    def test_noFailedHandshake(self) -> None:
        """
        A connection that ends before the handshake has begun, or because the service stops,
        is no failed handshake; nor is the end of a session.
        """
        factory = EchoFactory(self.reactor)
        self.failed(factory)
        self.begin(factory)
        self.transport.protocol.dataReceived(b"\x16\x03\x01")
        factory.drain()
        self.reactor.advance(1)
        self.assertTrue(self.transport.aborted)
        self.transport.connectionDone()
        self.connect(factory)
        self.transport.connectionDone()
        self.assertNotIn(HANDSHAKE_FAILED, factory.ended.outcomes)
        self.assertEqual(factory.ended.sessions, 3)

    def test_unknownReason(self) -> None:
        """
        An error without a reason is said to have none that is known.
        """
        for error in (None, OSError(), SSL.Error(), SSL.Error([])):
            self.assertEqual(tls.handshakeError(error), "unknown reason")
        reasons = [("SSL routines", "", "one"), ("SSL routines", "", "two")]
        self.assertEqual(tls.handshakeError(SSL.Error(reasons)), "one, two")

    def test_lostInTheHandshake(self) -> None:
        """
        A connection that is lost before leaves no timer behind, and a port that
        is closed leaves none either.
        """
        self.begin(EchoFactory(self.reactor))
        self.transport.connectionDone()
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        factory = self.overTLS(EchoFactory(self.reactor))
        factory.doStart()
        for _ in range(2):
            protocol: Any = factory.buildProtocol(PEER)
            AbortedTransport(protocol).connectionDone()
        factory.doStop()
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def goodbye(self) -> tuple[TLSClient, Any]:
        """
        @return: A client that has said goodbye, and its session.
        """
        client = self.connect()
        session = self.transport.protocol.wrappedProtocol
        client.sendall(b"a\nbye\n")
        self.assertEqual(client.recv(10), b"a\n")
        self.assertEqual(client.recv(10), b"")
        return client, session

    def test_halfClose(self) -> None:
        """
        After a goodbye the session closes only its side, of TLS and of TCP, and reads on
        until the peer has closed its side.
        """
        client, session = self.goodbye()
        self.assertTrue(self.transport.writeClosed)
        self.transport.protocol.writeConnectionLost()
        client.sendall(b"more")
        self.assertEqual(session.received, 10)
        self.assertFalse(self.transport.disconnecting)
        client.finish(b"")
        self.assertTrue(self.transport.disconnecting)
        self.transport.connectionDone()
        self.reactor.advance(0)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_quietPeer(self) -> None:
        """
        Nor is a peer that never closes waited for for ever.
        """
        self.goodbye()
        self.transport.protocol.writeConnectionLost()
        self.reactor.pump([QUIET / QUIET_CHECKS] * QUIET_CHECKS)
        self.assertTrue(self.transport.disconnecting)

    def test_close(self) -> None:
        """
        C{loseConnection} closes the connection, whether or not the peer closes too.
        """
        client = self.connect()
        self.transport.protocol.unregisterProducer()
        self.transport.protocol.loseConnection()
        self.assertEqual(client.recv(10), b"")
        self.assertTrue(self.transport.disconnecting)

    def test_closedAfterAll(self) -> None:
        """
        C{loseConnection} after this side has closed closes the connection as well.
        """
        self.goodbye()
        self.transport.protocol.loseConnection()
        self.assertTrue(self.transport.disconnecting)

    def test_greeting(self) -> None:
        """
        Data that is written before the handshake ends is sent after it, and so is the end
        of the stream.
        """
        client = self.connect(GreetingFactory(self.reactor))
        self.assertEqual(client.recv(100), GREETING)
        self.assertEqual(client.recv(100), b"")
        self.assertTrue(self.transport.writeClosed)

    def test_otherProtocols(self) -> None:
        """
        For a protocol without half-close, the end of the stream closes the connection.
        """
        client = self.connect(Factory.forProtocol(RecordingProtocol))
        protocol = self.transport.protocol
        protocol.writeConnectionLost()
        client.finish(b"hello")
        self.assertEqual(protocol.wrappedProtocol.received, b"hello")
        self.assertEqual(client.recv(10), b"")
        self.assertTrue(self.transport.disconnecting)

    def test_reset(self) -> None:
        """
        A reset on purpose does not lose data that was written before it, and sends no
        closing alert.
        """
        impairments = ConnectionImpairments.parse("reset-after=5B")
        client = self.connect(ImpairedEchoFactory(self.reactor, impairments=impairments))
        client.sendall(b"abcdefgh")
        turn(self.reactor)
        turn(self.reactor)
        self.assertEqual((client.recv(10), self.transport.aborted), (b"abcde", False))
        turn(self.reactor)
        self.assertEqual((self.transport.aborted, self.transport.value()), (True, b""))

    def test_refused(self) -> None:
        """
        A connection that the factory refuses is refused.
        """

        class Refusing(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        self.assertIsNone(self.overTLS(Refusing()).buildProtocol(PEER))

    def test_interface(self) -> None:
        """
        It hears of TCP's half-closes.
        """
        self.connect()
        self.assertTrue(verifyObject(IHalfCloseableProtocol, self.transport.protocol))
