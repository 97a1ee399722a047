"""
echod for the tests of Twisted clients: in the test's own reactor, on real sockets,
or all in memory.  For tests in pytest there is a fixture, L{pytest_echod}.

All of it takes the options of C{twistd echod}: C{"--no-goodbye"}, C{"--impair",
"pieces=1-3,seed=7"}.  What makes no sense in them is a C{UsageError}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect

from echod.service.echoservice import EchoService
from echod.service.listening import ListeningService
from echod.tap import Options, makeService

__all__ = [
    "PEER",
    "Echod",
    "EchodMixin",
    "MemoryConnection",
    "MemoryDatagrams",
    "MemoryStream",
]

PEER = IPv4Address("TCP", "192.0.2.1", 40000)
"""
Who a client in memory is: an address for documentation (RFC 5737).
"""

STEP = 0.001
"""
How far time moves at once in memory, in seconds: what real timers can tell.
"""

Address = tuple[str, int]


class Echod:
    """
    An echod in the reactor of a test.
    """

    def __init__(self, service: EchoService) -> None:
        self._service = service

    @property
    def greeting(self) -> Address:
        """
        Where the TCP greeting listens.
        """
        return self._address(0)

    @property
    def tcp(self) -> Address:
        """
        Where the TCP echo listens.
        """
        return self._address(1)

    @property
    def udp(self) -> Address:
        """
        Where the UDP echo listens.
        """
        return self._address(2)

    def stop(self) -> Deferred[None]:
        """
        End it, and whatever it has to do with anybody.

        @return: Fires when it has.
        """
        stopped = self._service.stopService()
        self._service.abort()
        return stopped

    def _address(self, index: int) -> Address:
        listening: ListeningService[Any] = list(self._service)[index]
        host: Any = listening.port and listening.port.getHost()
        return host.host, host.port


class EchodMixin:
    """
    For a L{twisted.trial.unittest.TestCase} with clients on real sockets.
    """

    addCleanup: Callable[..., None]

    def echod(self, *options: str, reactor: Any = None) -> Echod:
        """
        Start an echod in the reactor of the test.  It ends with the test, and
        nothing of it is left in the reactor.

        @param options: Those of C{twistd echod}.  A C{--tcp} and the like are
            served as well, but are not what the result names.
        """
        service = _service(reactor, "--greeting", "0", "--tcp", "0", "--udp", "0", *options)
        service.startService()
        echod = Echod(service)
        self.addCleanup(echod.stop)
        return echod


class _ServerTransport(FakeTransport):
    """
    The end of a simulated connection that keeps apart what was written apart, and
    of which a reset is seen as one.
    """

    other: FakeTransport

    def getOutBuffer(self) -> Any:
        """
        @return: What was written at once.
        """
        return self.stream.pop(0) if self.stream else None

    def loseWriteConnection(self) -> None:
        """
        Close: there are no half-closed connections here.
        """
        self.loseConnection()

    def abortConnection(self) -> None:
        """
        Reset the connection.
        """
        reason: Any = ConnectionLost()
        self.other.disconnectReason = reason
        super().abortConnection()


class MemoryConnection:
    """
    A client and a TCP echo that are connected in memory.

    @ivar clock: Tells the time, and moves it on; it may be the client's as well.
    """

    def __init__(self, client: IProtocol, *options: str) -> None:
        """
        @param client: Is connected at once.

        @param options: Those of C{twistd echod}.
        """
        self.clock, factory = _inMemory("--tcp", *options)
        server = factory.buildProtocol(PEER)
        serverEnd = _ServerTransport(server, True, peerAddress=PEER)
        serverEnd.other = FakeTransport(client, False, hostAddress=PEER)
        self._network = connect(server, serverEnd, client, serverEnd.other, clock=self.clock)

    def advance(self, seconds: float) -> None:
        """
        Let time pass, and everything happen that happens meanwhile.
        """
        self._network.flush()
        for _ in _passing(self.clock, seconds):
            self._network.flush()


class _Recorder(Protocol):
    """
    A client that takes note of everything.
    """

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class MemoryStream:
    """
    A TCP echo for a client that has a C{StringTransport}: bytes in, bytes out.

    @ivar ended: Why the connection has ended, or L{None}.
    """

    ended: Exception | None = None

    def __init__(self, *options: str) -> None:
        """
        @param options: Those of C{twistd echod}.
        """
        self._client = _Recorder()
        self._connection = MemoryConnection(self._client, *options)

    def send(self, data: bytes, seconds: float = 1.0) -> list[bytes]:
        """
        @return: What comes back for this and from before, within so many seconds:
            the calls of C{dataReceived} to be made.
        """
        assert self._client.transport is not None
        self._client.transport.write(data)
        self._connection.advance(seconds)
        if self._client.reason is not None:
            self.ended = self._client.reason.value  # type: ignore[assignment]
        pieces, self._client.pieces = self._client.pieces, []
        return pieces


class _DatagramTransport:
    """
    Where answers go.
    """

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, datagram: bytes, addr: Address) -> None:
        self.sent.append(datagram)

    def getHost(self) -> IPv4Address:
        return IPv4Address("UDP", "127.0.0.1", 8080)


class MemoryDatagrams:
    """
    A UDP echo in memory: datagrams in, datagrams out.
    """

    def __init__(self, *options: str) -> None:
        """
        @param options: Those of C{twistd echod}.
        """
        self.clock, self._protocol = _inMemory("--udp", *options)
        self._transport = _DatagramTransport()
        self._protocol.makeConnection(self._transport)

    def send(self, *datagrams: bytes, seconds: float = 1.0) -> list[bytes]:
        """
        @return: What comes back for these and from before, within so many seconds.
        """
        for datagram in datagrams:
            self._protocol.datagramReceived(datagram, (PEER.host, PEER.port))
        for _ in _passing(self.clock, seconds):
            """Answers come of themselves."""
        sent, self._transport.sent = self._transport.sent, []
        return sent


def _passing(clock: Any, seconds: float) -> Iterator[None]:
    """
    Let time pass, in small steps.
    """
    end = clock.seconds() + seconds
    while (left := end - clock.seconds()) > 0:
        clock.advance(min(STEP, left))
        yield


def _service(reactor: Any, *arguments: str) -> EchoService:
    options = Options(reactor)
    options.parseOptions(arguments)
    return makeService(options)


def _inMemory(server: str, *options: str) -> tuple[Any, Any]:
    """
    @return: A clock, and what listens.
    """
    clock = MemoryReactorClock()
    (listening,) = _service(clock, server, "0", *options)
    return clock, listening.server
