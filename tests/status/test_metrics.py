"""
Tests for L{echod.status.metrics}.
"""

from __future__ import annotations

import contextlib
import os

from echod.impair.spec import DatagramImpairments
from echod.impair.udp import ImpairedUDPEchoProtocol
from echod.limits.networks import DENIED
from echod.status.monitor import Monitor
from echod.status.snapshot import Data
from tests.support import connect
from tests.support.service import listenFor
from tests.support.status import StatusTests

with contextlib.suppress(ModuleNotFoundError):
    from prometheus_client.parser import text_string_to_metric_families


class MetricsTestCase(StatusTests):
    """
    Reads the metrics.
    """

    def metrics(self) -> dict[str, float]:
        """
        @return: The samples by their names and labels, without addresses.
        """
        _, _, body = self.client.ask("/metrics")
        samples = {}
        for family in text_string_to_metric_families(body):
            self.assertTrue(family.documentation)
            for sample in family.samples:
                labels = [sample.labels.pop("service", ""), sample.labels.pop("address", "")]
                names = [sample.name, labels[0], *sample.labels.values()]
                samples[" ".join(filter(None, names))] = sample.value
        return samples

    def check(self, expected: dict[str, float]) -> None:
        """
        Fail if a sample has not the expected value.
        """
        metrics = self.metrics()
        self.assertEqual({name: metrics.get(name) for name in expected}, expected)


class MetricsTests(MetricsTestCase):
    """
    Tests for L{echod.status.metrics}.
    """

    def test_sessions(self) -> None:
        """
        The metrics count ended and open sessions.
        """
        (first, transport), (second, _) = connect(self.tcp), connect(self.tcp)
        first.dataReceived(b"hello")
        second.dataReceived(b"b")
        self.tcp.refusals.add(DENIED, "192.0.2.1:40000")
        self.clock.advance(0.05)
        transport.connectionDone()
        self.check(
            {
                "echod_listening TCP echo": 1,
                "echod_received_bytes_total TCP echo": 6,
                "echod_returned_bytes_total TCP echo": 5,
                "echod_connections TCP echo": 1,
                "echod_connections_accepted_total TCP echo": 2,
                f"echod_connections_refused_total TCP echo {DENIED}": 1,
                "echod_sessions_ended_total TCP echo closed by peer": 1,
                "echod_session_duration_seconds_count TCP echo": 1,
                "echod_session_duration_seconds_sum TCP echo": 0.05,
                "echod_session_duration_seconds_bucket TCP echo 0.01": 0,
                "echod_session_duration_seconds_bucket TCP echo 0.1": 1,
                "echod_session_duration_seconds_bucket TCP echo +Inf": 1,
            }
        )

    def test_datagrams(self) -> None:
        """
        The metrics count answered and refused datagrams.
        """
        self.udp.received, self.udp.answered = 12, 2
        self.udp.refuse("reason", ("192.0.2.1", 7), 4)
        self.check(
            {
                "echod_received_bytes_total UDP echo": 12,
                "echod_returned_bytes_total UDP echo": 8,
                "echod_datagrams_received_total UDP echo": 3,
                "echod_datagrams_answered_total UDP echo": 2,
                "echod_datagrams_refused_total UDP echo reason": 1,
            }
        )

    def test_impaired(self) -> None:
        """
        The metrics count impairments by kind.
        """
        self.assertNotIn("echod_impaired_total", " ".join(self.metrics()))
        impaired = ImpairedUDPEchoProtocol(
            self.clock, impairments=DatagramImpairments.parse("drop=100%")
        )
        listenFor(self.echo, impaired)
        for _ in range(3):
            impaired.datagramReceived(b"lost", ("192.0.2.1", 40000))
        self.monitor.tell()
        self.check(
            {
                "echod_impaired_total UDP echo drop": 3,
                "echod_datagrams_received_total UDP echo": 0,
            }
        )

    def test_process(self) -> None:
        """
        The metrics contain the version, the lag of the reactor, and the system's
        figures about the process.
        """
        self.clock.advance(1.25)
        self.check(
            {
                "echod_draining": 0,
                "echod_reactor_lag_seconds_sum": 0.25,
                "echod_reactor_lag_seconds_bucket 0.1": 0,
                "echod_reactor_lag_seconds_bucket 0.25": 1,
                "echod_workers": 0,
                "echod_worker_deaths_total": 0,
            }
        )
        metrics = self.metrics()
        self.assertEqual(
            len([name for name in metrics if name.startswith("echod_build_info")]), 1
        )
        self.assertIn("process_cpu_seconds_total", metrics)
        self.assertNotIn("process_open_fds 2", metrics)

    def test_draining(self) -> None:
        """
        The metrics show that echod is about to stop.
        """
        connect(self.tcp)
        self.echo.stopService()
        self.check({"echod_draining": 1, "echod_listening TCP echo": 0})


class TwoWorkers(Monitor):
    """
    A monitor of two workers: the first does not serve, and its process is unknown.
    """

    deaths = 3

    @property
    def workers(self) -> list[Data]:
        """
        The workers.
        """
        return [
            {"worker": "1", "process": 0, "serves": False},
            {"worker": "2", "process": os.getpid(), "serves": True},
        ]


class WorkersMetricsTests(MetricsTestCase):
    """
    Tests for the metrics of workers.
    """

    monitors = TwoWorkers

    def test_workers(self) -> None:
        """
        Workers are counted, and the system's figures about each have its label.
        """
        self.check({"echod_workers": 1, "echod_worker_deaths_total": 3})
        metrics = self.metrics()
        for labels in ("", " 2"):
            self.assertGreater(metrics[f"process_open_fds{labels}"], 0)
        self.assertNotIn("process_open_fds 1", metrics)
