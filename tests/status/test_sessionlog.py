"""
Tests for L{echod.status.sessionlog}.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.service.echoservice import EchoService
from echod.service.listening import CannotServe
from echod.status.sessionlog import SessionLog
from echod.tcp.echo import EchoFactory
from echod.udp.echo import UDPEchoProtocol
from echod.udp.sourcestatistics import SourceStatistics
from tests.support import UNTIMED, clock, connect, lacking, logged, temporaryDirectory
from tests.support.service import listenFor
from tests.support.udp import MemoryDatagramTransport

FULL = Path("/dev/full")
"""
A device on which every write fails for lack of room.
"""


class SessionLogTests(SynchronousTestCase):
    """
    Tests for L{SessionLog}.
    """

    def setUp(self) -> None:
        self.reactor = clock()
        self.path = temporaryDirectory(self) / "log"

    def start(self, path: Path | None = None) -> None:
        """
        Start a TCP and a UDP echo with a session log.
        """
        self.echo = EchoService(self.reactor)
        self.tcp = EchoFactory(self.reactor, limits=UNTIMED)
        self.udp = UDPEchoProtocol(self.reactor, sources=SourceStatistics())
        transport: Any = MemoryDatagramTransport()
        self.udp.makeConnection(transport)
        listenFor(self.echo, self.tcp, self.udp)
        self.log = SessionLog(
            self.reactor,
            str(path or self.path),
            self.echo,
            wallClock=lambda: 1000000000 + self.reactor.seconds(),
        )
        self.log.setServiceParent(self.echo.observers)
        self.echo.privilegedStartService()
        self.echo.startService()
        self.addCleanup(self.echo.stopService)

    def endSession(self) -> None:
        """
        Let a session last half a second.
        """
        session, transport = connect(self.tcp)
        session.dataReceived(b"hello")
        self.reactor.advance(0.5)
        transport.connectionDone()

    def records(self) -> list[Any]:
        """
        @return: The lines of the log.
        """
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def test_session(self) -> None:
        """
        A session that has ended adds a line.
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
                    "duration_s": 0.5,
                    "received_bytes": 5,
                    "returned_bytes": 5,
                    "outcome": "closed by peer",
                }
            ],
        )

    def test_datagrams(self) -> None:
        """
        The datagrams of each source add a line a second, and a last line when echod
        stops.
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
                "received_bytes": 10,
                "returned_bytes": 10,
            },
        )
        self.assertEqual([second["received"], third["received"]], [2, 1])

    def test_untilTheEnd(self) -> None:
        """
        Sessions that end while echod drains add lines; no timer is left after them.
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
        A log that is started again continues; while it is stopped it writes nothing.
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
        A file that cannot be opened is one line in the log, and echod does not start.
        """
        path = self.path / "log"
        with logged() as lines:
            error = self.assertRaises(CannotServe, self.start, path)
        self.assertEqual(lines[-1], f"cannot write {path}: No such file or directory")
        self.assertEqual(str(error), lines[-1])
        self.assertEqual([service.port for service in self.echo], [None, None])

    def test_fullDisk(self) -> None:
        """
        Lines that a full disk has lost are reported once a second, with their number.
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

    def test_reopened(self) -> None:
        """
        After its file was renamed, the log continues in a new file; a stopped log opens
        no file.
        """
        self.start()
        self.path.unlink()
        self.log.reopen()
        self.assertEqual(os.fstat(self.log.fileno()).st_ino, self.path.stat().st_ino)
        self.echo.stopService()
        self.path.unlink()
        self.log.reopen()
        self.assertFalse(self.path.exists())

    def test_cannotReopen(self) -> None:
        """
        A file that cannot be opened again is one line in the log, and the old file is
        kept.
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
