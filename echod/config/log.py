"""
Where C{twistd} and C{twist} log.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from twisted.logger import ILogObserver, textFileLogObserver
from twisted.python.components import Componentized

from echod.net.appendfile import openShared
from echod.net.format import quoted
from echod.service.logstream import LogFileStream, LogStream

DEFAULT_LOG_FILE = "twistd.log"
"""
Where C{twistd} without C{-n} logs.
"""


class Log:
    """
    Makes C{twistd} or C{twist} write its log without blocking, through a
    L{LogStream<echod.service.logstream.LogStream>}.  The place of the log stays the same.
    """

    _file: LogFileStream | None = None

    def __init__(self, options: MutableMapping[str, Any], stdout: int = 1) -> None:
        """
        @param options: The options of C{twistd} or C{twist}.

        @param stdout: The descriptor of standard output.
        """
        self._options = options
        self._stdout = stdout

    def install(self, application: Componentized) -> None:
        """
        Open the log, and make the runner of an application use it.
        """
        options = self._options
        if "logFile" in options:
            options["logFile"] = LogStream(openShared(options["logFile"].fileno()))
        elif not (options["logger"] or options["syslog"]):
            self._installOfTwistd(application)

    def reopen(self) -> None:
        """
        Begin a new log file.
        """
        if self._file is not None:
            self._file.reopen()

    def _installOfTwistd(self, application: Componentized) -> None:
        path, foreground = self._options["logfile"], self._options["nodaemon"]
        stream: Any
        if foreground and path in (None, "-"):
            stream = LogStream(openShared(self._stdout))
        elif path == "-":
            # C{twistd} says that a daemon has no standard output.
            return
        else:
            stream = self._file = _open(path or DEFAULT_LOG_FILE)
        application.setComponent(ILogObserver, textFileLogObserver(stream))


def _open(path: str) -> LogFileStream:
    try:
        return LogFileStream(path)
    except OSError as error:
        raise SystemExit(
            f"echod: cannot write --logfile {quoted(path)}: {error.strerror}"
        ) from None
