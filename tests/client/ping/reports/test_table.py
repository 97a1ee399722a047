"""
Tests for L{echod.client.ping.reports.table}.
"""

from __future__ import annotations

from twisted.internet.error import DNSLookupError
from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import explain, refused
from echod.client.ping.plan import Plan
from echod.client.ping.reports.summary import summary
from echod.client.ping.reports.table import Table
from echod.client.target import Address
from tests.support.pingruns import result, summarised


class TableTests(SynchronousTestCase):
    """
    Tests for L{Table}.
    """

    def setUp(self) -> None:
        self.lines: list[str] = []
        self.table = Table(self.lines.append)

    def test_lines(self) -> None:
        """
        Each target has a line with its result, and the columns are aligned.
        """
        other = Address("::1", 65535)
        self.table.started(Plan(), "UDP")
        self.table.finished(
            [
                summarised(64, 64, 64),
                summary(result(*[64] * 1000), refused(other), other),
                summary(result(), explain(DNSLookupError("no address"), other), other),
            ]
        )
        self.assertEqual(
            self.lines,
            [
                "PING by UDP: 64 bytes every 1 s",
                "it (192.0.2.2:7)           sent 3     received 2    lost 33.333 %  "
                "rtt min/avg/max = 0.250/0.250/0.250 ms  1 did not come back in time",
                "[::1]:65535 (192.0.2.2:7)  sent 1000  received 999  lost 0.1 %     "
                "rtt min/avg/max = 0.250/0.250/0.250 ms  refused",
                "[::1]:65535 (192.0.2.2:7)  sent 0     received 0    lost - %       "
                "rtt min/avg/max = -/-/- ms              the name cannot be resolved "
                "(no address)",
            ],
        )

    def test_interim(self) -> None:
        """
        The lines of a run that goes on have no verdict.
        """
        self.table.interim([summarised(64, 64)] * 2)
        self.assertEqual(
            self.lines,
            [
                "so far: it (192.0.2.2:7)  sent 2  received 1  lost 50 %  "
                "rtt min/avg/max = 0.250/0.250/0.250 ms"
            ]
            * 2,
        )
