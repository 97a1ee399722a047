"""
The options that say what is logged and shown.
"""

from __future__ import annotations

import os

from twisted.python import usage

from echod.config.config import SESSION_LOG
from echod.config.values import naming, parameter, sessionLines
from echod.limits.capacity import SESSION_LINES
from echod.status.hosts import hostName

PAGE = ("status", "status-name")


class MonitorOptions(usage.Options):
    """
    The log, the session log and the status page.
    """

    optParameters = [
        parameter(
            "session-lines",
            SESSION_LINES,
            "Log the start and the end of single sessions in at most NUMBER lines a second for "
            "each --tcp and --greeting, after a burst of 10 times as many, and the others as "
            "one line a second; 'all' logs each of them.",
            sessionLines,
        ),
        [
            SESSION_LOG,
            None,
            None,
            "Add a JSON object to FILE for each session that has ended and, once a second, for "
            "the datagrams of each source. Reopened on SIGUSR1, and on SIGHUP without a "
            "terminal.",
            os.path.abspath,
        ],
    ]

    optFlags = [
        ["show-messages", None, "Log what peers send, control characters escaped."],
    ]

    def opt_status(self, address: str) -> None:
        """
        Show what goes on at ADDRESS, by HTTP: a page, /metrics, /healthz, /readyz,
        /status.json. Can be given again.
        """
        self["status"].append(address)

    def opt_status_name(self, name: str) -> None:
        """
        Show the page to browsers that use NAME (echod.example.com) for it, besides the names
        of this machine; '*' is any name. Can be given again.
        """
        with naming("status-name", name):
            self["status-name"].append(hostName(name))
