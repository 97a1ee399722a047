"""
Tests for L{echod.client.ping.mtu} and L{echod.client.ping.search}.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable
from random import Random
from subprocess import CompletedProcess, run

from twisted.trial.unittest import SynchronousTestCase

from echod.client.exitstatus import ALL, SILENT, SOME, WRONG
from echod.client.ping.mtu import MTUPinger
from echod.client.ping.plan import Plan
from echod.client.ping.result import Result
from echod.client.ping.tracking.events import Event, Kind
from echod.client.ping.tracking.probe import MAX_SIZE
from echod.client.ping.verdict import verdict
from tests.client.ping.test_pinger import Time
from tests.support import ENVIRONMENT
from tests.support.daemon import PATIENCE, Daemon
from tests.support.slowlink import SERVER, SlowLink

Path = Callable[[bytes], object]


class MTUTests(SynchronousTestCase):
    """
    Tests for L{MTUPinger}, on paths in memory.

    @ivar sent: The sizes of the probes.
    """

    def setUp(self) -> None:
        self.time = Time()
        self.events: list[Event] = []
        self.sent: list[int] = []
        self.pinger = MTUPinger(
            self.time.clock,
            Plan(interval=0),
            self.events.append,
            now=self.time.moment,
            random=Random(1),
        )

    def search(self, path: Path, seconds: float, hint: int | None = None) -> Result:
        """
        @return: The result of a search.

        @param path: Carries a probe.

        @param seconds: The most that the search may take.
        """

        def write(probe: bytes) -> None:
            self.sent.append(len(probe))
            path(probe)

        search = self.pinger.result().search
        assert search is not None
        if hint is not None:
            search.hint = lambda: hint
        self.pinger.start(write)
        self.time.pass_(seconds)
        result: Result = self.successResultOf(self.pinger.finished)
        self.assertEqual(self.time.clock.getDelayedCalls(), [])
        return result

    def answer(self, data: bytes) -> None:
        """
        Return data to the client after a moment.
        """
        self.time.clock.callLater(0.001, self.pinger.received, data)

    def upTo(self, limit: int, tooBig: Path = len) -> Path:
        """
        @return: A path that returns the probes up to this size.

        @param tooBig: Takes the others.
        """
        return lambda probe: (self.answer if len(probe) <= limit else tooBig)(probe)

    def largest(self, result: Result) -> int | None:
        """
        @return: The largest size that came back.
        """
        assert result.search is not None
        return result.search.largest

    def test_filtered(self) -> None:
        """
        A path without ICMP errors is searched to the byte: three lost probes make a size
        too big.
        """
        result = self.search(self.upTo(1372), 30, 1472)
        self.assertEqual(self.largest(result), 1372)
        self.assertEqual(self.sent[:5], [64, 1472, 1472, 1472, 768])
        self.assertEqual(self.sent.count(1373), 3)
        self.assertEqual(verdict(result, "it").status, ALL)

    def test_local(self) -> None:
        """
        A size that this machine refuses takes no time, and no second try.
        """

        def refuse(probe: bytes) -> None:
            raise OSError(errno.EMSGSIZE, "")

        result = self.search(self.upTo(1472, refuse), 0.5, 1472)
        self.assertEqual(self.largest(result), 1472)
        self.assertEqual(len(self.sent), len(set(self.sent)))
        self.assertEqual(
            result.tracker.tooBig, len([size for size in self.sent if size > 1472])
        )

    def test_router(self) -> None:
        """
        A size that a router refuses takes no second try, and is not lost.
        """

        def refuse(probe: bytes) -> None:
            error = OSError(errno.EMSGSIZE, "")
            self.time.clock.callLater(0.001, self.pinger.failed, error, probe)

        result = self.search(self.upTo(1200, refuse), 1)
        self.assertEqual(self.largest(result), 1200)
        self.assertEqual(result.tracker.lost, 0)
        self.assertEqual(len(self.sent), len(set(self.sent)))

    def test_unknownProbe(self) -> None:
        """
        An error that names no probe excludes no size.
        """

        def refuse(probe: bytes) -> None:
            self.pinger.failed(OSError(errno.EMSGSIZE, ""))

        self.assertEqual(self.largest(self.search(self.upTo(1200, refuse), 30)), 1200)

    def test_losses(self) -> None:
        """
        One loss or two do not make a size too big.
        """

        def third(probe: bytes) -> None:
            if self.sent.count(len(probe)) == 3:
                self.answer(probe)

        result = self.search(third, 20)
        self.assertEqual(self.largest(result), MAX_SIZE)

    def test_late(self) -> None:
        """
        A size whose echo comes late is not too big.
        """
        result = self.search(
            lambda probe: self.time.clock.callLater(1.05, self.pinger.received, probe), 40
        )
        self.assertEqual(self.largest(result), MAX_SIZE)

    def test_damaged(self) -> None:
        """
        A size counts only if its echo is intact.
        """
        result = self.search(self.upTo(1372, lambda probe: self.answer(probe[:1372])), 30)
        self.assertEqual(self.largest(result), 1372)
        self.assertEqual(verdict(result, "it").status, WRONG)

    def test_silent(self) -> None:
        """
        A server that does not answer ends the search.
        """
        result = self.search(lambda probe: None, 4)
        self.assertEqual(self.sent, [64] * 3)
        self.assertEqual(verdict(result, "it").status, SILENT)

    def test_interrupted(self) -> None:
        """
        An interrupted search reports what it has found.
        """
        self.time.clock.callLater(0.3, self.pinger.interrupt)
        result = self.search(self.upTo(1372), 3)
        outcome = verdict(result, "it")
        self.assertEqual(outcome.status, SOME)
        self.assertIn("at least path MTU", outcome.message)
        self.assertIn("not finished", outcome.message)

    def test_lostLink(self) -> None:
        """
        If the network fails during the search, the search is not finished.
        """

        def fail(probe: bytes) -> None:
            raise OSError(errno.ENETUNREACH, "")

        outcome = verdict(self.search(self.upTo(100, fail), 1), "it")
        self.assertEqual(self.events[-1].kind, Kind.UNREACHABLE)
        self.assertEqual(outcome.status, SOME)


class LinkTests(SynchronousTestCase):
    """
    C{echoc ping} and a real echod, on a link that drops large packets without ICMP errors.
    """

    def ping(
        self, link: SlowLink, *options: str, target: str = f"{SERVER}:7777"
    ) -> CompletedProcess[str]:
        """
        Run C{echoc ping} at the end of the client.
        """
        return run(
            [
                *(*link.client, sys.executable, "-m", "echod.client", "ping"),
                *(*options, target),
            ],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def test_virtualLink(self) -> None:
        """
        A virtual link whose other end has a smaller MTU ends neither search nor sweep late: a
        size that it drops is too big.
        """
        with SlowLink("1gbit") as link:
            small = "ip link set near mtu 1300"
            run([*link.server, *small.split()], check=True)
            daemon = Daemon("--udp", f"{SERVER}:7777", below=link.server)
            self.addCleanup(daemon.stop)
            # The kernel leaves room for the tag of a VLAN, which has four bytes.
            searched = json.loads(self.ping(link, "--mtu", "--json").stdout)
            self.assertEqual((searched["path_mtu_bytes"], searched["lost"]), (1304, 0))
            sweep = json.loads(self.ping(link, "-s1200-1500:300", "-i.01", "--json").stdout)
            self.assertEqual((sweep["received"], sweep["too_big"]), (1, 1))
            ended = self.ping(link, "-q", "-s1400", "-c3")
            self.assertIn("this machine drops the packet", ended.stdout)
            self.assertEqual(ended.returncode, 4)

    def test_blackHole(self) -> None:
        """
        The search finds the path MTU to the byte; a sweep reports what this machine cannot
        send as too big, and what the link drops as lost.
        """
        with SlowLink("1gbit") as link:
            # The link drops frames that are larger than its burst: 14 bytes are the header.
            small = "tc qdisc replace dev near root tbf rate 1gbit burst 1300 latency 1s"
            run([*link.server, *small.split()], check=True)
            daemon = Daemon("--udp", f"{SERVER}:7777", below=link.server)
            self.addCleanup(daemon.stop)

            ended = self.ping(link, "--mtu", "-W.3")
            self.assertEqual(
                (ended.stdout, ended.returncode),
                (f"{SERVER}:7777: path MTU 1286 bytes (payload 1258 bytes)\n", 0),
            )
            sweep = json.loads(
                self.ping(link, "--df", "-s1200-1500:150", "-i.01", "-W3", "--json").stdout
            )
            self.assertEqual((sweep["received"], sweep["lost"], sweep["too_big"]), (1, 1, 1))
            self.assertIn("1 were too big for the path", sweep["verdict"])

    def test_blackHoleIPv6(self) -> None:
        """
        The same by IPv6, where only the sender may fragment.
        """
        with SlowLink("1gbit") as link:
            for end, name, host in ((link.server, "near", 1), (link.client, "far", 2)):
                address = f"ip address add fd97::{host}/64 dev {name} nodad"
                run([*end, *address.split()], check=True)
            small = "tc qdisc replace dev near root tbf rate 1gbit burst 1400 latency 1s"
            run([*link.server, *small.split()], check=True)
            target = "[fd97::1]:7777"
            daemon = Daemon("--udp", target, below=link.server)
            self.addCleanup(daemon.stop)
            ended = self.ping(link, "--mtu", "-W.3", target=target)
            self.assertEqual(
                (ended.stdout, ended.returncode),
                (f"{target}: path MTU 1386 bytes (payload 1338 bytes)\n", 0),
            )
