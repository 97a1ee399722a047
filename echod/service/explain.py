"""
Explain why an address cannot be listened on.
"""

from __future__ import annotations

import errno

from twisted.internet.error import CannotListenError

from echod.udp.guard import RESERVED


def errorNumber(error: CannotListenError) -> int | None:
    """
    @return: The C{errno} of the system's error; L{None} if it has none.
    """
    return getattr(error.socketError, "errno", None)


def portInUse(error: BaseException | None) -> int:
    """
    @return: The port, if another process uses it; 0 if the reason is another one.
    """
    if not isinstance(error, CannotListenError) or errorNumber(error) != errno.EADDRINUSE:
        return 0
    # For a UNIX socket, it is a path.
    return error.port if isinstance(error.port, int) else 0


def explain(error: BaseException | None) -> str:
    """
    @return: The reason in the system's words, and what helps.
    """
    hint = ""
    if portInUse(error):
        hint = "; ss -lntup shows the process that uses it"
    if isinstance(error, CannotListenError):
        port, number, error = error.port, errorNumber(error), error.socketError
        if isinstance(error, PermissionError) and isinstance(port, int) and port < RESERVED:
            hint = "; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
        elif number == errno.EMFILE:
            hint = "; raise the limit of open files (ulimit -n)"
    return (getattr(error, "strerror", None) or str(error)) + hint
