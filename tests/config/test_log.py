"""
Tests for L{echod.config.log}.
"""

from __future__ import annotations

import os
from typing import Any

from twisted.logger import FileLogObserver, ILogObserver
from twisted.python.components import Componentized
from twisted.trial.unittest import SynchronousTestCase

from echod.config.log import DEFAULT_LOG_FILE, Log
from tests.support import temporaryDirectory

EVENT: dict[str, Any] = {"log_format": "hello", "log_time": 0.0}


class LogTests(SynchronousTestCase):
    """
    Tests for L{Log}.
    """

    def setUp(self) -> None:
        self.directory = temporaryDirectory(self)
        self.path = self.directory / "log"

    def installed(self, stdout: int = -1, **given: Any) -> tuple[Log, Any]:
        """
        @return: The log of a C{twistd} with these options, and its observer.
        """
        options = {"logfile": None, "logger": None, "nodaemon": False, "syslog": False}
        application = Componentized()
        log = Log({**options, **given}, stdout)
        log.install(application)
        return log, application.getComponent(ILogObserver, None)

    def test_logFile(self) -> None:
        """
        C{--logfile} names the file; C{twistd} without C{-n} has a default.
        """
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(self.directory)
        options: tuple[tuple[dict[str, Any], str], ...] = (
            ({"logfile": str(self.path)}, "log"),
            ({"logfile": "relative", "nodaemon": True}, "relative"),
            ({}, DEFAULT_LOG_FILE),
        )
        for given, name in options:
            log, observer = self.installed(**given)
            observer(EVENT)
            path = self.directory / name
            self.assertRegex(path.read_text(), r"^1970-.*\] hello\n$")
            log.reopen()
            self.assertFalse(path.read_text())

    def test_standardOutput(self) -> None:
        """
        C{twistd -n} logs to standard output, and there is nothing to reopen.
        """
        for name in (None, "-"):
            with self.path.open("w") as stdout:
                log, observer = self.installed(stdout.fileno(), nodaemon=True, logfile=name)
                observer(EVENT)
                log.reopen()
            self.assertRegex(self.path.read_text(), r"^1970-.*\] hello\n$")

    def test_others(self) -> None:
        """
        Another logger, syslog and a wrong command line stay with C{twistd}.
        """
        given: dict[str, Any]
        for given in ({"logger": "module.function"}, {"syslog": True}, {"logfile": "-"}):
            _, observer = self.installed(**given)
            self.assertIsNone(observer)

    def test_cannotOpen(self) -> None:
        """
        A file that cannot be opened is one line.
        """
        with self.assertRaises(SystemExit) as raised:
            self.installed(logfile=str(self.directory))
        self.assertEqual(
            str(raised.exception),
            f"echod: cannot write --logfile {self.directory}: Is a directory",
        )

    def test_twist(self) -> None:
        """
        The stream that C{twist} has chosen is written without blocking.
        """
        with self.path.open("w") as file:
            options = {"logFile": file}
            Log(options).install(Componentized())
            observer = FileLogObserver(options["logFile"], lambda event: "hello\n")
            observer(EVENT)
        self.assertIsNot(options["logFile"], file)
        self.assertEqual(self.path.read_text(), "hello\n")
