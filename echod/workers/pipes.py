"""
What a worker and its parent have to say to each other: reports and the log, a
line each, as any program says things.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time

from twisted.logger import LogEvent, LogLevel, eventAsText

REPORTS, LOG = 1, 2
"""
The descriptors of a worker on which it says how it is, and logs.
"""

RECORD = b"\x1e"
"""
What a record in the log starts with (RFC 7464).  What does not was written by
Python itself.
"""


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
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._said(line)

    def end(self) -> None:
        """
        No more will come: the last line needs no ending.
        """
        if self._rest:
            self._said(self._rest)


def record(event: LogEvent) -> bytes:
    """
    @return: The line that stands for a log event.  It is put into words here, and
        every worker does that for itself.
    """
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    level = event.get("log_level", LogLevel.info).name
    namespace = event.get("log_namespace", "-")
    system = event.get("log_system", f"{namespace}#{level}")
    words = [event["log_time"], level, namespace, system, text]
    return RECORD + json.dumps(words).encode("ascii") + b"\n"


def event(line: bytes, worker: str) -> LogEvent:
    """
    @return: The log event that a line stands for, with the name of the worker.
    """
    if line.startswith(RECORD):
        when, level, namespace, system, text = json.loads(line[len(RECORD) :])
    else:
        when, level, namespace, system = time(), "error", "-", "-"
        text = line.decode("utf-8", "backslashreplace")
    return {
        "log_time": when,
        "log_level": LogLevel.levelWithName(level),
        "log_namespace": namespace,
        "log_system": f"{worker}: {system}",
        "log_format": "{text}",
        "text": text,
    }
