"""
How a client ended: the exit status for scripts, and the words for people.
"""

from __future__ import annotations

import errno
from typing import NamedTuple

from twisted.internet import defer, error
from twisted.internet.error import ConnectError

ALL = 0
SOME = 1
USAGE = 2
REFUSED = 3
SILENT = 4
WRONG = 5

CLOSED_PIPE = 141
"""
The reader of what a client prints has gone.  What a shell reports of every
program that ends by C{SIGPIPE}.
"""

INTERRUPTED = 130
"""
What a shell reports of one that ends by Ctrl-C.
"""

LOOK_REFUSED = (
    "the machine is up and says so. Look whether the server runs (ss -lnptu), and on which "
    "address and port; a firewall that rejects says the same"
)

LOOK_SILENT = (
    "dropped, filtered, or down. Look whether the machine answers (ping), for a firewall "
    "that drops, and on the server whether anything arrives (tcpdump) and where the answer "
    "leaves to"
)

UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}

NO_SOCKET = {errno.ENOENT, errno.ECONNREFUSED}


class Outcome(NamedTuple):
    """
    @ivar status: The exit status.

    @ivar words: One line; empty where there is nothing to say.
    """

    status: int
    words: str = ""


class Ended(Exception):
    """
    A conversation has ended before it should.

    @ivar outcome: How.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.words)
        self.outcome = outcome


def refused(target: object) -> Outcome:
    """
    @return: That nothing listens.
    """
    return Outcome(REFUSED, f"{target} refused: {LOOK_REFUSED}")


def silent(target: object, what: str) -> Outcome:
    """
    @return: That nothing was heard.
    """
    return Outcome(SILENT, f"{target}: {what}: {LOOK_SILENT}")


def explained(problem: BaseException, target: object) -> Outcome:
    """
    @return: What it means that this happened on the way to the target.
    """
    if isinstance(problem, Ended):
        return problem.outcome
    if isinstance(problem, (error.DNSLookupError, error.UnknownHostError)):
        return Outcome(
            USAGE,
            f"{target}: the name cannot be resolved ({_words(problem)}): look at its spelling, "
            "and at DNS",
        )
    number = errorNumber(problem)
    if isinstance(problem, (error.ConnectionRefusedError, ConnectionRefusedError)) or (
        number in NO_SOCKET
    ):
        return refused(target)
    if isinstance(problem, (error.TimeoutError, error.TCPTimedOutError, defer.TimeoutError)):
        return silent(target, "no answer to connecting")
    if number in UNREACHABLE:
        return Outcome(
            SILENT,
            f"{target} is unreachable: look at the routes (ip route get), and whether the "
            "machine is up",
        )
    if isinstance(problem, (error.ConnectionLost, error.ConnectionAborted, ConnectionError)):
        return Outcome(SOME, f"{target}: the connection was lost")
    if isinstance(problem, error.ConnectionDone):
        return Outcome(SOME, f"{target}: the server has closed the connection")
    return Outcome(SOME, f"{target}: {_words(problem)}")


def errorNumber(problem: BaseException) -> int | None:
    """
    @return: The system's number of an error, if it has one.
    """
    if isinstance(problem, ConnectError):
        number = problem.osError
        return number if isinstance(number, int) else getattr(number, "errno", None)
    return getattr(problem, "errno", None)


def _words(problem: BaseException) -> str:
    first = problem.args[0] if problem.args else None
    if isinstance(first, list):
        # So OpenSSL has it: the library, the function, and the reason, of each.
        return "TLS: " + "; ".join(reason for _, _, reason in first)
    if isinstance(problem, error.DNSLookupError) and first:
        # Not with the sentence that Twisted puts before it.
        return str(first)
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
