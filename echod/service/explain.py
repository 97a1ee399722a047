"""
Explain why an address cannot be listened on.
"""

from __future__ import annotations

import errno

from echod.udp.guard import RESERVED


def errorNumber(error: BaseException | None) -> int | None:
    """
    @return: The C{errno} of the system's error; L{None} if it has none.
    """
    return getattr(getattr(error, "socketError", error), "errno", None)


def portInUse(error: BaseException | None) -> int:
    """
    @return: The port, if another process uses it; 0 if the reason is another one.
    """
    port = getattr(error, "port", None)
    # For a UNIX socket, it is a path.
    return port if isinstance(port, int) and errorNumber(error) == errno.EADDRINUSE else 0


def explain(error: BaseException | None) -> str:
    """
    @return: The reason in the system's words, and a remedy.
    """
    port, reason = getattr(error, "port", None), getattr(error, "socketError", error)
    hint = ""
    if portInUse(error):
        hint = "; ss -lntup shows the process that uses it"
    elif isinstance(reason, PermissionError) and isinstance(port, int) and port < RESERVED:
        hint = "; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
    elif errorNumber(error) == errno.EMFILE:
        hint = "; raise the limit of open files (ulimit -n)"
    return (getattr(reason, "strerror", None) or str(reason)) + hint
