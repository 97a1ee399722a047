"""
The program C{echoc}.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TextIO

from twisted.logger import (
    FilteringLogObserver,
    LogBeginner,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.python import usage

from echod.client.exitstatus import USAGE, Outcome
from echod.client.lookup import Resolver, makeThreads
from echod.client.options import TalkOptions, parseCommandLine
from echod.client.ping.command import ping
from echod.client.reactor import steadyReactor
from echod.client.run import Run
from echod.client.talk.commands import greet, tcp, udp
from echod.client.watch.command import watch

COMMANDS: dict[str, Callable[[Run, Any], Coroutine[Any, Any, Outcome]]] = {
    "greet": greet,
    "tcp": tcp,
    "udp": udp,
    "ping": ping,
    "watch": watch,
}
"""
The subcommands.  Each takes its own kind of options.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """
    Run one client, and exit with its status.
    """
    # Until the client runs, Ctrl-C ends the program without a message.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    openStandardStreams()
    try:
        options = parseCommandLine(list(sys.argv[1:] if arguments is None else arguments))
    except usage.UsageError as error:
        print(f"echoc: {error}", file=sys.stderr)
        sys.exit(USAGE)
    reactor: Any = steadyReactor()
    reactor.threadpool = makeThreads()
    limit = options["timeout"] if isinstance(options, TalkOptions) else options.get("deadline")
    reactor.installNameResolver(Resolver(reactor, reactor.nameResolver, limit))
    logErrors(globalLogBeginner, sys.stderr)
    # The objects of the modules live until the end.  Looking through them takes 20 ms, and
    # probes would leave late.
    gc.freeze()
    run = Run(reactor)
    run.stdin, run.stdout = sys.stdin.fileno(), sys.stdout.fileno()
    outcome = run.run(COMMANDS[options.command](run, options), options["target"])
    for message in outcome.message.splitlines():
        print(f"echoc {options.command}: {message}", file=sys.stderr)
    sys.exit(outcome.status)


def logErrors(beginner: LogBeginner, stream: TextIO) -> None:
    """
    Print critical errors.  Until logging begins, Twisted keeps tens of thousands of events
    in memory.
    """
    critical = LogLevelFilterPredicate(defaultLogLevel=LogLevel.critical)
    observer = FilteringLogObserver(textFileLogObserver(stream), [critical])
    beginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)


def openStandardStreams() -> None:
    """
    Open each standard stream that was closed at the start on C{/dev/null}.  Its number may
    belong to another file by now: libffi opens itself when it is loaded.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))
