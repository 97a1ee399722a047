"""
Short runs of the programs of C{make soak}.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from twisted.trial.unittest import SynchronousTestCase

from echod.udp.options import LINUX
from soak.churn import churn
from soak.client import Client
from soak.descriptors import descriptors
from soak.drain import drain
from soak.forgery import flood, loop
from soak.held import held
from soak.mixed import mixed
from soak.peers import finish
from soak.report import Report, table
from soak.servers import Counting
from soak.workers import Seen, running
from tests.support.daemon import PATIENCE, Daemon

SEED = "1"


def mixedTraffic() -> Report:
    """
    @return: The report of one server.
    """
    return asyncio.run(mixed({"echod": Daemon}, 1, SEED))["echod"]


class SoakTests(SynchronousTestCase):
    """
    Everything at once, as nothing here depends on the time that it takes.
    """

    if not LINUX:
        skip = "needs Linux"

    def test_connections(self) -> None:
        """
        No byte is lost: not among peers of all kinds, not with many of them, not
        when there are too many, and not when the server is told to end.
        """
        with ThreadPoolExecutor() as pool:
            running = [
                pool.submit(mixedTraffic),
                pool.submit(lambda: asyncio.run(held(Daemon, 200, 20, 10))),
                pool.submit(lambda: asyncio.run(churn(Counting, 300, 300))),
                pool.submit(lambda: asyncio.run(descriptors(Daemon, 0.5))),
                pool.submit(lambda: asyncio.run(drain(Daemon, 10, SEED))),
            ]
        for future in running:
            self.assertEqual(future.result().problems, [])

    def test_forgedSources(self) -> None:
        """
        A datagram that is forged to come from another echod causes at most one packet, and
        a known client is answered among thousands of forged sources.
        """
        for report in (loop(Daemon, (0, 2)), flood(Daemon, 5000, SEED)):
            self.assertEqual(report.problems, [])


class FinishTests(SynchronousTestCase):
    """
    Tests for L{finish}.
    """

    def test_stuck(self) -> None:
        """
        A session without any progress is given up.
        """

        async def stuck() -> None:
            client = Client(("127.0.0.1", 1))
            try:
                await finish(asyncio.sleep(PATIENCE), client, 0)
            finally:
                client.close()

        self.assertRaises(asyncio.TimeoutError, asyncio.run, stuck())


class RunningTests(SynchronousTestCase):
    """
    Tests for L{running}.
    """

    def test_error(self) -> None:
        """
        An error ends the peers too.
        """
        seen = Seen()

        async def fail() -> None:
            async with running([asyncio.sleep(0)], seen):
                raise AssertionError("no worker serves")

        self.assertRaises(AssertionError, asyncio.run, fail())
        self.assertTrue(seen.enough)


class TableTests(SynchronousTestCase):
    """
    Tests for L{table}.
    """

    def test_table(self) -> None:
        """
        Figures of several servers stand side by side; a missing figure is a dash.
        """
        first, second = Report(), Report()
        first.show("lost", 12345)
        first.require(False, "12345 were lost")
        second.show("lost", 0)
        second.show("ms", 1.25)
        self.assertEqual(first.problems, ["12345 were lost"])
        self.assertEqual(
            table("Title", {"one": first, "two": second}),
            "Title\n-----\n\n"
            "====== ============= =============\n"
            "Result           one           two\n"
            "====== ============= =============\n"
            "lost          12,345             0\n"
            "ms                 -           1.2\n"
            "====== ============= =============\n",
        )
