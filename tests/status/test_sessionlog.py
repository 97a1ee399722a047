"""
Tests for the session log: L{echod.status.sessionlog}, L{echod.status.appendfile}
and L{echod.udp.sourcestatistics}.
"""

from __future__ import annotations

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.net.statistics import Traffic
from echod.service.echoservice import CannotServe, EchoService, ListeningService
from echod.status.appendfile import AppendFile
from echod.status.sessionlog import REOPEN, SessionLog
from echod.tcp.echo import EchoFactory
from echod.udp.sourcestatistics import OTHERS, SOURCES, SourcesUDPEchoProtocol
from tests.service.test_echoservice import Endpoint
from tests.support import UNTIMED, clock, connect, lacking, logged, temporaryDirectory
from tests.udp.test_echo import MemoryDatagramTransport

FULL = Path("/dev/full")
"""
A disk on which there is no room.
"""


class Disk:
    """
    The writing of a disk with little room.

    @ivar room: How many bytes it takes.
    """

    def __init__(self) -> None:
        self.room = 0
        self.written = b""

    def write(self, descriptor: int, data: bytes) -> int:
        """
        Take what there is room for.
        """
        taken = data[: self.room]
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= len(taken)
        self.written += taken
        return len(taken)


class AppendFileTests(SynchronousTestCase):
    """
    Tests for L{AppendFile}.
    """

    def setUp(self) -> None:
        self.path = temporaryDirectory(self) / "log"
        self.file = AppendFile(str(self.path))
        self.addCleanup(self.file.close)

    def test_write(self) -> None:
        """
        Lines are added, each at once.
        """
        for expected in (b"1\n", b"1\n2\n"):
            self.file.write(expected[-2:-1])
            self.assertEqual(self.path.read_bytes(), expected)

    def test_adds(self) -> None:
        """
        What there was stays, and a new file is not for everyone.
        """
        self.file.write(b"1")
        other = AppendFile(str(self.path))
        self.addCleanup(other.close)
        other.write(b"2")
        self.assertEqual(self.path.read_bytes(), b"1\n2\n")
        self.assertEqual(self.path.stat().st_mode & 0o007, 0)

    def test_reopen(self) -> None:
        """
        When the file has got another name, a new one is begun when that is asked
        for.
        """
        self.file.write(b"1")
        old = self.path.rename(self.path.with_suffix(".1"))
        self.file.write(b"2")
        self.file.reopen()
        self.file.write(b"3")
        self.assertEqual(old.read_bytes(), b"1\n2\n")
        self.assertEqual(self.path.read_bytes(), b"3\n")

    def test_reopenFails(self) -> None:
        """
        Where no new file can be begun, the old one is kept.
        """
        old = self.path.rename(self.path.with_suffix(".1"))
        self.path.mkdir()
        self.assertRaises(OSError, self.file.reopen)
        self.file.write(b"1")
        self.assertEqual(old.read_bytes(), b"1\n")

    def test_fullDisk(self) -> None:
        """
        A line that finds no room, or too little, is lost and counted; the next
        one that finds enough is whole.
        """
        disk = Disk()
        self.patch(os, "write", disk.write)
        for room in (0, 2, 0, 1, 100):
            disk.room = room
            self.file.write(b"line")
        self.assertEqual((self.file.lost, self.file.why), (4, "No space left on device"))
        disk.room = 100
        self.file.write(b"line")
        self.assertEqual(disk.written.split(b"\n"), [b"li", b"", b"line", b"line", b""])

    def test_namedPipe(self) -> None:
        """
        A named pipe that nobody empties holds nobody up.
        """
        path = self.path.with_suffix(".pipe")
        os.mkfifo(path)
        self.assertRaises(OSError, AppendFile, str(path))
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        pipe = AppendFile(str(path))
        self.addCleanup(pipe.close)
        while not pipe.lost:
            pipe.write(b"x" * 4095)


class SourcesTests(SynchronousTestCase):
    """
    Tests for L{SourcesUDPEchoProtocol}.
    """

    def setUp(self) -> None:
        self.protocol = SourcesUDPEchoProtocol(clock())
        transport: Any = MemoryDatagramTransport()
        self.protocol.makeConnection(transport)

    def test_sources(self) -> None:
        """
        What came from each source is counted, until it is asked for.
        """
        for port in (40000, 40000, 7):
            self.protocol.datagramReceived(b"hello", ("192.0.2.1", port))
        self.assertEqual(
            self.protocol.taken(),
            {"192.0.2.1:40000": Traffic(2, 2, 10, 10), "192.0.2.1:7": Traffic(1, 0, 5, 0)},
        )
        self.assertEqual(self.protocol.taken(), {})

    def test_memory(self) -> None:
        """
        Beyond so many sources all others are one.
        """
        for port in range(SOURCES + 10):
            for _ in range(2):
                self.protocol.datagramReceived(b"x", ("192.0.2.1", 2000 + port))
        taken = self.protocol.taken()
        self.assertEqual(len(taken), SOURCES + 1)
        self.assertEqual(taken[OTHERS], Traffic(20, 20, 20, 20))


class Reactor:
    """
    A clock, which does at once what comes from a signal.
    """

    def __init__(self) -> None:
        self.clock = clock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.clock, name)

    def callFromThread(self, act: Any) -> None:
        """
        Act.
        """
        act()


class SessionLogTests(SynchronousTestCase):
    """
    Tests for L{SessionLog}.
    """

    def setUp(self) -> None:
        self.reactor = Reactor()
        self.path = temporaryDirectory(self) / "log"

    def start(self, path: Path | None = None, takesSignal: bool = False) -> None:
        """
        Start an echod with a session log.
        """
        self.echo = EchoService(self.reactor)
        self.tcp = EchoFactory(self.reactor.clock, limits=UNTIMED)
        self.udp = SourcesUDPEchoProtocol(self.reactor.clock)
        transport: Any = MemoryDatagramTransport()
        self.udp.makeConnection(transport)
        for server in (self.tcp, self.udp):
            ListeningService("127.0.0.1:0", Endpoint(), server).setServiceParent(self.echo)
        self.log = SessionLog(
            self.reactor,
            str(path or self.path),
            self.echo,
            takesSignal=takesSignal,
            wallClock=lambda: 1000000000 + self.reactor.seconds(),
        )
        self.log.setServiceParent(self.echo.observers)
        self.echo.privilegedStartService()
        self.echo.startService()
        self.addCleanup(self.echo.stopService)

    def endSession(self) -> None:
        """
        Have a session, for half a second.
        """
        session, transport = connect(self.tcp)
        session.dataReceived(b"hello")
        self.reactor.advance(0.5)
        transport.connectionDone()

    def records(self) -> list[Any]:
        """
        @return: What stands in the log.
        """
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_session(self) -> None:
        """
        A session that has ended is a line.
        """
        self.start()
        self.endSession()
        self.assertEqual(
            self.records(),
            [
                {
                    "time": "2001-09-09T01:46:40.500+00:00",
                    "event": "session",
                    "service": "TCP echo",
                    "address": "127.0.0.1:40000",
                    "peer": "192.0.2.1:40000",
                    "seconds": 0.5,
                    "receivedBytes": 5,
                    "returnedBytes": 5,
                    "outcome": "closed by peer",
                }
            ],
        )

    def test_datagrams(self) -> None:
        """
        The datagrams of a source are a line a second, and those of a second that
        has not passed when echod ends.
        """
        self.start()
        for seconds in (1, 1, 0):
            for _ in range(2 if seconds else 1):
                self.udp.datagramReceived(b"hello", ("192.0.2.1", 40000))
            self.reactor.advance(seconds)
        self.successResultOf(self.echo.stopService())
        first, second, third = self.records()
        self.assertEqual(
            first,
            {
                "time": "2001-09-09T01:46:41.000+00:00",
                "event": "datagrams",
                "service": "UDP echo",
                "address": "127.0.0.1:40000",
                "source": "192.0.2.1:40000",
                "received": 2,
                "answered": 2,
                "receivedBytes": 10,
                "returnedBytes": 10,
            },
        )
        self.assertEqual([second["received"], third["received"]], [2, 1])

    def test_untilTheEnd(self) -> None:
        """
        Sessions that end while echod drains are in it, and then nothing is
        waited for.
        """
        self.start()
        _, transport = connect(self.tcp)
        self.echo.stopService()
        self.reactor.advance(0.1)
        transport.connectionDone()
        self.assertEqual([record["outcome"] for record in self.records()], ["drained"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_startsAgain(self) -> None:
        """
        A log that is started again goes on; meanwhile nothing is written.
        """
        self.start()
        self.echo.stopService()
        self.endSession()
        self.log.reopen()
        self.echo.startService()
        self.endSession()
        self.assertEqual(len(self.records()), 1)

    def test_unwritable(self) -> None:
        """
        A file that cannot be written to is one line, and the end of the start.
        """
        path = self.path / "log"
        with logged() as lines:
            error = self.assertRaises(CannotServe, self.start, path)
        self.assertEqual(lines[-1], f"cannot write {path}: No such file or directory")
        self.assertEqual(str(error), lines[-1])
        self.assertEqual([service.port for service in self.echo], [None, None])

    def test_fullDisk(self) -> None:
        """
        A full disk is reported once a second, with what it has cost, and the
        echo goes on.
        """
        if not FULL.exists():
            lacking("/dev/full")
        self.start(FULL)
        with logged() as lines:
            for _ in range(4):
                self.endSession()
            self.reactor.advance(5)
        self.assertEqual(
            [line for line in lines if line.startswith("session log")],
            [
                "session log: lines that could not be written to /dev/full: "
                f"{lost} (No space left on device)"
                for lost in (1, 2, 1)
            ],
        )

    def test_signal(self) -> None:
        """
        On the signal the file is opened again, after whatever else happens on it;
        when the log stops, that happens alone.
        """
        if REOPEN is None:
            lacking("SIGUSR1")
        heard: list[object] = []
        before = signal.signal(REOPEN, lambda *_: heard.append(None))
        self.addCleanup(signal.signal, REOPEN, before)
        self.start(takesSignal=True)
        self.path.unlink()
        os.kill(os.getpid(), REOPEN)
        self.assertEqual((len(heard), self.path.exists()), (1, True))
        self.echo.stopService()
        self.path.unlink()
        os.kill(os.getpid(), REOPEN)
        self.assertEqual((len(heard), self.path.exists()), (2, False))

    def test_signalAlone(self) -> None:
        """
        Where nobody else listens to the signal, it ends nobody; a handler that
        came later stays.
        """
        if REOPEN is None:
            lacking("SIGUSR1")
        before = signal.signal(REOPEN, signal.SIG_DFL)
        self.addCleanup(signal.signal, REOPEN, before)
        self.start(takesSignal=True)
        os.kill(os.getpid(), REOPEN)
        signal.signal(REOPEN, signal.SIG_IGN)
        self.echo.stopService()
        self.assertEqual(signal.getsignal(REOPEN), signal.SIG_IGN)

    def test_othersSignal(self) -> None:
        """
        In a program that is not ours the signal is none of ours either.
        """
        if REOPEN is None:
            lacking("SIGUSR1")
        before = signal.getsignal(REOPEN)
        self.start()
        self.assertEqual(signal.getsignal(REOPEN), before)

    def test_cannotReopen(self) -> None:
        """
        Where the file cannot be opened again, that is one line, and the old one
        is kept.
        """
        self.start()
        old = self.path.rename(self.path.with_suffix(".1"))
        self.path.mkdir()
        with logged() as lines:
            self.log.reopen()
        self.assertEqual(
            lines,
            [f"session log: cannot reopen {self.path}: Is a directory; the old file is kept"],
        )
        self.endSession()
        self.assertIn("closed by peer", old.read_text())
