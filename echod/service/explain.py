"""
Explain why an address cannot be listened on.
"""

from __future__ import annotations

import errno
import shlex

from twisted.internet.error import CannotListenError

from echod.net.addresses import LOOPBACK
from echod.udp.guard import RESERVED


def explain(error: BaseException | None, address: str = "", option: str = "") -> str:
    """
    @param address: The address as the user wrote it.

    @param option: The command line option that gave the address; empty if there is
        none.

    @return: The reason in the system's words, and what helps.
    """
    hint = ""
    if isinstance(error, CannotListenError):
        port, error = error.port, error.socketError
        if isinstance(port, int):
            if isinstance(error, PermissionError) and port < RESERVED:
                hint = "; ports below 1024 are for root, or for CAP_NET_BIND_SERVICE"
            elif isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
                hint = "; ss -lntup shows the process that uses it"
                hint += _anotherPort(address, port, option)
            elif isinstance(error, OSError) and error.errno == errno.EMFILE:
                hint = "; raise the limit of open files (ulimit -n)"
    return (getattr(error, "strerror", None) or str(error)) + hint


def _anotherPort(address: str, port: int, option: str) -> str:
    """
    Show how to choose another port for the same address on the command line.
    """
    before, used, after = address.rpartition(f":{port}")
    if not option or not used:
        return ""
    # The port next to it: the last port has one, too.
    another = f"{before}:{port ^ 1}{after}".removeprefix(f"{LOOPBACK}:")
    return f"; choose another port, such as --{option} {shlex.quote(another)}"
