"""
The names under which browsers may ask for a page.

A web page of an attacker can have a name that first leads to the attacker's server and
then to the address of this server (DNS rebinding).  The browser takes both for one site, so
the attacker's script could read the pages of this server.  But the browser sends the
attacker's name in C{Host}, and this server refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress

from echod.net.hostnames import canonicalName

ANY = "*"
"""
Stands for every name.
"""

NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")

MISDIRECTED = 421
"""
The status of a request that has the name of another server (RFC 9110, 15.5.20).
"""

_HOST = re.compile(r"(?:(?P<v6>\[[0-9a-f:.]+\])|(?P<name>[a-z0-9._-]*))(?::[0-9]*)?")


def hostName(text: str) -> str:
    """
    @return: A host name as browsers send it: in lower case, and in ASCII.

    @raise ValueError: if it is not a host name.
    """
    try:
        name = text.encode("idna").decode().lower().rstrip(".")
    except UnicodeError:
        name = ""
    if name != ANY and not NAME.fullmatch(name):
        raise ValueError(
            "not the name of a host, such as echod.example.com, nor *, which is any name"
        )
    return name


def machineNames(name: str, canonicalName: Callable[[str], str] = canonicalName) -> set[str]:
    """
    @param name: The name that the machine has for itself.

    @return: This name, the one in the local network (RFC 6762), and the complete one, if
        the system finds it in time.
    """
    names = {name, f"{name.partition('.')[0]}.local"}
    # Some systems cannot resolve their own name.
    with suppress(OSError):
        names.add(canonicalName(name))
    return {each.lower() for each in names}


class HostNames:
    """
    Decides which values of C{Host} are served.

    Three kinds are always served, because no attacker can own them: IP addresses, names
    without a dot, and names that end in C{.localhost}.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        """
        @param names: The names with a dot that are served; L{ANY} for all.
        """
        self._names = frozenset(names)

    def serves(self, host: str) -> bool:
        """
        @param host: The value of C{Host}, with or without a port.

        @return: True if it is served.
        """
        match = _HOST.fullmatch(host.lower())
        if match is None:
            return ANY in self._names
        name = (match["name"] or "").rstrip(".")
        *_, last = labels = name.split(".")
        return (
            len(labels) == 1
            # A browser takes a name that ends in a number for an IPv4 address.
            or last.isdigit()
            or last == "localhost"
            or not self._names.isdisjoint((name, ANY))
        )

    def foreign(self, headers: Iterable[bytes]) -> str | None:
        """
        @param headers: The values of C{Host} in a request.  Without one, as in HTTP/1.0, the
            request does not come from a browser.

        @return: The first name that is not served; L{None} if there is none.
        """
        hosts = [value.decode("latin-1") for value in headers]
        return next((host for host in hosts if not self.serves(host)), None)
