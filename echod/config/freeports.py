"""
The command line of the user, with free ports in place of those that are in use.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Sequence
from getopt import getopt

from echod.config.config import SERVERS
from echod.config.options import Options
from echod.config.serveroptions import DEFAULT_PORTS
from echod.service.echoservice import EchoService
from echod.service.listening import ListeningService


def withFreePorts(
    options: Options,
    service: EchoService,
    whole: Sequence[str] = tuple(sys.orig_argv),
    which: Callable[[str], str | None] = shutil.which,
) -> str:
    """
    @param service: The service of the command line, after a failed start.

    @param whole: The command line of the process.

    @param which: Finds a program on the C{PATH}.

    @return: The command with port 0 in place of each port that is in use.  Empty if no port
        is in use, or if the user's command is not known exactly.
    """
    inUse: dict[str, list[int]] = {}
    for each in (*service, *service.observers):
        if isinstance(each, ListeningService):
            inUse.setdefault(f"--{each.option}", []).append(each.inUse)
    program = whole[: len(whole) - len(options.arguments)]
    if not any(map(any, inUse.values())) or [*program, *options.arguments] != [*whole]:
        return ""
    # The long names of all options, also of those that the user has abbreviated.
    given, _ = getopt(options.arguments, options.shortOpt, options.longOpt)
    if not any(name[2:] in SERVERS for name, _ in given):
        given += [(f"--{server}", port) for server, port in DEFAULT_PORTS.items()]
    words = _program(program, which)
    for name, value in given:
        if port := name in inUse and inUse[name].pop(0):
            busy, value = value, _withFreePort(value, port)
            if value == busy:
                return ""
        words += [name, value] if f"{name[2:]}=" in options.longOpt else [name]
    return shlex.join(words)


def _program(words: Sequence[str], which: Callable[[str], str | None]) -> list[str]:
    """
    @param words: A command, which may start with the interpreter of a script.

    @return: The command as the user has typed it.
    """
    script = "".join(words[1:2])
    # The system starts a script by its path.  A directory is started by the interpreter.
    if which(script) != script:
        return list(words)
    name = os.path.basename(script)
    return [name if which(name) == script else script, *words[2:]]


def _withFreePort(address: str, port: int) -> str:
    # A whole part between colons, but not of an IPv6 address in brackets or with backslashes.
    whole = rf"(?<![^:])(?<!\\:)(port=)?0*{port}(?=:|$)(?![^[]*\])"
    return re.sub(whole, r"\g<1>0", address, count=1)
