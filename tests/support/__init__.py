"""
The common parts of all tests: missing programs, transports in memory, and sessions.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from unittest import SkipTest

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress, ISSLTransport, ITCPTransport
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, capturedLogs, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface, alsoProvides

from echod.limits.capacity import Limits
from echod.tcp.factory import SessionFactory
from echod.tcp.session import Session
from tests.story.programs import PATH, missing

CHECKOUT = Path(__file__).parent.parent.parent

MEASURED = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}
"""
For the processes that tests start: with this checkout, installed or not.
"""

ENVIRONMENT = {name: value for name, value in MEASURED.items() if "COVERAGE" not in name}
"""
For processes whose coverage is not measured: they start faster.
"""

NO_NUMBERS = (
    *("", "-1", "+5", "1_0", " 5", "5 ", "5\n", "0x10", "1e3", "1..2", ".", "nan", "inf"),
    # Digits of another script, and one that is no decimal digit.
    *("\N{ARABIC-INDIC DIGIT FIVE}", "\N{SUPERSCRIPT TWO}"),
    # More than can be counted, more than a float holds, and more than int() reads.
    *("9" * 33, "9" * 400, "9" * 5000),
)
"""
Texts that are no numbers of an option, though Python reads most of them as numbers.
"""


def lacking(part: str) -> NoReturn:
    """
    Skip the test that is running, because it needs a program, a package or a right
    that is not there.  With C{CI} in the environment, fail instead: there everything
    has to be there.
    """
    if os.environ.get("CI"):
        raise AssertionError(f"needs {part}, which CI must have")
    raise SkipTest(f"needs {part}")


def needs(*programs: str) -> None:
    """
    Skip the test that is running where a program is not installed.
    """
    if names := missing(*programs):
        lacking(", ".join(names))


def program(name: str) -> str:
    """
    @return: The path of a program that the test needs; see L{needs}.
    """
    needs(name)
    path = shutil.which(name, path=PATH)
    assert path is not None
    return path


def temporaryDirectory(test: SynchronousTestCase) -> Path:
    """
    @return: A new directory, far from this checkout, for one test.
    """
    directory = TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    return Path(directory.name)


UNTIMED = Limits(idleTimeout=0)
"""
For tests that check all timers of the clock.
"""

PEER = IPv4Address("TCP", "192.0.2.1", 40000)


class MemoryTransport(StringTransport):
    """
    A transport in memory that reports the end of the connection to its protocol.
    """

    claims: type[Interface] | None = None

    def __init__(self, protocol: Session, peer: IAddress = PEER) -> None:
        super().__init__(peerAddress=peer)
        self.protocol = protocol
        self.aborted = False
        if self.claims is not None:
            alsoProvides(self, self.claims)
        protocol.makeConnection(self)

    def unregisterProducer(self) -> None:
        """
        Forget the producer.  As with real transports, a second call is no mistake.
        """
        self.producer = None

    def abortConnection(self) -> None:
        """
        Lose the connection.
        """
        self.aborted = True
        self.protocol.connectionLost(Failure(ConnectionLost()))

    def connectionDone(self) -> None:
        """
        Report that the connection was closed cleanly.
        """
        self.protocol.connectionLost(Failure(ConnectionDone()))


class MemoryTCPTransport(MemoryTransport):
    """
    A transport that can be half-closed.
    """

    claims = ITCPTransport
    noDelay = False
    writeClosed = False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """
        Record the option.
        """
        self.noDelay = enabled

    def loseWriteConnection(self) -> None:
        """
        Close the sending side.  The test reports it to the protocol.
        """
        self.writeClosed = True


class MemoryTLSTransport(MemoryTCPTransport):
    """
    A TLS transport: it has the method of a half-close, as the TCP transport below it has.
    """

    claims = ISSLTransport


class SinkFactory(SessionFactory):
    """
    Builds sessions that discard everything.
    """

    protocol = Session
    service = "sink"


def connect(
    factory: SessionFactory,
    transport: type[MemoryTransport] = MemoryTCPTransport,
    address: IAddress = PEER,
) -> tuple[Any, Any]:
    """
    @return: A new session of the factory, and its transport.
    """
    session = factory.buildProtocol(address)
    assert isinstance(session, Session)
    return session, transport(session)


def clock() -> Any:
    """
    @return: A L{Clock}, typed as any reactor.
    """
    return Clock()


@contextmanager
def logged() -> Iterator[list[str]]:
    """
    Collect the lines that are logged.
    """
    lines: list[str] = []
    with capturedLogs() as events:
        yield lines
    lines.extend(map(formatEvent, events))


def fields(event: LogEvent, *names: str) -> dict[str, object]:
    """
    @return: Some of the fields of a log event.
    """
    return {name: event[name] for name in names}


class FakeSocket:
    """
    A UDP socket in memory.

    @ivar queue: The results of the next calls of C{recvmsg}; errors are raised.

    @ivar sent: The arguments of C{sendmsg} and C{sendto}.

    @ivar options: The values of the options that were set, by level and number.

    @ivar lacking: The level and the number of each option that this system lacks.
    """

    def __init__(self, family: socket.AddressFamily = socket.AF_INET) -> None:
        self.family = family
        self.queue: list[Any] = []
        self.sent: list[Any] = []
        self.options: dict[tuple[int, int], int] = {}
        self.lacking: Container[tuple[int, int]] = ()
        self.bound: Any = None

    def setsockopt(self, level: int, number: int, value: int) -> None:
        """
        Set an option.
        """
        if (level, number) in self.lacking:
            raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        self.options[level, number] = value

    def getsockopt(self, level: int, number: int) -> int:
        """
        @return: The value of an option; 0 if it was not set.
        """
        if (level, number) in self.lacking:
            raise OSError(errno.ENOPROTOOPT, os.strerror(errno.ENOPROTOOPT))
        return self.options.get((level, number), 0)

    def bind(self, address: Any) -> None:
        """
        Record the address.
        """
        self.bound = address

    def getsockname(self) -> Any:
        """
        @return: The address.
        """
        return self.bound

    def fileno(self) -> int:
        """
        @return: An invalid descriptor.
        """
        return -1

    def recvmsg(self, size: int, space: int) -> Any:
        """
        @return: The next result in the queue.
        """
        if not self.queue:
            raise BlockingIOError
        result = self.queue.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def sendmsg(self, *arguments: Any) -> None:
        """
        Record what is sent.
        """
        self.sent.append(arguments)

    def sendto(self, *arguments: Any) -> None:
        """
        Record what is sent.
        """
        self.sent.append(arguments)


def turn(reactor: Any) -> None:
    """
    Let a reactor make one turn.  As with a real one, calls that are scheduled during the
    turn wait for the next turn, even if they are due.
    """
    for call in [call for call in reactor.calls if call.getTime() <= reactor.seconds()]:
        reactor.calls.remove(call)
        call.called = 1
        call.func(*call.args, **call.kw)


DEADLINE = 30
"""
How long a call that must not block may take, in seconds, before its test fails.
"""


@contextmanager
def deadline() -> Iterator[None]:
    """
    Have the test fail if what it calls blocks.
    """

    def fail(*_: object) -> NoReturn:
        raise AssertionError(f"blocks for more than {DEADLINE} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(DEADLINE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
