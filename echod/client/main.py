"""
The program C{echoc}.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.python import usage
from twisted.python.failure import Failure

from echod.client.commands import COMMANDS
from echod.client.exitstatus import INTERRUPTED, USAGE, Ended, Outcome, explained
from echod.client.options import parsed


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run one of the clients, and end with its exit status.
    """
    # Until there is something to interrupt, Ctrl-C ends it without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    openStandardDescriptors()
    try:
        name, options = parsed(list(sys.argv[1:] if arguments is None else arguments))
    except usage.UsageError as error:
        print(f"echoc: {error}", file=sys.stderr)
        sys.exit(USAGE)
    from twisted.internet import reactor

    outcome = Run(reactor).run(lambda run: COMMANDS[name](run, options), options["target"])
    if outcome.words:
        print(f"echoc {name}: {outcome.words}", file=sys.stderr)
    sys.exit(outcome.status)


def openStandardDescriptors() -> None:
    """
    Whoever closed standard input or output gets none; a socket must not take its
    place.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


Client = Callable[["Run"], Coroutine[Any, Any, Outcome]]


class Run:
    """
    One run of the reactor, for one client.

    @ivar reactor: The reactor.

    @ivar stdin: The descriptor of standard input.

    @ivar stdout: That of standard output.

    @ivar interrupt: What Ctrl-C does; at first, to cancel whatever goes on.
    """

    stdin = 0
    stdout = 1

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.interrupt: Callable[[], object] = self.cancel
        self._outcome = Outcome(INTERRUPTED)
        self._signals = 0
        self._cancelled = False
        self._running: Deferred[Outcome] | None = None

    def run(self, client: Client, target: object) -> Outcome:
        """
        @return: How the client has ended.
        """
        self.reactor.callWhenRunning(self._begin, client, target)
        self.reactor.run()
        return self._outcome

    def start(self, client: Client, target: object) -> Deferred[Outcome]:
        """
        @return: Fires with how the client has ended, and never fails.
        """
        self._running = Deferred.fromCoroutine(client(self))
        return self._running.addErrback(self._explain, target)

    def cancel(self) -> None:
        """
        End it, whatever goes on.
        """
        if self._running is not None:
            self._cancelled = True
            self._running.cancel()

    def _begin(self, client: Client, target: object) -> None:
        # Twisted's own would stop the reactor.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)
        self.start(client, target).addCallback(self._end)

    def _signalled(self, *_: object) -> None:
        # The first, and one that will not wait; all more are the same wish again.
        self._signals += 1
        if self._signals <= 2:
            self.reactor.callFromThread(lambda: self.interrupt())

    def _explain(self, failure: Failure, target: object) -> Outcome:
        # Twisted says of a name that was no longer to be looked up, that there is none.
        if failure.check(CancelledError) or (self._cancelled and not failure.check(Ended)):
            return Outcome(INTERRUPTED)
        assert failure.value is not None
        return explained(failure.value, target)

    def _end(self, outcome: Outcome) -> None:
        # What has ended cannot be interrupted.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        self._outcome = outcome
        self.reactor.stop()
