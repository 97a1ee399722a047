"""
Tests for L{echod.client.watch.metrics}.
"""

from __future__ import annotations

import contextlib
from importlib.util import find_spec

from twisted.trial.unittest import SynchronousTestCase

from echod.client.ping.tracking.events import Event, Kind
from echod.client.watch.results import BOUNDS, REASONS, Results
from tests.support import lacking
from tests.support.pingruns import EVENTS

with contextlib.suppress(ModuleNotFoundError):
    from prometheus_client import generate_latest
    from prometheus_client.parser import text_string_to_metric_families

    from echod.client.watch.metrics import registryFor


class MetricsTests(SynchronousTestCase):
    """
    Tests for the metrics of a target.
    """

    def setUp(self) -> None:
        if find_spec("prometheus_client") is None:
            lacking("prometheus_client")
        self.results = Results("it:7", "UDP", lambda: 1.5e9)

    def samples(self) -> dict[str, float]:
        """
        @return: The samples of the target by name, without their common labels.
        """
        samples = {}
        registry = registryFor([self.results])
        for family in text_string_to_metric_families(generate_latest(registry).decode()):
            self.assertTrue(family.documentation)
            for sample in family.samples:
                if sample.labels.pop("target", "") == "it:7":
                    self.assertEqual(sample.labels.pop("protocol"), "UDP")
                    name = " ".join([sample.name, *sample.labels.values()])
                    samples[name.removeprefix("echoc_")] = sample.value
        return samples

    def test_first(self) -> None:
        """
        Before the first result, all metrics are there and are 0, except the time of the
        latest answer, which is not there.
        """
        samples = self.samples()
        self.assertEqual(set(samples.values()), {0})
        self.assertEqual(len(samples), 1 + 11 + 1 + len(REASONS) + len(BOUNDS) + 3)

    def test_events(self) -> None:
        """
        Each event is counted by its kind, and round trips are in seconds.
        """
        for event in EVENTS:
            self.results.observe(event)
        self.results.reconnected, self.results.skipped = 5, 6
        samples = self.samples()
        expected = {
            "reconnects_total": 5,
            "up": 0,
            "last_answer_timestamp_seconds": 1.5e9,
            "probes_sent_total": 3,
            "probes_received_total": 2,
            "probes_lost_total": 2,
            "probes_skipped_total": 6,
            "probes_late_total": 1,
            "probes_duplicated_total": 1,
            "probes_truncated_total": 1,
            "probes_corrupted_total": 1,
            "probes_foreign_total": 1,
            "probes_too_big_total": 1,
            "probes_reordered_total": 1,
            "errors_total refused": 1,
            "errors_total unreachable": 1,
            "errors_total timeout": 0,
            "rtt_seconds_bucket 2.5e-05": None,
            "rtt_seconds_bucket 5e-05": 2,
            "rtt_seconds_bucket 1.0": 2,
            "rtt_seconds_bucket 2.5": 3,
            "rtt_seconds_bucket +Inf": 3,
            "rtt_seconds_count": 3,
            "rtt_seconds_sum": 2 * 0.0000435 + 1.0435,
        }
        self.assertEqual({name: samples.get(name) for name in expected}, expected)

    def test_kinds(self) -> None:
        """
        Each kind of event has a metric of its own.
        """
        kinds = (Kind.LATE, Kind.DUPLICATED, Kind.TRUNCATED, Kind.CORRUPTED, Kind.FOREIGN)
        for number, kind in enumerate(kinds):
            for _ in range(number):
                self.results.observe(Event(kind, None, 64))
        samples = self.samples()
        found = [samples[f"probes_{kind.value}_total"] for kind in kinds]
        self.assertEqual(found, [0, 1, 2, 3, 4])

    def test_process(self) -> None:
        """
        The metrics name the version, and describe the process.
        """
        text = generate_latest(registryFor([])).decode()
        self.assertIn("\nechoc_build_info{version=", text)
        self.assertIn("\nprocess_open_fds ", text)
