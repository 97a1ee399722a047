"""
echod for the tests of Twisted clients: in the reactor of the test, on real sockets, or
in memory.  For pytest there is a fixture, see L{pytest_echod}.

Each class takes the options of C{twistd echod}: C{"--no-goodbye"}, C{"--impair",
"pieces=1-3,seed=7"}.  A wrong option raises
L{UsageError<twisted.python.usage.UsageError>}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IProtocol, IReactorCore
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect

from echod.config.config import SERVERS
from echod.net.addresses import LOOPBACK
from echod.service.echoservice import EchoService
from echod.tap import Options, makeService

__all__ = ["PEER", "Echod", "EchodMixin", "MemoryConnection", "MemoryDatagrams", "MemoryStream"]

PEER = IPv4Address("TCP", "192.0.2.1", 40000)
"""
The address of a client in memory: one for documentation (RFC 5737).
"""

FREE = f"{LOOPBACK}:0"
"""
Any free port.  Tests get one socket for each server, with any names of the machine.
"""

STEP = 0.001
"""
Time in memory moves in steps of so many seconds: the precision of real timers.
"""


class Echod:
    """
    An echod in the reactor of a test.

    @ivar greeting: The address of the TCP greeting: (host, port).

    @ivar tcp: The address of the TCP echo.

    @ivar udp: The address of the UDP echo.
    """

    def __init__(self, service: EchoService) -> None:
        self._service = service
        ports: list[Any] = [listening.port for listening in service.listening[:3]]
        hosts = [port.getHost() for port in ports]
        self.greeting, self.tcp, self.udp = ((host.host, host.port) for host in hosts)

    def stop(self) -> Deferred[None]:
        """
        Stop the servers and cut all connections.

        @return: Fires when this is done.
        """
        stopped = self._service.stopService()
        self._service.abort()
        return stopped


class EchodMixin:
    """
    For a L{twisted.trial.unittest.TestCase} with clients on real sockets.
    """

    addCleanup: Callable[..., None]

    def echod(self, *options: str, reactor: IReactorCore | None = None) -> Echod:
        """
        Start an echod in the reactor of the test.  When the test ends, echod stops and
        leaves nothing in the reactor.

        @param options: Options of C{twistd echod}.  They may add servers; the
            addresses of the result remain those of the first three.
        """
        served = [f"--{server}={FREE}" for server in SERVERS]
        service = _service(reactor, *served, *options)
        service.startService()
        echod = Echod(service)
        self.addCleanup(echod.stop)
        return echod


class _ServerTransport(FakeTransport):
    """
    The server's end of a simulated connection.  The client sees a reset as one.
    """

    other: FakeTransport

    def loseWriteConnection(self) -> None:
        # C{iosim} has no half-closed connections.
        self.loseConnection()

    def abortConnection(self) -> None:
        self.other.disconnectReason = ConnectionLost()  # type: ignore[assignment]
        super().abortConnection()


class MemoryConnection:
    """
    A client that is connected to a TCP echo in memory.

    @ivar clock: The clock of the server; the client may use it as well.
    """

    def __init__(self, client: IProtocol, *options: str) -> None:
        """
        Connect the client.

        @param options: Options of C{twistd echod}.
        """
        self.clock, factory = _inMemory("--tcp", *options)
        server = factory.buildProtocol(PEER)
        serverEnd = _ServerTransport(server, True, peerAddress=PEER)
        serverEnd.other = FakeTransport(client, False, hostAddress=PEER)
        self._network = connect(server, serverEnd, client, serverEnd.other, clock=self.clock)

    def advance(self, seconds: float) -> None:
        """
        Let time pass, and deliver the data that is sent in this time.
        """
        self._network.flush()
        for _ in _steps(self.clock, seconds):
            self._network.flush()


class _Recorder(Protocol):
    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class MemoryStream:
    """
    A TCP echo in memory, for a client that has a C{StringTransport}: bytes in, bytes
    out.

    @ivar ended: The reason why the connection ended, or L{None}.
    """

    ended: BaseException | None = None

    def __init__(self, *options: str) -> None:
        """
        @param options: Options of C{twistd echod}.
        """
        self._client = _Recorder()
        self._connection = MemoryConnection(self._client, *options)

    def send(self, data: bytes, seconds: float = 1.0) -> list[bytes]:
        """
        Send data and let time pass.

        @return: The data that came back in this time, also for earlier data: one element for
            each call of C{dataReceived}.
        """
        assert self._client.transport is not None
        self._client.transport.write(data)
        self._connection.advance(seconds)
        if self._client.reason is not None:
            self.ended = self._client.reason.value
        pieces, self._client.pieces = self._client.pieces, []
        return pieces


class _DatagramTransport:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, datagram: bytes, addr: tuple[str, int]) -> None:
        self.sent.append(datagram)

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", "127.0.0.1", 8080)


class MemoryDatagrams:
    """
    A UDP echo in memory: datagrams in, datagrams out.
    """

    def __init__(self, *options: str) -> None:
        """
        @param options: Options of C{twistd echod}.
        """
        self.clock, self._protocol = _inMemory("--udp", *options)
        self._transport = _DatagramTransport()
        self._protocol.makeConnection(self._transport)

    def send(self, *datagrams: bytes, seconds: float = 1.0) -> list[bytes]:
        """
        Send datagrams and let time pass.

        @return: The datagrams that came back in this time, also those sent earlier.
        """
        for datagram in datagrams:
            self._protocol.datagramReceived(datagram, (PEER.host, PEER.port))
        for _ in _steps(self.clock, seconds):
            pass
        sent, self._transport.sent = self._transport.sent, []
        return sent


def _steps(clock: Clock, seconds: float) -> Iterator[None]:
    """
    Let time pass in small steps.
    """
    end = clock.seconds() + seconds
    while (left := end - clock.seconds()) > 0:
        clock.advance(min(STEP, left))
        yield


def _service(reactor: IReactorCore | None, *arguments: str) -> EchoService:
    options = Options(reactor)
    options.parseOptions(arguments)
    return makeService(options)


def _inMemory(server: str, *options: str) -> tuple[MemoryReactorClock, Any]:
    """
    @return: A clock, and the factory or protocol of the server.
    """
    clock = MemoryReactorClock()
    (listening,) = _service(clock, server, FREE, *options).listening
    return clock, listening.server
