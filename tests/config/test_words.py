"""
Tests for L{echod.config.words}.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from echod.tap import makeService
from tests.support.config import options, serve
from tests.support.workers import ProcessReactor

EVERYONE = "expects a PROXY header, from everyone who connects (see --proxy-from)"
KNOWN = "expects a PROXY header, only from 10.0.0.0/8, ::1/128"


class WordsTests(SynchronousTestCase):
    """
    Tests for the configuration in the log.
    """

    def test_limits(self) -> None:
        """
        The log shows the limits.
        """
        usual = (
            "any number of connections from one source, any number of new ones a second; "
            "sessions idle for 600 s; 10000 datagrams a second to one address; 5 s to drain"
        )
        for arguments, words in (
            ("--tcp=0", f"1000 connections for all together, {usual}"),
            (
                "--max-connections=0 --max-per-source=2 --idle-timeout=0 --connect-rate=7 "
                "--udp-rate=0 --drain-timeout=0.5 --allow=10.0.0.0/8 --deny=10.1.0.0/16 "
                "--deny=::1 --tcp=haproxy:0 --proxy-from=192.0.2.0/24",
                "1000 connections for all together, 2 connections from one source, "
                "7 new ones a second; "
                "sessions idle for ever; any number of datagrams a second to one address; "
                "0.5 s to drain; allowed: 10.0.0.0/8; denied: 10.1.0.0/16, ::1/128; "
                "PROXY headers from: 192.0.2.0/24",
            ),
            (
                "--max-connections=5",
                f"5 connections for each service, 1000 connections for all together, {usual}",
            ),
            (
                "--workers=3 --max-connections=10",
                "in each of 3 workers: 4 connections for each service, as many connections as "
                f"its limit of open files leaves for all together, {usual}",
            ),
        ):
            service = makeService(options(*arguments.split(), reactor=ProcessReactor()))
            service.room.connections.most = 1000
            self.assertEqual(service.limits(), words)

    def test_proxyNote(self) -> None:
        """
        The log shows which addresses expect PROXY headers, and from which networks.
        """
        for arguments, notes in (
            (["--tcp=0"], [""]),
            (["--tcp=haproxy:0", "--greeting=0"], ["", EVERYONE]),
            (["--tcp=haproxy:0", "--proxy-from=10.0.0.0/8", "--proxy-from=::1"], [KNOWN]),
        ):
            self.assertEqual([each.note for each in serve(*arguments)], notes)
