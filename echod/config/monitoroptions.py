"""
The options for the log and the status page.
"""

from __future__ import annotations

from twisted.python import usage

from echod.config.config import SESSION_LOG
from echod.config.values import naming, parameter, path, sessionLines
from echod.limits.capacity import SESSION_LINES
from echod.net.httphosts import hostName

PAGE = ("status", "status-name")


class MonitorOptions(usage.Options):
    """
    The log, the session log and the status page.
    """

    optParameters = [
        parameter(
            "session-lines",
            SESSION_LINES,
            "Log the start and the end of sessions in at most NUMBER lines a second, for each "
            "--tcp and --greeting, after a burst of 10 times as many. One line a second sums "
            "up the other sessions. 'all' logs each session.",
            sessionLines,
        ),
        parameter(
            SESSION_LOG,
            None,
            "Append a JSON object to FILE for each session that has ended and, once a second, "
            "for the datagrams of each source. SIGUSR1 reopens the file; without a terminal, "
            "SIGHUP does, too.",
            path,
        ),
    ]

    optFlags = [
        ["show-messages", None, "Log the messages of peers, with control characters escaped."],
    ]

    def opt_status(self, address: str) -> None:
        """
        Show the state of echod by HTTP at ADDRESS: a page, /metrics, /healthz, /readyz
        and /status.json. Can be given again.
        """
        self["status"].append(address)

    def opt_status_name(self, name: str) -> None:
        """
        Serve the status page also under NAME (echod.example.com). The names of this machine
        always work. '*' means any name. Can be given again.
        """
        with naming("status-name", name):
            self["status-name"].append(hostName(name))
