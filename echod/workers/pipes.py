"""
What a worker and its parent have to say to each other: reports and the log, a
line each, as any program says things.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time
from typing import Any

from twisted.logger import LogEvent, LogLevel, eventAsText

from echod.net.format import escaped, printable

REPORTS, LOG = 1, 2
"""
The descriptors of a worker on which it says how it is, and logs.
"""

RECORD = b"\x1e"
"""
What a record in the log starts with (RFC 7464).  What does not was written by
Python itself.
"""


LONGEST_LINE = 1 << 20
"""
The most bytes of one line that are kept: a report of a thousand services is
shorter.  The rest of a longer line is discarded.
"""

LATEST = 253_000_000_000
"""
The latest time of a log event: Python can write no year after 9999.
"""

LEVELS = frozenset(level.name for level in LogLevel.iterconstants())


class Lines:
    """
    Puts lines together from the pieces in which they come.
    """

    def __init__(self, said: Callable[[bytes], object]) -> None:
        """
        @param said: Called with each line.
        """
        self._said = said
        self._rest = b""

    def add(self, data: bytes) -> None:
        """
        More has come.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            self._said(line[:LONGEST_LINE])

    def end(self) -> None:
        """
        No more will come: the last line needs no ending.
        """
        if self._rest:
            self._said(self._rest)


def value(line: bytes) -> Any:
    """
    @return: What a line of JSON says; L{None} if it is torn or no JSON.
    """
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def record(event: LogEvent) -> str:
    """
    @return: The line that stands for a log event.  It is put into words here, and
        every worker does that for itself.
    """
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    level = event.get("log_level", LogLevel.info).name
    namespace = event.get("log_namespace", "-")
    system = event.get("log_system", f"{namespace}#{level}")
    words = [event["log_time"], level, namespace, system, text]
    return f"{RECORD.decode()}{json.dumps(words)}\n"


def event(line: bytes, worker: str) -> LogEvent:
    """
    @return: The log event that a line stands for, with the name of the worker.  A
        line that is no record, or a torn one, is logged as it is.
    """
    match value(line[len(RECORD) :]) if line.startswith(RECORD) else None:
        case [float(when), str(level), str(namespace), str(system), str(text)] if (
            0 <= when < LATEST and level in LEVELS
        ):
            namespace, system = printable(namespace), printable(system)
            # Not every character that JSON can write can be written to a file.
            text = text.encode("utf-8", "backslashreplace").decode()
        case _:
            when, level, namespace, system, text = time(), "error", "-", "-", escaped(line)
    return {
        "log_time": when,
        "log_level": LogLevel.levelWithName(level),
        "log_namespace": namespace,
        "log_system": f"{worker}: {system}",
        "log_format": "{text}",
        "text": text,
    }
