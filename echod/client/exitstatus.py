"""
The outcome of a client: an exit status for scripts, and a message for people.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import NamedTuple

from twisted.internet import defer, error
from twisted.internet.error import ConnectError

from echod.client.target import Description
from echod.net.descriptions import socketPath
from echod.net.format import printable

ALL = 0
SOME = 1
USAGE = 2
REFUSED = 3
SILENT = 4
WRONG = 5

CLOSED_PIPE = 141
"""
The reader of standard output has closed it.  A shell reports this status for a program
that was killed by C{SIGPIPE}.
"""

INTERRUPTED = 130
"""
A shell reports this status for a program that was killed by Ctrl-C.
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

IS_IT_ECHO = "is this an echo server? does it expect a PROXY header or TLS?"

NO_ECHO = f"connected, but no echo: {IS_IT_ECHO}"
"""
The message if a server accepts a connection and returns nothing.
"""

UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}

NO_SOURCE = {errno.ENODEV, errno.EADDRNOTAVAIL}
"""
The errors of binding to an address or an interface that is not there.
"""

NOTHING_LISTENS = {errno.ECONNREFUSED, errno.ENOENT, errno.ENOTDIR}
"""
The errors of connecting where nothing listens.  The last two are those of a UNIX socket.
"""


class Outcome(NamedTuple):
    """
    @ivar status: The exit status.

    @ivar message: One line; empty if the status says enough.
    """

    status: int
    message: str = ""


class ClientError(Exception):
    """
    A client cannot go on.

    @ivar outcome: Its outcome.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def refused(target: object) -> Outcome:
    """
    @return: The outcome if nothing listens at the target.
    """
    path = socketPath(target) if isinstance(target, Description) else None
    if path is not None:
        return Outcome(REFUSED, f"{target}: {_socketProblem(path)}")
    return Outcome(REFUSED, f"{target} refused: {LOOK_REFUSED}")


def _socketProblem(path: str) -> str:
    name = printable(path)
    try:
        isSocket = stat.S_ISSOCK(os.stat(path).st_mode)
    except FileNotFoundError:
        return f"there is no socket at {name}: look whether the server runs, and at its path"
    except OSError as problem:
        return f"{name} cannot be used ({problem.strerror}): look at the path"
    if isSocket:
        return f"nobody listens at {name}: look whether the server runs"
    return f"{name} is not a socket: look at the path of the server"


def silent(target: object, what: str) -> Outcome:
    """
    @return: The outcome if nothing came from the target.
    """
    return Outcome(SILENT, f"{target}: {what}: {LOOK_SILENT}")


def unreachable(target: object, reason: str) -> Outcome:
    """
    @param reason: The error, or the text and the sender of an ICMP error.

    @return: The outcome if there is no way to the target.
    """
    return Outcome(
        SILENT,
        f"{target} is unreachable ({reason}): look at the routes (ip route get), and whether "
        "the machine is up",
    )


def explain(problem: BaseException, target: object) -> Outcome:
    """
    @return: The outcome for an exception that was raised while talking to the target.
    """
    if isinstance(problem, ClientError):
        return problem.outcome
    if isinstance(problem, (error.DNSLookupError, error.UnknownHostError)):
        return Outcome(
            USAGE,
            f"{target}: the name cannot be resolved ({_describe(problem)}): look at its "
            "spelling, and at DNS",
        )
    number = errorNumber(problem)
    if isinstance(problem, (error.ConnectionRefusedError, ConnectionRefusedError)) or (
        number in NOTHING_LISTENS
    ):
        return refused(target)
    if (
        isinstance(problem, (error.ConnectBindError, error.CannotListenError))
        and number in NO_SOURCE
    ):
        return Outcome(
            USAGE, f"--source: {os.strerror(number)}: give an address of this machine (ip addr)"
        )
    if isTimeout(problem):
        return silent(target, "no answer to connecting")
    if number in UNREACHABLE:
        return unreachable(target, getattr(problem, "strerror", None) or os.strerror(number))
    if isinstance(problem, (error.ConnectionLost, error.ConnectionAborted, ConnectionError)):
        return Outcome(SOME, f"{target}: the connection was lost")
    if isinstance(problem, error.ConnectionDone):
        return Outcome(SOME, f"{target}: the server has closed the connection")
    return Outcome(SOME, f"{target}: {os.strerror(number) if number else _describe(problem)}")


def isTransient(problem: BaseException) -> bool:
    """
    @return: True if connecting may succeed later: nothing listens yet, or nothing came back.
    """
    return explain(problem, "").status in (REFUSED, SILENT)


def isTimeout(problem: BaseException) -> bool:
    """
    @return: True if an exception says that nothing came back.
    """
    return isinstance(problem, (error.TimeoutError, error.TCPTimedOutError, defer.TimeoutError))


def errorNumber(problem: BaseException) -> int | None:
    """
    @return: The C{errno} of an exception, if it has one.
    """
    if isinstance(problem, error.CannotListenError):
        problem = problem.socketError
    if isinstance(problem, ConnectError):
        number = problem.osError
        return number if isinstance(number, int) else getattr(number, "errno", None)
    return getattr(problem, "errno", None)


def _describe(problem: BaseException) -> str:
    first = problem.args[0] if problem.args else None
    if isinstance(first, list):
        # OpenSSL lists (library, function, reason) of each error.
        return f"TLS failed ({'; '.join(reason for _, _, reason in first)})"
    if isinstance(problem, error.DNSLookupError) and first:
        # Twisted puts a general sentence before this text.
        return str(first)
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
