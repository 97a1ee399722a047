"""
Tests for L{echod.uvloopreactor.reactor}.

Twisted's own tests of reactors check most of it; they run here too.
"""

from __future__ import annotations

import signal
import socket
import sys
from subprocess import PIPE, STDOUT, run
from typing import Any
from weakref import WeakSet

from twisted.internet import tcp
from twisted.internet.error import ProcessDone
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.python.reflect import namedModule

from tests.support import CHECKOUT, MEASURED, program
from tests.support.daemon import PATIENCE
from tests.support.uvloopserving import Recorder, UVLoopTestCase, uvloopreactor


class UVLoopReactorTests(UVLoopTestCase):
    """
    Tests for L{UVLoopReactor<echod.uvloopreactor.reactor.UVLoopReactor>}.
    """

    def test_internals(self) -> None:
        """
        The internals of Twisted are as the reactor expects them.
        """
        reactor = uvloopreactor.UVLoopReactor()
        self.assertEqual(len(reactor._signalsFactory()._signalHandlings), 2)
        self.assertEqual(tcp.Connection.bufferSize, 65536)

    def test_cancelledCalls(self) -> None:
        """
        Cancelled calls leave memory before another call is due, and the other calls are
        made.
        """
        reactor = uvloopreactor.UVLoopReactor()
        calls: WeakSet[Any] = WeakSet()
        left: list[int] = []
        made: list[str] = []

        def set(later: int) -> None:
            for _ in range(100):
                calls.add(call := reactor.callLater(PATIENCE, reactor.stop))
                call.cancel()
            if later:
                reactor._asyncioEventloop.call_soon(set, later - 1)
            else:
                left.append(len(calls))
                reactor.callLater(0.01, made.append, "early")
                reactor.callLater(0.02, reactor.stop)

        timeout = reactor.callLater(PATIENCE, made.append, "late")
        reactor.callWhenRunning(set, 100)
        reactor.run(installSignalHandlers=False)
        # Of 10,100 there are some of the last two turns.
        self.assertLess(left[0], 400)
        self.assertEqual(made, ["early"])
        self.assertEqual(reactor.getDelayedCalls(), [timeout])

    def test_takenOutAndPutBack(self) -> None:
        """
        A connection that was removed from the reactor neither reads nor writes, until it
        is added again.
        """

        class TakenOut(Recorder):
            client: socket.socket

            def dataReceived(self, data: bytes) -> None:
                super().dataReceived(data)
                self.transport.write(data.upper())
                if len(self.pieces) == 1:
                    self.factory.reactor.removeReader(self.transport)
                    self.factory.reactor.removeWriter(self.transport)
                    self.factory.reactor.callLater(0.02, self.putBack)
                else:
                    self.transport.loseConnection()

            def putBack(self) -> None:
                with case.assertRaises(BlockingIOError):
                    self.client.recv(100, socket.MSG_DONTWAIT)
                self.factory.reactor.addReader(self.transport)
                self.factory.reactor.addWriter(self.transport)
                self.client.sendall(b"again")

        def start(client: socket.socket) -> None:
            protocol.client = client
            client.sendall(b"first")

        case, protocol = self, TakenOut()
        self.serve(protocol, start)
        self.assertEqual(protocol.pieces, [b"first", b"again"])
        self.assertEqual(protocol.client.recv(100), b"FIRSTAGAIN")

    def test_timers(self) -> None:
        """
        The reactor does not wake up several times before a timer is due.
        """

        class Counting(uvloopreactor.UVLoopReactor):
            turns = 0

            def runUntilCurrent(self) -> None:
                self.turns += 1
                super().runUntilCurrent()

        reactor = Counting()
        timers = 50
        for number in range(timers):
            reactor.callLater(0.0015 * number + 0.0005, lambda: None)
        reactor.callLater(0.0015 * timers + 0.01, reactor.stop)
        reactor.run(installSignalHandlers=False)
        self.assertLess(reactor.turns, 3 * timers)

    def test_install(self) -> None:
        """
        The reactor can be installed as the global one, by C{install} in the module of its
        class.
        """
        installed: list[Any] = []
        module = namedModule(uvloopreactor.UVLoopReactor.__module__)
        self.patch(module, "installReactor", installed.append)
        module.install()
        (reactor,) = installed
        self.assertIsInstance(reactor, uvloopreactor.UVLoopReactor)

    def test_childEnds(self) -> None:
        """
        The end of a child process is reported, also if it shares no pipe with its parent.
        """
        reactor = uvloopreactor.UVLoopReactor()
        ended: list[Failure] = []

        class Watching(ProcessProtocol):
            def processEnded(self, reason: Failure) -> None:
                ended.append(reason)
                reactor.stop()

        timeout = reactor.callLater(PATIENCE, reactor.stop)
        command = program("sleep"), ["sleep", "0.1"]
        reactor.callWhenRunning(reactor.spawnProcess, Watching(), *command, childFDs={})
        before = signal.getsignal(signal.SIGINT)
        self.addCleanup(signal.signal, signal.SIGINT, before)
        reactor.run()
        self.assertTrue(timeout.active())
        self.assertTrue(ended[0].check(ProcessDone))

    def test_twistedTests(self) -> None:
        """
        Twisted's own tests of connections pass, as far as they pass on epoll.  C{make
        test-all} runs all tests of reactors.
        """
        names = [f"twisted.internet.test.test_{name}" for name in ("tcp", "tls", "unix")]
        done = run(
            [sys.executable, "-m", "tests.extended.reactorsuite", *names],
            cwd=CHECKOUT,
            env=MEASURED,
            stdout=PIPE,
            stderr=STDOUT,
            text=True,
            timeout=PATIENCE * 10,
        )
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"\d\d\d tests, .* 0 of them only here")
