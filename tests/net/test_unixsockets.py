"""
Tests for L{echod.net.unixsockets}.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorUNIX
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from echod.net.unixsockets import ReplacingReactor, removeUnanswered
from tests.support import deadline, temporaryDirectory


class RemoveTests(SynchronousTestCase):
    """
    Tests for L{removeUnanswered}.
    """

    def setUp(self) -> None:
        self.directory = temporaryDirectory(self)
        self.path = self.directory / "socket"
        self.lock = self.directory / "socket.lock"

    def bind(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """
        @return: A socket that is bound to the path.
        """
        skt = socket.socket(socket.AF_UNIX, kind)
        self.addCleanup(skt.close)
        skt.bind(os.fspath(self.path))
        return skt

    def remove(self, *, locked: bool = True) -> list[str]:
        """
        @return: The files of the socket and its lock that still exist.
        """
        removeUnanswered(os.fspath(self.path), locked)
        return sorted(os.listdir(self.directory))

    def refusal(self) -> str:
        """
        @return: Why the path is not removed.
        """
        before = sorted(os.listdir(self.directory))
        with self.assertRaises(OSError) as raised:
            self.remove()
        self.assertEqual(sorted(os.listdir(self.directory)), before)
        return str(raised.exception.strerror)

    def test_locks(self) -> None:
        """
        A socket on which nobody answers is removed with its lock, whether the lock names
        this process, another living one, a dead one, or does not exist; and so is a lock
        without a socket.
        """
        targets = (str(os.getpid()), str(os.getppid()), "999999999", "nonsense", None)
        for bound in (True, False):
            for target in targets:
                if bound:
                    self.bind().close()
                if target is not None:
                    self.lock.symlink_to(target)
                self.assertEqual(self.remove(), [])

    def test_noLock(self) -> None:
        """
        With C{lockfile=0}, the lock is not touched.
        """
        self.bind().close()
        self.lock.write_text("mine")
        self.assertEqual(self.remove(locked=False), ["socket.lock"])

    def test_answers(self) -> None:
        """
        A socket on which a process listens is kept, with its lock, also if its queue is
        full.
        """
        server = self.bind()
        server.listen(0)
        self.lock.symlink_to("999999999")
        for _ in range(3):
            with deadline():
                refusal = self.refusal()
            self.assertEqual(refusal, "a process listens on this socket")

    def test_datagrams(self) -> None:
        """
        A datagram socket in use is kept.
        """
        self.bind(socket.SOCK_DGRAM)
        self.assertEqual(self.refusal(), "a process listens on this socket")

    def test_others(self) -> None:
        """
        A path that is not a socket is kept.
        """
        makers: tuple[Callable[[], object], ...] = (
            lambda: self.path.write_text("precious"),
            self.path.mkdir,
            lambda: os.mkfifo(self.path),
            lambda: self.path.symlink_to(self.directory / "other"),
        )
        for number, make in enumerate(makers):
            make()
            self.assertEqual(self.refusal(), "the path exists and is not a socket")
            self.path.rename(self.directory / str(number))

    def test_lockIsFile(self) -> None:
        """
        A file with the name of the lock is kept, and so is the socket.
        """
        self.bind().close()
        self.lock.write_text("precious")
        self.assertEqual(
            self.refusal(),
            f"{self.lock} is not a lock; with lockfile=0 there is no need for one",
        )


class UNIXReactor:
    """
    A reactor in memory that listens on UNIX sockets.

    @ivar calls: The arguments of each call.
    """

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def listenUNIX(self, *arguments: Any) -> str:
        """
        Record a call.
        """
        self.calls.append(arguments)
        self.meanwhile()
        return "port"


class ReplacingReactorTests(SynchronousTestCase):
    """
    Tests for L{ReplacingReactor}.
    """

    def setUp(self) -> None:
        self.path = os.fspath(temporaryDirectory(self) / "socket")
        self.reactor = UNIXReactor()
        self.replacing: Any = ReplacingReactor(self.reactor)
        self.factory = Factory()

    def test_listen(self) -> None:
        """
        The reactor listens as the endpoint asks, after a dead socket was removed.
        """
        os.symlink(str(os.getpid()), f"{self.path}.lock")
        port = self.replacing.listenUNIX(self.path, self.factory, 5, 0o600, True)
        self.assertEqual(port, "port")
        self.assertEqual(self.reactor.calls, [(self.path, self.factory, 5, 0o600, True)])
        self.assertFalse(os.path.lexists(f"{self.path}.lock"))

    def test_refused(self) -> None:
        """
        A path that is in use cannot be listened on.
        """
        os.mkdir(self.path)
        self.assertRaises(CannotListenError, self.replacing.listenUNIX, self.path, self.factory)
        self.assertEqual(self.reactor.calls, [])

    def test_noFile(self) -> None:
        """
        A socket without a file, or in a directory that cannot be read, is left to the system.
        """
        for path in ("\0echod", "/nonexistent/socket"):
            self.replacing.listenUNIX(path, self.factory)
            self.assertEqual(self.reactor.calls.pop()[0], path)

    def test_one(self) -> None:
        """
        Two processes do not replace sockets of one directory at the same time.
        """
        directory = os.open(os.path.dirname(self.path), os.O_RDONLY)
        self.addCleanup(os.close, directory)
        locked: list[bool] = []

        def lock() -> None:
            try:
                fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                locked.append(False)
            else:
                locked.append(True)

        self.reactor.meanwhile = lock
        self.replacing.listenUNIX(self.path, self.factory)
        lock()
        self.assertEqual(locked, [False, True])

    def test_provides(self) -> None:
        """
        The reactor has all else that the real one has, and the same interfaces.
        """
        self.assertEqual(self.replacing.calls, [])
        reactors: tuple[tuple[object, bool], ...] = (
            (self.reactor, False),
            (MemoryReactorClock(), True),
        )
        for reactor, provided in reactors:
            self.assertEqual(IReactorUNIX.providedBy(ReplacingReactor(reactor)), provided)
