"""
Tests for invalid command lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.support import NO_NUMBERS, lacking
from tests.support.config import options
from tests.support.workers import ProcessReactor

TCP = ("greeting", "tcp")
SERVERS = (*TCP, "udp")
NUMBERS = ("max-connections", "max-per-source", "connect-rate", "udp-rate")
NETWORKS = ("allow", "deny", "proxy-from")

LONGEST = 400
"""
The most characters of a message: five lines of a terminal.
"""

Rows = Iterable[tuple[Iterable[str], Iterable[str], str]]


def ending(*beginnings: str) -> list[str]:
    """
    @return: Values that end in an invalid number.
    """
    return [beginning + number for beginning in beginnings for number in NO_NUMBERS]


VALUES: Rows = (
    (
        SERVERS,
        ("99999", "0.0.0.0:99999", "[::]:99999", "localhost:65536"),
        " is not a port; ports are 0 to 65535",
    ),
    (SERVERS, ("1.2.3:80",), "'1.2.3' does not appear"),
    (SERVERS, ("[zz]:80",), "'zz' does not appear"),
    (
        SERVERS,
        ("x", "", "haproxy:", "\u0668\u0660", "-1", "[]:80", "8080 "),
        "neither a port (8080), nor a host with a port (0.0.0.0:8080, ",
    ),
    (SERVERS, ("systemd:domain=INET:index=0",), "no such socket was handed over"),
    (
        TCP,
        ("stdio:", "StdIO:", r"st\dio:", "x=1:stdio:", r"haproxy:st\dio:"),
        "standard input is not an address to listen on; a port (8080) or ",
    ),
    (TCP, ("haproxy:haproxy:tcp:80",), "not with haproxy"),
    (TCP, ("tcp:0:x=1",), "nor an endpoint description (got an unexpected keyword argument"),
    (TCP, ("=", "\\", "x="), "nor an endpoint description (malformed)"),
    (TCP, ("unix:/x:mode=9",), "invalid literal for int"),
    (TCP, ("a\r\nb",), r"'a\r\nb': neither a port"),
    (
        TCP,
        ending(
            "tcp:", "haproxy:tcp:", "127.0.0.1:", "unix:/x:mode=", "systemd:domain=INET:index="
        ),
        "",
    ),
    (("udp",), NO_NUMBERS, ""),
    (
        NETWORKS,
        ("x", "10.0.0.1/8", "10.0.0.0/33", "", *ending("10.0.0.0/")),
        "; a network is an address",
    ),
    (NUMBERS, ("1.5", "x", *NO_NUMBERS), ": not a whole number from 0 to 1000000000000000"),
    (
        ("idle-timeout", "drain-timeout"),
        ("x", "10S", "1000000001", *NO_NUMBERS),
        ": a duration is written as 600 (seconds), 50ms, 1.5s, 5m, 2h or 1d, and is at most ",
    ),
    (
        ("session-lines",),
        ("x", "ALL", *NO_NUMBERS),
        ": neither all nor a number of lines a second: not a whole number",
    ),
    (
        ("workers",),
        ("0", "x", "1.5", "1025", "Auto", *NO_NUMBERS),
        ": neither a number of processes, from 1 to 1024, nor auto",
    ),
    (("session-log",), ("",), ": the name of the file is empty"),
    (
        ("status-name",),
        ("http://a.example",),
        ": not the name of a host, such as echod.example.com, nor *, which is any name",
    ),
)
"""
Options, values that each of them refuses, and a part of the message.
"""

STATUS: Rows = (
    (("status",), ("99999",), "99999: 99999 is not a port; ports are 0 to 65535"),
    (("status",), ending("tcp:"), ""),
)

COMBINATIONS = (
    ("8080", "unexpected argument 8080; everything is an option, as in --tcp 8080"),
    ("tcp 8080", "unexpected argument tcp: did you mean --tcp?"),
    ("help", "unexpected argument help: did you mean --help?"),
    ("--tpc 8080", "unknown option --tpc: did you mean --tcp?"),
    ("--idle-timout=5", "unknown option --idle-timout: did you mean --idle-timeout?"),
    ("--a\nb", "unknown option '--a\\nb': --help lists the options"),
    ("-n", "unknown option -n: --help lists the options"),
    ("--allow=::/0 --deny=::/0", "--allow and --deny: ::/0 is both allowed and denied"),
    ("--proxy-from=::1 --tcp=0", "--proxy-from: no address starts with haproxy:"),
    ("--impair=drop=1", "--impair: drop=1: a share is written as 1%"),
    ("--impair=x\ny", "--impair: x\\ny is no impairment: delay, "),
    ("--udp=0 --impair=pieces=1-3", "--impair: pieces fits nothing that is served"),
    (
        "--workers=2 --impair=delay=1ms,seed=7",
        "--workers 2: a seed of --impair has no effect: the system",
    ),
    ("--workers=2 --impair=udp:drop=1%,seed=7", "--workers 2: a seed of --impair"),
)
"""
Command lines, and how the message begins.
"""


class BadValueTests(SynchronousTestCase):
    """
    Tests that invalid command lines are refused.
    """

    def refusal(self, *arguments: str) -> str:
        """
        @return: The message for a command line: a single line of limited length.
        """
        error = self.assertRaises(UsageError, options, *arguments, reactor=ProcessReactor())
        said = str(error)
        self.assertNotIn("\n", said)
        self.assertLess(len(said), LONGEST, said)
        return said

    def check(self, rows: Rows) -> None:
        """
        Check that each value is refused, and that the message names the option.
        """
        for names, values, problem in rows:
            for name in names:
                for value in values:
                    said = self.refusal(f"--{name}={value}")
                    self.assertTrue(said.startswith(f"--{name} "), said)
                    self.assertIn(problem, said)

    def test_values(self) -> None:
        """
        The message for an invalid value is one line that names the option and says what
        is wrong.
        """
        self.check(VALUES)

    def test_status(self) -> None:
        """
        The message for an invalid address of the status page is of the same kind.
        """
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        self.check(STATUS)

    def test_combinations(self) -> None:
        """
        Options that are valid alone but not together are refused in one line.
        """
        for arguments, problem in COMBINATIONS:
            said = self.refusal(*arguments.split(" "))
            self.assertTrue(said.startswith(problem), said)
