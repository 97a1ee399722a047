"""
The messages of a worker to its parent: reports on standard output, and log records on
standard error, one on each line.
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
The descriptors on which a worker writes its reports and its log.
"""

RECORD = b"\x1e"
"""
A log record starts with this byte (RFC 7464).  Other lines were written by Python itself.
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
    Splits a stream of bytes into lines.
    """

    def __init__(self, received: Callable[[bytes], object]) -> None:
        """
        @param received: Called with each line.
        """
        self._received = received
        self._rest = b""

    def add(self, data: bytes) -> None:
        """
        Add bytes.
        """
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:LONGEST_LINE]
        for line in lines:
            self._received(line[:LONGEST_LINE])

    def end(self) -> None:
        """
        End the stream.  The last line may lack its ending.
        """
        if self._rest:
            self._received(self._rest)


def value(line: bytes) -> Any:
    """
    @return: The value of a line of JSON; L{None} if the line is torn or not JSON.
    """
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def record(event: LogEvent) -> str:
    """
    @return: The line for a log event.  The worker formats the text, so that the parent has
        less to do.
    """
    text = eventAsText(event, includeTimestamp=False, includeSystem=False)
    level = event.get("log_level", LogLevel.info).name
    namespace = event.get("log_namespace", "-")
    system = event.get("log_system", f"{namespace}#{level}")
    words = [event["log_time"], level, namespace, system, text]
    return f"{RECORD.decode()}{json.dumps(words)}\n"


def event(line: bytes, worker: str) -> LogEvent:
    """
    @return: The log event of a line, with the name of the worker.  A torn record, or a line
        that is not a record, becomes an error with its text.
    """
    match value(line[len(RECORD) :]) if line.startswith(RECORD) else None:
        case [float(when), str(level), str(namespace), str(system), str(text)] if (
            0 <= when < LATEST and level in LEVELS
        ):
            namespace, system = printable(namespace), printable(system)
            # JSON can contain characters that a file cannot: lone surrogates.
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
