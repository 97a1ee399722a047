"""
One run of the reactor for one client: signals, standard output, and the outcome.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from echod.client.exitstatus import (
    CLOSED_PIPE,
    INTERRUPTED,
    SOME,
    ClientError,
    Outcome,
    explain,
)
from echod.client.reactor import IClientReactor

Client = Coroutine[Any, Any, Outcome]

HANDLED_SIGNALS = 2
"""
How many signals are handled: the first asks the client to finish, the second not to
wait.  More of them add nothing.
"""


class Run:
    """
    @ivar reactor: The reactor.

    @ivar stdin: The descriptor of standard input.

    @ivar stdout: The descriptor of standard output.

    @ivar interrupt: The action for Ctrl-C.  At first it cancels the client.
    """

    stdin = 0
    stdout = 1

    def __init__(self, reactor: IClientReactor) -> None:
        self.reactor = reactor
        self.interrupt: Callable[[], object] = self.cancel
        self._outcome = Outcome(INTERRUPTED)
        self._signals = 0
        self._cancelled = False
        self._running: Deferred[Outcome] | None = None

    def run(self, client: Client, target: object) -> Outcome:
        """
        Run the reactor until the client has ended.
        """
        self.reactor.callWhenRunning(self._begin, client, target)
        self.reactor.run()
        return self._outcome

    def start(self, client: Client, target: object) -> Deferred[Outcome]:
        """
        Start the client.

        @return: Fires with the outcome, and never fails.
        """
        self._running = Deferred.fromCoroutine(client)
        return self._running.addErrback(self._explain, target)

    def cancel(self) -> None:
        """
        End the client at once.
        """
        if self._running is not None:
            self._cancelled = True
            self._running.cancel()

    def signalled(self, *_: object) -> None:
        """
        Handle SIGINT or SIGTERM.
        """
        self._signals += 1
        if self._signals <= HANDLED_SIGNALS:
            self.reactor.callFromThread(lambda: self.interrupt())

    @property
    def isInterrupted(self) -> bool:
        """
        True after SIGINT or SIGTERM.
        """
        return self._signals > 0

    def handleQuit(self, action: Callable[[], object]) -> None:
        """
        Call the action at each SIGQUIT, which otherwise ends the program.
        """
        signal.signal(signal.SIGQUIT, lambda *_: self.reactor.callFromThread(action))

    def atTerminal(self) -> bool:
        """
        @return: True if standard input and output are both a terminal.
        """
        return os.isatty(self.stdin) and os.isatty(self.stdout)

    def _begin(self, client: Client, target: object) -> None:
        # The handler of Twisted would stop the reactor.
        _handleSignals(self.signalled)
        self.start(client, target).addCallback(self._end)

    def _explain(self, failure: Failure, target: object) -> Outcome:
        # Twisted reports a cancelled lookup as a name without an address.
        if failure.check(CancelledError) or (
            self._cancelled and not failure.check(ClientError)
        ):
            return Outcome(INTERRUPTED)
        assert failure.value is not None
        return explain(failure.value, target)

    def _end(self, outcome: Outcome) -> None:
        # A signal from here on must not change the exit status.
        _handleSignals(signal.SIG_IGN)
        self._outcome = outcome
        self.reactor.stop()


class Printer:
    """
    Prints on standard output.  If that fails, it cancels the run.

    @ivar outcome: The outcome if printing has failed.
    """

    def __init__(self, run: Run) -> None:
        self.outcome: Outcome | None = None
        self._run = run

    def line(self, text: str) -> bool:
        """
        Print a line.

        @return: False if it was dropped.
        """
        return self.write(encode(text) + b"\n")

    def write(self, data: bytes) -> bool:
        """
        Print bytes.

        @return: False if they were dropped.
        """
        try:
            while data and not self.outcome:
                data = data[os.write(self._run.stdout, data) :]
        except OSError as error:
            self.fail(error)
        return self.outcome is None

    def fail(self, error: OSError) -> None:
        """
        End the run, because printing has failed.
        """
        self.outcome = cannotPrint(error)
        # The caller is part of the run: cancel it when the caller has returned.
        self._run.reactor.callLater(0, self._run.cancel)


def cannotPrint(error: BaseException | None) -> Outcome:
    """
    @return: The outcome if writing to standard output has failed.
    """
    if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
        return Outcome(SOME, f"standard output: {error.strerror}")
    return Outcome(CLOSED_PIPE)


def encode(text: str) -> bytes:
    """
    @return: The bytes of text that was typed or given as an argument.
    """
    return text.encode("utf-8", "surrogateescape")


def _handleSignals(handler: Callable[..., object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
