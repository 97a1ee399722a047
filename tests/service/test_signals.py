"""
Tests for L{echod.service.signals}: in memory, and with real daemons.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from echod.net.sockets import SPREADS
from echod.service.signals import Signals, handleInWorker
from echod.tap import Options, makeService
from tests.support import lacking, logged, temporaryDirectory
from tests.support.daemon import NO_TERMINAL, PATIENCE, Daemon, checkServed, session
from tests.support.load import wait
from tests.support.workers import ProcessReactor

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)

BACKGROUND = ["sh", "-c", '"$@" & echo "process $!"; wait $!', "sh"]
"""
A script that starts a command in the background: there the shell ignores SIGINT.
"""

TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.close(int(sys.argv[1]))
os.execvp(sys.argv[2], sys.argv[2:])
"""
"""
Make the terminal with this descriptor the controlling one, and run a command.
"""


class Reactor:
    """
    A reactor that handles signals, in memory.

    @ivar calls: The calls, in order.
    """

    def __init__(self) -> None:
        self.calls: list[object] = []

    def sigInt(self, number: int, frame: object) -> None:
        """
        Handle SIGINT.
        """
        self.calls.append("sigInt")

    def sigTerm(self, number: int, frame: object) -> None:
        """
        Handle SIGTERM.
        """
        self.calls.append("sigTerm")

    def stop(self) -> None:
        """
        Stop.
        """
        self.calls.append("stop")

    def callFromThread(self, act: Callable[[], object]) -> None:
        """
        Call a function, at once.
        """
        act()


class Service:
    """
    A service, or a worker, that records the calls of its methods.
    """

    def __init__(self, calls: list[object]) -> None:
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[[], None]:
        return lambda: self._calls.append(name)


class SignalsTests(SynchronousTestCase):
    """
    Tests for L{Signals} and L{handleInWorker}, with real signals.
    """

    def setUp(self) -> None:
        for number in SIGNALS:
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.reactor = Reactor()
        self.service: Any = Service(self.reactor.calls)

    def install(self, *, terminal: bool = False, **handlers: Any) -> None:
        """
        Install the handlers.

        @param handlers: The handlers that were there before, by the name of their
            signal.  Without them: those of Twisted, and else the default.
        """
        before = {
            "SIGINT": self.reactor.sigInt,
            "SIGTERM": self.reactor.sigTerm,
            "SIGHUP": signal.SIG_DFL,
            "SIGUSR1": signal.SIG_DFL,
        }
        self.reactor.calls.clear()
        for name, handler in {**before, **handlers}.items():
            signal.signal(getattr(signal, name), handler)
        path = os.devnull if terminal else "/nonexistent"
        Signals(self.reactor, self.service, path).install()

    def said(self, *numbers: signal.Signals) -> list[object]:
        """
        @return: The calls on these signals.
        """
        self.reactor.calls.clear()
        for number in numbers:
            signal.raise_signal(number)
        return [*self.reactor.calls]

    def test_stop(self) -> None:
        """
        The first SIGINT or SIGTERM is the reactor's, each further one aborts the
        sessions.
        """
        self.install()
        self.assertEqual(self.said(signal.SIGINT), ["sigInt"])
        self.assertEqual(self.said(signal.SIGINT, signal.SIGTERM), ["abort", "abort"])
        self.install()
        self.assertEqual(self.said(signal.SIGTERM), ["sigTerm"])
        self.assertEqual(self.said(signal.SIGTERM, signal.SIGINT), ["abort", "abort"])

    def test_ignored(self) -> None:
        """
        SIGINT, SIGHUP and SIGUSR1 stay ignored if they were ignored; SIGTERM always stops.
        """
        self.install(
            terminal=True,
            SIGINT=signal.SIG_IGN,
            SIGHUP=signal.SIG_IGN,
            SIGUSR1=signal.SIG_IGN,
        )
        self.assertEqual(self.said(signal.SIGINT, signal.SIGHUP, signal.SIGUSR1), [])
        self.assertEqual(self.said(signal.SIGTERM, signal.SIGINT), ["sigTerm"])
        self.assertEqual(self.said(signal.SIGTERM), ["abort"])

    def test_debugger(self) -> None:
        """
        SIGINT stays with a handler that is not the reactor's, and does not count.
        """
        self.install(SIGINT=lambda *_: self.reactor.calls.append("debug"))
        self.assertEqual(self.said(signal.SIGINT, signal.SIGINT), ["debug", "debug"])
        self.assertEqual(self.said(signal.SIGTERM), ["sigTerm"])
        self.install(SIGINT=signal.SIG_DFL)
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_DFL)

    def test_terminal(self) -> None:
        """
        SIGHUP from a terminal stops, however often it comes.
        """
        self.install(terminal=True)
        with logged() as lines:
            self.assertEqual(self.said(signal.SIGHUP, signal.SIGHUP), ["stop"])
        self.assertEqual(lines, ["Received SIGHUP, shutting down."])
        self.assertEqual(self.said(signal.SIGTERM), ["abort"])
        self.install(terminal=True)
        self.assertEqual(self.said(signal.SIGTERM, signal.SIGHUP), ["sigTerm"])

    def test_noTerminal(self) -> None:
        """
        SIGHUP reloads where there is no terminal.
        """
        self.install()
        with logged() as lines:
            self.assertEqual(self.said(signal.SIGHUP, signal.SIGHUP), ["reload", "reload"])
        self.assertEqual(lines, ["Received SIGHUP, reloading."] * 2)
        self.assertEqual(self.said(signal.SIGTERM), ["sigTerm"])

    def test_reopen(self) -> None:
        """
        SIGUSR1 reopens the log files.
        """
        self.install()
        self.assertEqual(self.said(signal.SIGUSR1), ["reopen"])

    def test_worker(self) -> None:
        """
        A worker handles each signal that its parent sends, ignored or not.
        """
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        handleInWorker(self.reactor, self.service)
        self.assertEqual(self.said(*SIGNALS), ["abort", "end", "retire", "reopen"])

    def test_owner(self) -> None:
        """
        The signals are handled when the reactor runs, under twistd; a program that
        embeds echod keeps its own handlers.
        """
        for parent, expected in ((None, []), (Options(), ["reopened"])):
            reactor: Any = ProcessReactor()
            reactor.sigInt = reactor.sigTerm = None
            options = Options(reactor)
            options.parseOptions(["--tcp=0"])
            options.parent = parent
            signal.signal(signal.SIGUSR1, lambda *_: None)
            service = makeService(options)
            signal.raise_signal(signal.SIGUSR1)
            for act, arguments, more in reactor.whenRunningHooks:
                act(*arguments, **more)
            # Which service the signals act on.
            said: list[str] = []
            service.onReopen.append(partial(said.append, "reopened"))
            signal.raise_signal(signal.SIGUSR1)
            self.assertEqual(said, expected)


class ReloadTests(SynchronousTestCase):
    """
    A daemon with one process, without a terminal, with a session log.
    """

    def setUp(self) -> None:
        self.log = temporaryDirectory(self) / "log"

    def serve(self, *below: str) -> tuple[Daemon, socket.socket]:
        """
        @param below: A command that runs the daemon.

        @return: A daemon that has received SIGHUP after its log was renamed, and a
            session that began before.
        """
        daemon = Daemon("--tcp", "0", "--session-log", str(self.log), below=below)
        self.addCleanup(daemon.stop)
        client = session(self, daemon.tcp)
        self.log.rename(self.log.with_suffix(".1"))
        daemon.process.send_signal(signal.SIGHUP)
        return daemon, client

    def sayGoodbye(self, daemon: Daemon, client: socket.socket) -> None:
        """
        End the session.
        """
        client.sendall(b"bye\n")
        self.assertEqual(client.recv(100), b"")
        client.close()
        daemon.expect("ended: goodbye")

    def test_reload(self) -> None:
        """
        SIGHUP reopens the session log, and no session is lost.
        """
        daemon, client = self.serve(*NO_TERMINAL)
        daemon.expect("Received SIGHUP, reloading.$")
        self.sayGoodbye(daemon, client)
        wait(lambda: "goodbye" in self.log.read_text())

    def test_nohup(self) -> None:
        """
        Under C{nohup}, the daemon ignores SIGHUP.
        """
        daemon, client = self.serve("nohup", *NO_TERMINAL)
        self.sayGoodbye(daemon, client)
        self.assertFalse(self.log.exists())


class DaemonTests(SynchronousTestCase):
    """
    A daemon on Twisted's default reactor.
    """

    reactor = "default"

    workers: tuple[str, ...] = ()

    def setUp(self) -> None:
        if self.reactor == "uvloop" and find_spec("uvloop") is None:
            lacking("uvloop")
        if self.workers and not SPREADS:
            lacking("Linux")

    def serve(self, *below: str, descriptors: Sequence[int] = ()) -> Daemon:
        """
        @param below: A command that runs the daemon.

        @return: A daemon that serves.
        """
        daemon = Daemon(
            *("--tcp", "0", "--drain-timeout", "600", *self.workers),
            reactor=self.reactor,
            below=below,
            descriptors=descriptors,
        )
        self.addCleanup(daemon.stop)
        if self.workers:
            for _ in range(2):
                daemon.expect(r"worker \S+ serves \(process")
        return daemon

    def expectDrained(self, daemon: Daemon, client: socket.socket) -> None:
        """
        Expect that the daemon ends, and that its session has not been cut.
        """
        self.assertEqual(client.recv(100), b"")
        client.close()
        daemon.expect("stopped; sessions finished: 1, cut: 0$")
        self.assertNotIn("Traceback", "".join(daemon.log))

    def test_background(self) -> None:
        """
        A daemon that a script has started in the background ignores SIGINT, as the
        shell has asked for, and stops on SIGTERM.
        """
        daemon = self.serve(*BACKGROUND)
        (line,) = re.findall(r"^process (\d+)$", "".join(daemon.log), re.M)
        pid = int(line)
        self.addCleanup(self.kill, pid)
        client = session(self, daemon.tcp)
        os.kill(pid, signal.SIGINT)
        checkServed(self, client)
        os.kill(pid, signal.SIGTERM)
        self.expectDrained(daemon, client)
        self.assertEqual(daemon.process.wait(PATIENCE), 128 + signal.SIGTERM)

    def kill(self, pid: int) -> None:
        """
        Kill a process that has not ended as it should have.
        """
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def test_terminalClosed(self) -> None:
        """
        When its terminal is closed, a daemon drains and stops; no process is left.
        """
        master, slave = os.openpty()
        with open(master, "rb", buffering=0):
            daemon = self.serve(
                *(sys.executable, "-c", TERMINAL, str(slave)), descriptors=[slave]
            )
            os.close(slave)
            client = session(self, daemon.tcp)
            processes = [daemon.process.pid, *self.children(daemon)]
        self.expectDrained(daemon, client)
        self.assertEqual(daemon.process.wait(PATIENCE), 0)
        for pid in processes:
            self.assertRaises(ProcessLookupError, os.kill, pid, 0)

    def children(self, daemon: Daemon) -> list[int]:
        """
        @return: The processes of the workers.
        """
        pids = re.findall(r"serves \(process (\d+)\)", "".join(daemon.log))
        self.assertEqual(len(pids), 2 if self.workers else 0)
        return [int(pid) for pid in pids]


class AsyncioDaemonTests(DaemonTests):
    """
    The same on Twisted's asyncio reactor.
    """

    reactor = "asyncio"


class UVLoopDaemonTests(DaemonTests):
    """
    The same on the reactor that uses libuv.
    """

    reactor = "uvloop"


class WorkersTests(UVLoopDaemonTests):
    """
    The same with two workers.
    """

    workers = ("--workers", "2")
